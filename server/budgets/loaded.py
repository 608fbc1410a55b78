"""What the data says was spent in the windows of the budgets, kept in memory for each version of the data.

Spend belongs to the window in which the request started, whenever it was loaded.
"""

import logging
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from threading import Lock, Thread

from finance.budgets import Rule, Scope, Window
from finance.windows import window_before
from server.budgets.coverage import cover
from server.budgets.rules import rules_in_force, windows_at
from store import Reader, Store, StoreError
from store.ledger import Ledger

TIMEOUT_MS = 5_000
_LOG = logging.getLogger(__name__)

_MEMBER: Mapping[Scope, str] = {
    "global": "NULL",
    "agent": "request.agent",
    "model": "request.model",
    "session": "request.session_id",
    "trigger": "coalesce(session.trigger, 'unknown')",
}
_SESSIONS = " LEFT JOIN session_facts AS session ON session.session_id = request.session_id"


@dataclass(frozen=True, slots=True)
class Spent:
    usd: Decimal = Decimal(0)
    """What is known."""
    unpriced_requests: int = 0


Spending = Mapping[str | None, Spent]
"""By member; None is everything, and only in the scope `global`."""
NOTHING = Spent()


@dataclass(frozen=True, slots=True)
class View:
    """The budgets in force, their windows and what was loaded of them, all of one version of the data."""

    version: int
    rules: tuple[Rule, ...]
    windows: Mapping[str, Window]
    """Budget -> the window that contains the instant of the view."""
    before: Mapping[str, Window]
    """Budget -> the window that ended there."""
    spending: Mapping[tuple[Scope, Window], Spending]

    def holds_at(self, now: datetime) -> bool:
        return all(window.starts_at <= now < window.ends_at for window in self.windows.values())

    def spent(self, rule: Rule, window: Window) -> Spending:
        return self.spending[rule.scope, window]


def view_at(reader: Reader, default: Rule | None, at: datetime, timeout_ms: int = TIMEOUT_MS) -> View:
    """Raises `QueryTimeout` where one of the questions took longer."""
    rules = rules_in_force(reader, default, timeout_ms)
    windows = windows_at(rules, at)
    before = {rule.budget_id: window_before(windows[rule.budget_id], rule.period, rule.zone) for rule in rules}
    asked = {(rule.scope, of[rule.budget_id]) for rule in rules for of in (windows, before)}
    spending = {(scope, window): _spending(reader, scope, window, timeout_ms) for scope, window in asked}
    return View(reader.data_version, rules, windows, before, spending)


def _spending(reader: Reader, scope: Scope, window: Window, timeout_ms: int) -> Spending:
    member = _MEMBER[scope]
    rows = reader.read(
        f"SELECT {member} AS member, coalesce(sum(request.cost_usd), 0),"
        " count(*) FILTER (WHERE request.cost_usd IS NULL)"
        f" FROM request_facts AS request{_SESSIONS if scope == 'trigger' else ''}"
        " WHERE request.started_at >= $since AND request.started_at < $until"
        f"{'' if scope == 'global' else f' AND {member} IS NOT NULL'} GROUP BY 1",
        {"since": _stored(window.starts_at), "until": _stored(window.ends_at)},
        timeout_ms=timeout_ms,
    ).rows
    return {_name(name): Spent(Decimal(str(usd)), int(str(unpriced))) for name, usd, unpriced in rows}


def _name(value: object) -> str | None:
    return None if value is None else str(value)


def _stored(at: datetime) -> datetime:
    """Instants in the store are UTC and say no zone."""
    return at.astimezone(UTC).replace(tzinfo=None)


class LoadedSpend:
    """The view of the newest data that was seen; safe to use from many threads."""

    def __init__(self, store: Store, ledger: Ledger, default: Rule | None) -> None:
        self._store = store
        self._ledger = ledger
        self._default = default
        self._view: View | None = None
        self._moved_at: float | None = None
        self._refreshing = Lock()

    def view(self, now: datetime, *, stale_s: float = 0) -> View:
        """Of the newest version; of an older one for at most `stale_s` after it was found to be old, or while the
        store cannot answer. Raises `StoreError` where it never could.
        """
        view = self._view
        if view is not None and view.holds_at(now):
            if view.version >= self._store.data_version():
                return view
            if self._is_fresh_enough(stale_s):
                self._refresh_meanwhile(now)
                return view
        return self._refreshed(now)

    def at(self, instant: datetime, reader: Reader, timeout_ms: int) -> View:
        """Of the windows that contain another instant; not kept."""
        return view_at(reader, self._default, instant, timeout_ms)

    def _is_fresh_enough(self, stale_s: float) -> bool:
        moved_at = self._moved_at
        if moved_at is None:
            self._moved_at = moved_at = time.monotonic()
        return time.monotonic() - moved_at < stale_s

    def _refresh_meanwhile(self, now: datetime) -> None:
        if not self._refreshing.locked():
            Thread(target=self._refresh_quietly, args=(now,), name="budgets").start()

    def _refresh_quietly(self, now: datetime) -> None:
        with suppress(StoreError):  # it was logged; whoever asks when the view has become too old will learn why
            self._refreshed(now)

    def _refreshed(self, now: datetime) -> View:
        with self._refreshing:
            view = self._view
            if view is not None and view.holds_at(now) and view.version >= self._store.data_version():
                return view
            try:
                with self._store.snapshot() as reader:
                    fresh = view_at(reader, self._default, now)
                    cover(self._ledger, reader, now)
            except StoreError as error:
                _LOG.warning("what was spent cannot be read anew: %s", error)
                if view is None or not view.holds_at(now):
                    raise
                return view
            self._view, self._moved_at = fresh, None
            return fresh


def members_of(rule: Rule, found: Iterable[str | None]) -> list[str | None]:
    """Whose limit it is: one, or each that has spent something in the window."""
    if rule.scope == "global" or rule.member is not None:
        return [rule.member]
    return [*sorted({name for name in found if name is not None})]
