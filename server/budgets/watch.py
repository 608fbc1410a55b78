"""One look at all budgets: which thresholds are to be told, which breakers have recovered. The ledger remembers both.

The running window is looked at, and the one before it, because spend is loaded late: but only where that window was
looked at while it ran, so that a first look tells nothing of yesterday.
"""

from dataclasses import dataclass
from datetime import datetime

from finance.budgets import Alert, Rule, Standing, Window
from finance.standings import state_of
from finance.thresholds import Episode, look
from server.budgets.loaded import View
from server.budgets.standing import standings_of
from server.budgets.told import alert_of, kept
from store.ledger import Alerts, Books, EpisodeRow


@dataclass(frozen=True, slots=True)
class Look:
    """At the budgets of one view, within one transaction of the ledger."""

    books: Books
    view: View
    now: datetime

    def all_budgets(self) -> list[Alert]:
        """New alerts, which are in the outbox once the transaction is committed."""
        alerts = [alert for rule in self.view.rules for alert in self._budget(rule)]
        self.books.alerts.end_all_but(rule.budget_id for rule in self.view.rules)
        return [alert for alert in alerts if self.books.alerts.add(kept(alert))]

    def _budget(self, rule: Rule) -> list[Alert]:
        kept_alerts, window, before = self.books.alerts, *self._windows(rule)
        kept_alerts.watch(rule.budget_id, window.starts_at, window.ends_at, rule.limit_usd)
        alerts = self._running(rule, window)
        watched = kept_alerts.watched(rule.budget_id, before.starts_at)
        if watched is not None:
            past = standings_of(self.books, self.view, rule, before, self.now, limit_usd=watched.limit_usd)
            alerts += self._told(rule, past, is_over=True)
        return alerts

    def _windows(self, rule: Rule) -> tuple[Window, Window]:
        return self.view.windows[rule.budget_id], self.view.before[rule.budget_id]

    def _running(self, rule: Rule, window: Window) -> list[Alert]:
        open_before = self.books.alerts.open_before(rule.budget_id, window.starts_at)
        known = self.books.alerts.episodes(rule.budget_id, window.starts_at)
        standings = standings_of(
            self.books, self.view, rule, window, self.now, also=(*open_before, *(m for m in known if m is not None))
        )
        alerts = self._told(rule, standings, is_over=False)
        by_member = {standing.member: standing for standing in standings}
        for member, was_told in open_before.items():
            self.books.alerts.end_before(rule.budget_id, member, window.starts_at)
            standing = by_member.get(member)
            if was_told and standing is not None and standing.state == "CLOSED":
                alerts.append(alert_of(standing, "RECOVERED", None, self.now, 0))
        return alerts

    def _told(self, rule: Rule, standings: list[Standing], *, is_over: bool) -> list[Alert]:
        if not standings:
            return []
        known = self.books.alerts.episodes(rule.budget_id, standings[0].window.starts_at)
        return [
            alert
            for standing in standings
            for alert in self._member(rule, standing, known.get(standing.member), is_over=is_over)
        ]

    def _member(self, rule: Rule, standing: Standing, row: EpisodeRow | None, *, is_over: bool) -> list[Alert]:
        before = None if row is None else Episode(row.limit_usd, row.is_open, row.told, row.times)
        step = look(rule, standing.spent_usd, before, standing.limit_usd)
        after = step.episode
        fresh = EpisodeRow(
            after.limit_usd, state_of(after.limit_usd, standing.spent_usd) == "OPEN", after.told, after.times, is_over
        )
        if fresh != row:
            _keep(self.books.alerts, standing, fresh)
        alerts = [alert_of(standing, "THRESHOLD", share, self.now, after.times[share]) for share in step.told]
        if step.has_closed and not is_over and row is not None and row.told:
            alerts.append(alert_of(standing, "RECOVERED", None, self.now, sum(after.times.values())))
        return alerts


def _keep(alerts: Alerts, standing: Standing, row: EpisodeRow) -> None:
    is_nothing = not row.told and not row.times and not row.is_open
    if not is_nothing or standing.member is None:
        alerts.keep_episode(standing.budget_id, standing.member, standing.window.starts_at, row)
