"""Where budgets stand, in the text format of Prometheus (exposition format 0.0.4), for a scrape or a text file.

What is not known has no number: a sample is left out, or NaN where a dashboard expects the series. The three gauges
`openclaw_...` keep the names of the shell script that wrote them before; they are about the daily budget of everything.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import ROUND_HALF_EVEN, Context, Decimal

from finance.budgets import Standing
from server.alerts.words import one_line
from server.budgets.standing_json import plain

MOST_SERIES = 200
"""Budgets and members that are shown; those nearest to their limit come first."""
DAILY = "daily"
_DAY = timedelta(hours=20), timedelta(hours=28)
"""Between these a window is a day, whatever the clocks do in it."""
_EXACT = Context(prec=60, rounding=ROUND_HALF_EVEN)
_PLACES = Decimal("1e-12")
Value = Decimal | int | None


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of the alerts of one channel."""

    channel: str
    is_working: bool
    waiting: int


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What one look at the budgets gave."""

    standings: tuple[Standing, ...]
    at: datetime
    deliveries: tuple[Delivery, ...] = ()
    error: str | None = None
    """Why there are no standings; None where there are."""


@dataclass(slots=True)
class _Page:
    lines: list[str] = field(default_factory=list)

    def gauge(self, name: str, meaning: str, samples: Iterable[tuple[dict[str, str], Value]]) -> None:
        shown = [f"{name}{_labels(labels)} {_number(value)}" for labels, value in samples]
        if shown:
            self.lines += [f"# HELP {name} {meaning}", f"# TYPE {name} gauge", *shown]


def exposition(evaluation: Evaluation) -> str:
    """The whole page; it ends with a line feed."""
    page = _Page()
    page.gauge(
        "clawback_budget_evaluation_success",
        "Whether the budgets could be evaluated; where not, nothing is said of them.",
        [({}, int(evaluation.error is None))],
    )
    page.gauge(
        "clawback_budget_evaluated_timestamp_seconds",
        "When the budgets were evaluated.",
        [({}, int(evaluation.at.timestamp()))],
    )
    _daily(page, evaluation.standings)
    _budgets(page, evaluation.standings)
    _deliveries(page, evaluation.deliveries)
    return "\n".join(page.lines) + "\n"


def daily_budget(standings: Iterable[Standing]) -> Standing | None:
    """The budget of everything for a day: the one called daily, else the lowest; None where there is none."""
    days = [s for s in standings if s.scope == "global" and _DAY[0] <= s.window.ends_at - s.window.starts_at <= _DAY[1]]
    return min(days, key=lambda s: (s.budget_id != DAILY, s.limit_usd, s.budget_id), default=None)


def _daily(page: _Page, standings: Iterable[Standing]) -> None:
    daily = daily_budget(standings)
    if daily is None:
        return
    cost = "Known cost of today's requests in USD; NaN where requests were made and the cost of none is known."
    page.gauge("openclaw_daily_cost_usd", cost, [({}, _known_spent(daily))])
    page.gauge("openclaw_budget_max_usd", "The daily budget in USD.", [({}, daily.limit_usd)])
    exceeded = "1 where the daily budget is used up, else 0."
    page.gauge("openclaw_budget_exceeded", exceeded, [({}, int(daily.state == "OPEN"))])
    unpriced = "Today's requests whose cost is unknown: where there are any, the daily cost is a lower bound."
    page.gauge("clawback_unpriced_requests", unpriced, [({}, daily.unpriced_requests)])


def _budgets(page: _Page, standings: Sequence[Standing]) -> None:
    ranked = by_nearness(_newest(standings))
    shown = ranked[:MOST_SERIES]

    def gauge(name: str, meaning: str, read: Callable[[Standing], Value]) -> None:
        page.gauge(f"clawback_budget_{name}", meaning, [(_labels_of(s), read(s)) for s in shown])

    gauge("limit_usd", "The limit of a budget for its window.", lambda s: s.limit_usd)
    spent = "Known cost in the window; NaN where no cost is known. A lower bound beside unpriced requests."
    gauge("spent_usd", spent, _known_spent)
    shares = [(_labels_of(s), used_share(s)) for s in shown if s.limit_usd and _known_spent(s) is not None]
    page.gauge("clawback_budget_used_share", "Known cost / limit; absent for a limit of 0.", shares)
    gauge("held_usd", "Reserved by requests that are in flight.", lambda s: s.held_usd)
    gauge("open", "1 where the limit is reached, else 0.", lambda s: int(s.state == "OPEN"))
    gauge("blocks", "1 where requests are stopped at the limit, 0 where it is only told.", lambda s: int(s.blocks))
    gauge("unpriced_requests", "Requests in the window whose cost is unknown.", lambda s: s.unpriced_requests)
    ends = "When the window ends and the next one begins."
    gauge("window_end_timestamp_seconds", ends, lambda s: int(s.window.ends_at.timestamp()))
    projected = [(_labels_of(s), s.projected_usd) for s in shown if s.projected_usd is not None]
    page.gauge("clawback_budget_projected_usd", "Cost at the window's end, at the pace so far.", projected)
    hidden = f"Budgets and members beyond the {MOST_SERIES} that are shown."
    page.gauge("clawback_budget_series_left_out", hidden, [({}, len(ranked) - len(shown))])


def _deliveries(page: _Page, deliveries: Iterable[Delivery]) -> None:
    named = [({"channel": one_line(d.channel)}, d) for d in deliveries]
    waiting = "Alerts that a channel has not taken yet."
    page.gauge("clawback_alerts_waiting", waiting, [(labels, d.waiting) for labels, d in named])
    working = "Whether the last attempt of a channel succeeded."
    page.gauge("clawback_alert_channel_up", working, [(labels, int(d.is_working)) for labels, d in named])


def _newest(standings: Iterable[Standing]) -> list[Standing]:
    """One standing for each budget and member: two samples with the same labels are no page."""
    newest: dict[tuple[str, ...], Standing] = {}
    for standing in sorted(standings, key=lambda s: s.window.starts_at):
        newest[tuple(_labels_of(standing).values())] = standing
    return list(newest.values())


def by_nearness(standings: Iterable[Standing]) -> list[Standing]:
    """Those over their limit first, then those nearest to it."""
    return sorted(standings, key=_nearness)


def used_share(standing: Standing) -> Decimal | None:
    """Spent / limit, to 12 places; None for a limit of 0."""
    limit = standing.limit_usd
    return _EXACT.quantize(_EXACT.divide(standing.spent_usd, limit), _PLACES) if limit else None


def _nearness(standing: Standing) -> tuple[bool, Decimal, str, str]:
    share = used_share(standing)
    return standing.state != "OPEN", -(standing.spent_usd if share is None else share), *_names(standing)


def _names(standing: Standing) -> tuple[str, str]:
    return standing.budget_id, standing.member or ""


def _known_spent(standing: Standing) -> Decimal | None:
    is_unknown = standing.unpriced_requests > 0 and standing.spent_usd == 0
    return None if is_unknown else standing.spent_usd


def _labels_of(standing: Standing) -> dict[str, str]:
    member = "" if standing.member is None else one_line(standing.member)
    return {"budget": one_line(standing.budget_id), "scope": standing.scope, "member": member}


def _labels(labels: dict[str, str]) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items()) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def _number(value: Value) -> str:
    if value is None:
        return "NaN"
    return plain(value) if isinstance(value, Decimal) else str(value)
