"""Where budgets stand: what is loaded, what the ledger adds to it, and what a limit makes of both."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from finance.budgets import Rule, Standing, Window
from finance.standings import standing_of
from server.budgets.decision import Line, Wish, line_of
from server.budgets.loaded import NOTHING, View, members_of
from store.ledger import Books, Committed


def standings_of(
    books: Books,
    view: View,
    rule: Rule,
    window: Window,
    now: datetime,
    *,
    also: Iterable[str | None] = (),
    limit_usd: Decimal | None = None,
) -> list[Standing]:
    """One for each member that has spent or holds something in the window, or is named in `also`."""
    loaded = view.spent(rule, window)
    added = books.holds.committed_by_member(rule.scope, window.starts_at, window.ends_at, now=now, version=view.version)
    return [
        standing_of(
            rule,
            member,
            window,
            now,
            spent_usd=loaded.get(member, NOTHING).usd + added.get(member, Committed()).settled_usd,
            unpriced_requests=loaded.get(member, NOTHING).unpriced_requests,
            held_usd=added.get(member, Committed()).held_usd,
            limit_usd=limit_usd,
        )
        for member in members_of(rule, (*loaded, *added, *also))
    ]


def lines_of(books: Books, view: View, wish: Wish, now: datetime) -> list[Line]:
    """What every budget that is about a request says to it."""
    return [_line(books, view, rule, wish, now) for rule in view.rules if wish.is_about(rule)]


def _line(books: Books, view: View, rule: Rule, wish: Wish, now: datetime) -> Line:
    window, member = view.windows[rule.budget_id], wish.member(rule)
    loaded = view.spent(rule, window).get(member, NOTHING)
    added = books.holds.committed(
        rule.scope, window.starts_at, window.ends_at, now=now, version=view.version, member=member
    )
    return line_of(
        rule,
        wish,
        window,
        spent_usd=loaded.usd + added.settled_usd,
        held_usd=added.held_usd,
        unpriced_requests=loaded.unpriced_requests,
    )
