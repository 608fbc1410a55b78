"""What was told of budgets: the windows that were watched, the thresholds that were told, alerts and who got them.

A threshold is marked as told in the transaction that puts its alert into the outbox. So a kill before the commit loses
neither, a kill after it repeats neither; a sender marks an alert as delivered when the other side has said so.
"""

import json
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Literal

from store.ledger.money import instant_number, instant_of

MOST_UNDELIVERED = 1_000


@dataclass(frozen=True, slots=True)
class EpisodeRow:
    """Thresholds as they are written in the budget, as decimals."""

    limit_usd: Decimal
    is_open: bool
    told: frozenset[Decimal]
    times: dict[Decimal, int] = field(default_factory=dict)
    is_over: bool = False
    """The breaker does not wait to recover from this window."""


@dataclass(frozen=True, slots=True)
class Watched:
    """A window of a budget that was looked at while it ran."""

    limit_usd: Decimal
    """When it was looked at last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldAlert:
    alert_id: str
    at: datetime
    kind: Literal["THRESHOLD", "RECOVERED"]
    budget_id: str
    member: str | None
    starts_at: datetime
    threshold: Decimal | None
    standing: str
    """JSON, as whoever told it wrote it."""


class Alerts:
    """What was told, within one transaction of the ledger."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def watched(self, budget_id: str, starts_at: datetime) -> Watched | None:
        found = self._connection.execute(
            "SELECT limit_usd FROM watched WHERE budget_id = ? AND starts_at = ?",
            (budget_id, instant_number(starts_at)),
        ).fetchone()
        return None if found is None else Watched(Decimal(found[0]))

    def watch(self, budget_id: str, starts_at: datetime, ends_at: datetime, limit_usd: Decimal) -> None:
        if self.watched(budget_id, starts_at) != Watched(limit_usd):
            self._connection.execute(
                "INSERT OR REPLACE INTO watched VALUES (?, ?, ?, ?)",
                (budget_id, instant_number(starts_at), instant_number(ends_at), str(limit_usd)),
            )

    def episodes(self, budget_id: str, starts_at: datetime) -> dict[str | None, EpisodeRow]:
        """Of one window, by member."""
        rows = self._connection.execute(
            "SELECT member, limit_usd, is_open, told, times, is_over FROM episodes"
            " WHERE budget_id = ? AND starts_at = ?",
            (budget_id, instant_number(starts_at)),
        )
        return {
            json.loads(member): EpisodeRow(
                Decimal(limit),
                bool(is_open),
                frozenset(map(Decimal, json.loads(told))),
                {Decimal(share): count for share, count in json.loads(times).items()},
                bool(is_over),
            )
            for member, limit, is_open, told, times, is_over in rows
        }

    def keep_episode(self, budget_id: str, member: str | None, starts_at: datetime, row: EpisodeRow) -> None:
        told, times = sorted(map(str, row.told)), {str(share): count for share, count in row.times.items()}
        values = (str(row.limit_usd), row.is_open, json.dumps(told), json.dumps(times), row.is_over)
        self._connection.execute(
            "INSERT OR REPLACE INTO episodes VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (budget_id, json.dumps(member), instant_number(starts_at), *values),
        )

    def open_before(self, budget_id: str, starts_at: datetime) -> dict[str | None, bool]:
        """Members whose breaker opened in an earlier window and has not recovered -> whether anything was told."""
        rows = self._connection.execute(
            "SELECT member, max(told <> '[]') FROM episodes"
            " WHERE budget_id = ? AND starts_at < ? AND is_open AND NOT is_over GROUP BY member",
            (budget_id, instant_number(starts_at)),
        )
        return {json.loads(member): bool(told) for member, told in rows}

    def end_before(self, budget_id: str, member: str | None, starts_at: datetime) -> None:
        """Earlier windows have no say any more in whether the breaker is open."""
        self._connection.execute(
            "UPDATE episodes SET is_over = 1 WHERE budget_id = ? AND member = ? AND starts_at < ? AND is_open",
            (budget_id, json.dumps(member), instant_number(starts_at)),
        )

    def end_all_but(self, budget_ids: Iterable[str]) -> None:
        """Breakers of budgets that are not in force any more wait for nothing."""
        self._connection.execute(
            "UPDATE episodes SET is_over = 1"
            " WHERE is_open AND NOT is_over AND budget_id NOT IN (SELECT value FROM json_each(?))",
            (json.dumps(list(budget_ids)),),
        )

    def add(self, alert: ToldAlert) -> bool:
        """False where it was told before."""
        added = self._connection.execute(
            "INSERT OR IGNORE INTO alerts VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                alert.alert_id,
                instant_number(alert.at),
                alert.kind,
                alert.budget_id,
                json.dumps(alert.member),
                instant_number(alert.starts_at),
                None if alert.threshold is None else str(alert.threshold),
                alert.standing,
            ),
        )
        return added.rowcount == 1

    def undelivered(self, channel: str, since: datetime) -> list[ToldAlert]:
        """Oldest first, at most 1,000."""
        rows = self._connection.execute(
            f"{_SELECT} WHERE at >= ? AND alert_id NOT IN (SELECT alert_id FROM deliveries WHERE channel = ?)"
            " ORDER BY at, threshold, alert_id LIMIT ?",
            (instant_number(since), channel, MOST_UNDELIVERED),
        )
        return [_alert(row) for row in rows]

    def of_window(self, budget_id: str, starts_at: datetime) -> list[ToldAlert]:
        """Oldest first."""
        rows = self._connection.execute(
            f"{_SELECT} WHERE budget_id = ? AND starts_at = ? ORDER BY at", (budget_id, instant_number(starts_at))
        )
        return [_alert(row) for row in rows]

    def deliver(self, alert_id: str, channel: str) -> None:
        self._connection.execute("INSERT OR IGNORE INTO deliveries VALUES (?, ?)", (alert_id, channel))

    def forget(self, before: datetime) -> None:
        """Windows that nobody asks for any more."""
        given: Mapping[str, int] = {"before": instant_number(before)}
        self._connection.execute("DELETE FROM watched WHERE ends_at < :before", given)
        self._connection.execute("DELETE FROM episodes WHERE starts_at < :before", given)
        self._connection.execute("DELETE FROM alerts WHERE at < :before", given)
        self._connection.execute("DELETE FROM deliveries WHERE alert_id NOT IN (SELECT alert_id FROM alerts)")


_SELECT = "SELECT alert_id, at, kind, budget_id, member, starts_at, threshold, standing FROM alerts"


def _alert(row: tuple[str, int, Literal["THRESHOLD", "RECOVERED"], str, str, int, str | None, str]) -> ToldAlert:
    alert_id, at, kind, budget_id, member, starts_at, threshold, standing = row
    return ToldAlert(
        alert_id=alert_id,
        at=instant_of(at),
        kind=kind,
        budget_id=budget_id,
        member=json.loads(member),
        starts_at=instant_of(starts_at),
        threshold=None if threshold is None else Decimal(threshold),
        standing=standing,
    )
