"""Budgets in memory whose standings a test sets, and values to set them to."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from finance.budgets import Alert, Standing, Window
from store import StoreError

NOON = datetime(2026, 2, 20, 12, tzinfo=UTC)
MIDNIGHT = datetime(2026, 2, 20, tzinfo=UTC)


def standing(**fields: Any) -> Standing:
    day = Window("2026-02-20", MIDNIGHT, MIDNIGHT + timedelta(days=1))
    given: dict[str, Any] = {
        "budget_id": "daily",
        "scope": "global",
        "member": None,
        "window": day,
        "limit_usd": Decimal("5.00"),
        "spent_usd": Decimal("5.25"),
        "unpriced_requests": 0,
        "held_usd": Decimal(0),
        "state": "OPEN",
        "blocks": True,
    }
    return Standing(**{**given, **fields})


def closed(**fields: Any) -> Standing:
    return standing(**{"spent_usd": Decimal("0.17"), "state": "CLOSED", **fields})


def alert(alert_id: str = "daily/2026-02-20/1", **fields: Any) -> Alert:
    given: dict[str, Any] = {
        "alert_id": alert_id,
        "kind": "THRESHOLD",
        "standing": standing(),
        "threshold": Decimal(1),
        "at": NOON,
    }
    return Alert(**{**given, **fields})


@dataclass
class Box:
    """What `Budgets` asks for, kept in lists."""

    now_standing: list[Standing] = field(default_factory=list)
    coming: list[Alert] = field(default_factory=list)
    alerts: list[Alert] = field(default_factory=list)
    told: set[tuple[str, str]] = field(default_factory=set)
    is_broken: bool = False

    def standings(self, now: datetime) -> list[Standing]:
        if self.is_broken:
            raise StoreError("the store is closed")
        return [replace(one) for one in self.now_standing]

    def check(self, now: datetime) -> list[Alert]:
        if self.is_broken:
            raise StoreError("the store is closed")
        new, self.coming = self.coming, []
        self.alerts += new
        return new

    def undelivered(self, channel: str) -> list[Alert]:
        return [one for one in self.alerts if (one.alert_id, channel) not in self.told]

    def delivered(self, alert_id: str, channel: str) -> None:
        self.told.add((alert_id, channel))


def wait_until(is_so: Callable[[], bool], patience_s: float = 20.0) -> None:
    deadline = time.monotonic() + patience_s
    while not is_so():
        assert time.monotonic() < deadline, f"it was not so within {patience_s:.0f} s"
        time.sleep(0.01)


@dataclass
class Ticking:
    """A clock that stands still until a test moves it."""

    seconds: float = 1000.0

    def __call__(self) -> float:
        return self.seconds
