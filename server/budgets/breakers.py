"""The one object through which budgets are asked and told: by GraphQL, by the watch that acts on alerts, by tests."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from threading import Lock
from uuid import uuid4

from finance.budgets import Alert, Rule, Standing, Window
from server.budgets.coverage import cover
from server.budgets.decision import Answer, Wish, answer_of
from server.budgets.loaded import LoadedSpend, View
from server.budgets.standing import lines_of, standings_of
from server.budgets.told import read_back
from server.budgets.watch import Look
from store import Reader, Store, StoreError
from store.ledger import Books, Hold, HoldError, Ledger, ToldAlert
from store.ledger.money import rounded

STALE_S = 2.0
"""How old an answer to `mayISpend` may be, in seconds after new data was noticed."""
MOST_HOLDS = 10_000
TTL_S = 600
MOST_TTL_S = 86_400
MOST_MEMBERS = 1_000
KEPT = timedelta(days=100)
"""Longer than two months, the longest windows that are looked at."""
TELLING = timedelta(days=7)
"""An alert that nobody took for so long is not told any more; a new channel does not hear of last month."""


@dataclass(frozen=True, slots=True)
class BudgetState:
    """One budget in one window: where its members stand and what was told of them."""

    rule: Rule
    window: Window
    standings: list[Standing]
    """Nearest to their limit first, at most 1,000."""
    members: int
    """How many there are."""
    told: Sequence[ToldAlert]
    was_watched: bool
    armed: dict[str | None, frozenset[Decimal]]
    """Member -> thresholds that were told and are not re-armed."""


class Breakers:
    """Safe to use from many threads. The ledger is closed by whoever opened it."""

    def __init__(self, store: Store, ledger: Ledger, default: Rule | None = None, *, stale_s: float = STALE_S) -> None:
        self._store = store
        self._ledger = ledger
        self._loaded = LoadedSpend(store, ledger, default)
        self._stale_s = stale_s
        self._checking = Lock()
        self._checked_at = datetime(1970, 1, 1, tzinfo=UTC) + TELLING

    # --- where budgets stand

    def standings(self, now: datetime) -> list[Standing]:
        """Of all budgets and their members, in the running windows; of each budget the 1,000 nearest to its limit."""
        return [standing for state in self.budgets(now) for standing in state.standings]

    def budgets(self, now: datetime) -> list[BudgetState]:
        return self._states(self._loaded.view(now), now)

    def budgets_at(self, at: datetime, now: datetime, reader: Reader, timeout_ms: int) -> list[BudgetState]:
        """In the windows that contain another instant."""
        past = self._loaded.at(at, reader, timeout_ms)
        self._loaded.view(now)  # settlements that this version of the data has are marked with it
        return self._states(past, now)

    def changes(self) -> int:
        """Moves when a hold or an alert did, in this process; what is loaded moves the version of the data."""
        return self._ledger.commits()

    # --- what is told

    def check(self, now: datetime) -> list[Alert]:
        """Looks at every budget; the alerts that this gives are in the outbox when it returns, each once for ever."""
        with self._checking:
            view = self._loaded.view(now)
            self._checked_at = now
            with self._ledger.writing() as books:
                alerts = Look(books, view, now).all_budgets()
                books.alerts.forget(now - KEPT)
                books.holds.forget(now - KEPT)
        return alerts

    def undelivered(self, channel: str) -> list[Alert]:
        """Alerts that a channel has not taken, oldest first; none that was a week old at the last check."""
        with self._ledger.reading() as books:
            return [read_back(told) for told in books.alerts.undelivered(channel, self._checked_at - TELLING)]

    def delivered(self, alert_id: str, channel: str) -> None:
        with self._ledger.writing() as books:
            books.alerts.deliver(alert_id, channel)

    # --- whether a request fits

    def may(self, wish: Wish, now: datetime) -> Answer:
        """Whether it would fit at this instant. Nothing is held for it: another may take its place meanwhile."""
        view = self._loaded.view(now, stale_s=self._stale_s)
        with self._ledger.reading() as books:
            return self._answer(books, view, wish, now)

    def reserve(self, wish: Wish, now: datetime, ttl_s: int = TTL_S) -> tuple[Answer, Hold | None]:
        """Holds what the request may cost in every budget that is about it, or in none.

        Raises:
            HoldError: too many holds are open.
        """
        view = self._loaded.view(now)
        hold = Hold(
            hold_id=uuid4().hex,
            reserved_at=now,
            expires_at=now + timedelta(seconds=ttl_s),
            trigger=wish.trigger,
            agent=wish.agent,
            model=wish.model,
            session=wish.session,
            max_usd=None if wish.max_usd is None else rounded(wish.max_usd, up=True),
        )
        with self._ledger.writing() as books:
            answer = self._answer(books, view, wish, now)
            if not answer.is_allowed:
                return answer, None
            if books.holds.open_holds(now) >= MOST_HOLDS:
                raise HoldError("TOO_MANY_HOLDS", f"{MOST_HOLDS:,} holds are open; settle or release some of them")
            books.holds.add(hold)
        return answer, hold

    def settle(self, hold_id: str, actual_usd: Decimal, request_key: str | None, now: datetime) -> Hold:
        """The request has cost so much. Raises `HoldError` where the hold is not known or is settled otherwise."""
        with self._ledger.writing() as books:
            found = books.holds.find(hold_id, now)
            hold = books.holds.settle(found, rounded(actual_usd, up=False), request_key, now)
        self._cover(hold_id, now)
        return hold

    def release(self, hold_id: str, now: datetime) -> Hold:
        """The request came to nothing. Raises `HoldError` where the hold is not known."""
        with self._ledger.writing() as books:
            return books.holds.release(books.holds.find(hold_id, now), now)

    def _cover(self, hold_id: str, now: datetime) -> None:
        """A request may be loaded before it is settled. After the settlement was committed, so that no load between
        the two is missed; where the store cannot answer, the next version of the data is asked.
        """
        with suppress(StoreError), self._store.snapshot() as reader:
            cover(self._ledger, reader, now, hold_id)

    def _answer(self, books: Books, view: View, wish: Wish, now: datetime) -> Answer:
        is_stale = view.version < self._store.data_version()
        return answer_of(lines_of(books, view, wish, now), view.version, is_stale=is_stale)

    def _states(self, view: View, now: datetime) -> list[BudgetState]:
        with self._ledger.reading() as books:
            return [_state(books, view, rule, now) for rule in view.rules]


def _state(books: Books, view: View, rule: Rule, now: datetime) -> BudgetState:
    window = view.windows[rule.budget_id]
    watched = books.alerts.watched(rule.budget_id, window.starts_at)
    is_past = window.ends_at <= now
    limit = watched.limit_usd if watched is not None and is_past else None
    standings = standings_of(books, view, rule, window, now, limit_usd=limit)
    nearest = sorted(standings, key=lambda standing: (standing.limit_usd - standing.spent_usd, standing.member or ""))
    episodes = books.alerts.episodes(rule.budget_id, window.starts_at)
    return BudgetState(
        rule=rule,
        window=window,
        standings=nearest[:MOST_MEMBERS],
        members=len(standings),
        told=books.alerts.of_window(rule.budget_id, window.starts_at),
        was_watched=watched is not None,
        armed={member: row.told for member, row in episodes.items()},
    )
