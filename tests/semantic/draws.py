"""Draws from one source of chance: choices, and the few days and instants that a world's rows share."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import TypeVar
from zoneinfo import ZoneInfo

T = TypeVar("T")

ZONES = (
    "UTC",
    "America/New_York",  # forward on 2026-03-08, back on 2026-11-01
    "Europe/Berlin",  # forward on 2026-03-29
    "Asia/Beirut",  # 2026-03-29 has no midnight
    "Australia/Lord_Howe",  # by half an hour: back on 2026-04-05, forward on 2026-10-04
    "America/Santiago",  # back at the end of 2026-04-04, whose last hour comes twice
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Pacific/Kiritimati",
)
TURNS = (
    ("America/New_York", "2026-03-08"),
    ("America/New_York", "2026-11-01"),
    ("Europe/Berlin", "2026-03-29"),
    ("Asia/Beirut", "2026-03-29"),
    ("Australia/Lord_Howe", "2026-04-05"),
    ("Australia/Lord_Howe", "2026-10-04"),
    ("America/Santiago", "2026-04-04"),
    ("Asia/Kolkata", "2026-04-05"),
)
"""Days on which a zone's clock changes, and one on which it does not."""
WEEKS = (
    "2026-02-28 2026-03-01 2026-03-02 2026-03-08 2026-03-09 2026-03-15 2026-03-29 2026-03-30 2026-03-31 2026-04-01 "
    "2026-04-04 2026-04-05 2026-04-06 2026-04-20"
)
"""Ends of months and weeks, and days on which clocks change."""
YEARS = (
    "2023-11-30 2023-12-31 2024-01-01 2024-01-31 2024-02-01 2024-02-28 2024-02-29 2024-03-01 2024-03-31 2024-05-31 "
    "2024-06-30 2024-07-01 2024-08-31 2024-12-31 2025-01-01 2025-01-30 2025-02-28 2025-03-31"
)
OFFSETS = (timedelta(0), timedelta(microseconds=-1), timedelta(hours=-1), timedelta(hours=1), timedelta(hours=12))
CLOCK, CALENDAR, LONG = "clock", "calendar", "long"
"""How far apart the moments of a world are: within two days, some weeks, or more than a year."""


@dataclass(frozen=True, slots=True)
class Draws:
    """`days` and `instants` are few, so that times coincide."""

    random: Random
    scale: str
    days: tuple[date, ...]
    instants: tuple[datetime, ...]
    zone: str

    def one(self, choices: Sequence[T]) -> T:
        return self.random.choice(choices)

    def maybe(self, chance: float) -> bool:
        return self.random.random() < chance

    def some(self, choices: Sequence[T], least: int, most: int) -> list[T]:
        """Different ones, in any order."""
        return self.random.sample(choices, min(len(choices), self.random.randint(least, most)))

    def whole(self, least: int, most: int) -> int:
        return self.random.randint(least, most)


def draws_from(random: Random) -> Draws:
    scale = random.choice((CLOCK, CALENDAR, CALENDAR, LONG))
    zone = random.choice(ZONES)
    if scale == CLOCK:
        zone, day = random.choice(TURNS)
        midnight = _midnight(date.fromisoformat(day), zone)
        instants = [midnight + timedelta(minutes=5 * random.randint(-24, 330)) for _ in range(random.randint(4, 9))]
        instants += [midnight + timedelta(hours=random.randint(-2, 27)) for _ in range(2)]
        days = [date.fromisoformat(day) + timedelta(days=n) for n in (-1, 0, 1)]
    else:
        known = [date.fromisoformat(d) for d in (WEEKS if scale == CALENDAR else YEARS).split()]
        chosen = [random.choice(known) for _ in range(random.randint(3, 10))]
        instants = [_midnight(day, random.choice((zone, *ZONES))) + random.choice(OFFSETS) for day in chosen]
        instants += [datetime.combine(random.choice(known), time(12), UTC) for _ in range(2)]
        days = random.sample(known, random.randint(3, 8))
    distinct = sorted(set(instants))
    return Draws(random, scale, tuple(days), tuple(distinct), zone)


def _midnight(day: date, zone: str) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)
