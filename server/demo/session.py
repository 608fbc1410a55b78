"""What the plan consists of: sessions and their calls. Instants are epoch milliseconds, as OpenClaw keeps them."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Literal, NamedTuple

from server.demo.cast import Fate, Model, Trigger, Twist, Work
from server.demo.timetable import Channel, Job

MINUTE = 60_000
DAY = 24 * 60 * MINUTE
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Tokens(NamedTuple):
    """Disjoint buckets; the cache is written for five minutes."""

    input: int = 0
    cache_read: int = 0
    cache_write: int = 0
    output: int = 0

    @property
    def prompt(self) -> int:
        return self.input + self.cache_read + self.cache_write


class Call(NamedTuple):
    model: Model
    started_ms: int
    ended_ms: int
    tokens: Tokens
    stop: Literal["stop", "toolUse", "error", "aborted"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedSession:
    session_id: str
    agent: str
    key: str
    """As in `sessions.json`; for a cron job the rolling key."""
    trigger: Trigger
    work: Work
    fate: Fate
    twist: Twist
    started_ms: int
    ended_ms: int
    """The last sign of life where the session has not ended."""
    calls: tuple[Call, ...]
    settled_ms: int
    """When its outcome is decided: for a pull request hours to days after the end."""
    records_response_ids: bool
    """Whether the OpenClaw of that day wrote `responseId` at all."""
    job: Job | None = None
    channel: Channel | None = None
    spawned_by: "PlannedSession | None" = None
    forked_from: "PlannedSession | None" = None

    def pick(self, texts: tuple[str, ...], n: int = 0) -> str:
        """One of the texts, always the same one for a session and a number."""
        return texts[(int(self.session_id[:8], 16) + n) % len(texts)]


def midnight_ms(day: date) -> int:
    return (day - _EPOCH.date()).days * DAY


def iso(ms: int) -> str:
    """As JavaScript prints an instant: 2026-03-04T09:00:00.120Z."""
    return (_EPOCH + timedelta(milliseconds=ms)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
