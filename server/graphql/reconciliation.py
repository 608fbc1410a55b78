"""The `reconciliation` field: what calls cost beside what providers billed for them, period by period."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Annotated, Any

import strawberry
from strawberry import Info

from finance import reconciliation as finance
from finance.pricing import rounded_usd
from semantic import QueryError
from server.graphql.context import Context
from server.graphql.fields import FINANCE, Inputs, RootField, given
from server.graphql.scalars import BigInt
from server.graphql.states import enum_of
from server.graphql.tabular import rows_of
from server.slices import check_unrestricted

MOST_PERIODS = 10_000

_PERIODS = f"""
SELECT *
FROM reconciliation_days
WHERE ($since IS NULL OR ends_on > $since)
    AND ($until IS NULL OR starts_on < $until)
    AND ($provider IS NULL OR provider = billing_name($provider))
ORDER BY starts_on, ends_on, provider NULLS LAST
LIMIT {MOST_PERIODS + 1}
"""
_UNDATED = """
SELECT count(*) AS calls, CASE WHEN count(*) = 0 THEN 0 ELSE sum(cost_usd) END AS usd
FROM request_facts
WHERE started_at IS NULL AND ($provider IS NULL OR billing_provider = billing_name($provider))
"""

ReconciliationState = enum_of(
    "ReconciliationState",
    finance.ReconciliationStatus,
    description="MATCH: within the tolerance; UNDER_COMPUTED, OVER_COMPUTED: the calls cost less, or more, than the "
    "bill says; PENDING: no bill covers the day yet; UNTRACKED: a bill without calls; INCLUDED: no bill, for a plan "
    "covers all calls.",
)
ResidualCause = enum_of(
    "ResidualCause",
    finance.CauseKind,
    description="ROUNDING: a match that is not exact; UNPRICED_CALLS; CALLS_WITHOUT_USAGE; INCLUDED_CALLS: computed "
    "with 0, `usd` is what they would have cost; PRICE_CHANGED: a price changed inside the period; NO_BILL; NO_CALLS; "
    "UNEXPLAINED: nothing that is known of the calls is behind it.",
)


@strawberry.type(description="Something that may be behind a difference.")
class ReconciliationCause:
    kind: ResidualCause  # type: ignore[valid-type]
    calls: BigInt | None = strawberry.field(description="Null where it is not about single calls.")
    usd: Decimal | None = strawberry.field(description="Null where nobody can say how much of the difference it is.")


@strawberry.type(description="What one provider's calls of a period cost, beside the bill for the same days.")
class ReconciliationRow:
    provider: str | None = strawberry.field(description="As bills of it are found; null where nobody says.")
    vendor: str | None = strawberry.field(description="As the bill names it.")
    starts_on: date = strawberry.field(description="UTC.")
    ends_on: date = strawberry.field(description="Exclusive. Bills whose days overlap are one period.")
    status: ReconciliationState  # type: ignore[valid-type]
    bills: BigInt
    calls: BigInt
    computed_usd: Decimal | None = strawberry.field(
        description="Null without calls, or where the cost of none is known; see isLowerBound."
    )
    is_lower_bound: bool = strawberry.field(
        description="Calls of unknown cost are in no amount: what is computed is a lower bound or null, drift an upper "
        "bound."
    )
    billed_usd: Decimal | None = strawberry.field(description="Null while no bill covers the day.")
    official_usd: Decimal | None = strawberry.field(
        description="The bill where there is one, else what the calls cost; null where neither is known."
    )
    drift_usd: Decimal | None = strawberry.field(description="Billed less computed; null without a bill.")
    drift_share: Decimal | None = strawberry.field(description="Drift / billed; null without a bill, or one over 0.")
    causes: list[ReconciliationCause]


@strawberry.type(description="The difference of one provider: a line of its own, never spread over calls or sessions.")
class ReconciliationResidual:
    label: str = strawberry.field(description="UNRECONCILED")
    provider: str | None
    usd: Decimal = strawberry.field(description="Billed less computed: added to the computed cost it gives the bill.")


@strawberry.type(description="Over all rows. A period with a bill is settled.")
class ReconciliationTotals:
    official_usd: Decimal | None = strawberry.field(description="Null where there are rows and none knows it.")
    computed_usd: Decimal | None = strawberry.field(description="Null where there are calls and no cost is known.")
    is_lower_bound: bool = strawberry.field(
        description="`unknownCalls` > 0: computed, pending and official are lower bounds, drift is an upper one."
    )
    billed_usd: Decimal
    settled_computed_usd: Decimal | None = strawberry.field(
        description="Computed for settled periods; null as `computedUsd` is."
    )
    net_drift_usd: Decimal = strawberry.field(description="Billed less computed; differences of either sign cancel.")
    absolute_drift_usd: Decimal = strawberry.field(description="The sizes of all differences: nothing cancels.")
    pending_usd: Decimal | None = strawberry.field(
        description="Computed for days that no bill covers; null as `computedUsd` is."
    )
    capture_share: Decimal | None = strawberry.field(description="Computed / billed; null where nothing was billed.")
    matched_share: Decimal | None = strawberry.field(
        description="Of what was billed, what computed cost covers period by period; null where nothing was billed."
    )
    unknown_calls: BigInt = strawberry.field(description="Calls of unknown cost.")
    undated_calls: BigInt = strawberry.field(description="Calls of unknown time: in no row, whatever is asked.")
    undated_usd: Decimal | None = strawberry.field(description="Null where the cost of none is known.")


@strawberry.type(description="Two accounts of the same money, compared and never added.")
class Reconciliation:
    rows: list[ReconciliationRow]
    totals: ReconciliationTotals
    residuals: list[ReconciliationResidual] = strawberry.field(description="One a provider with bills.")


def read_reconciliation(
    info: Info[Context, None],
    since: Annotated[
        date | None, strawberry.argument(description="Periods that end after the start of this day.")
    ] = None,
    until: Annotated[date | None, strawberry.argument(description="Periods that begin before this day.")] = None,
    provider: Annotated[
        str | None, strawberry.argument(description="As requests or bills name it, in any case.")
    ] = None,
) -> Reconciliation:
    """Whole periods: one that the range cuts is compared over its own days."""
    context = info.context
    check_unrestricted(context.planner, ("requests", "charges", "sessions"), context.caller)
    days = {"since": given(since), "until": given(until)}
    if days["since"] and days["until"] and days["until"] <= days["since"]:
        raise QueryError("EMPTY_RANGE", f"until {days['until']} must be after since {days['since']}")
    whose = {"provider": given(provider)}
    rows = rows_of(context, _PERIODS, days | whose)
    if len(rows) > MOST_PERIODS:
        raise QueryError("TOO_MANY", f"that is more than {MOST_PERIODS:,} periods; narrow since, until or provider")
    (undated,) = rows_of(context, _UNDATED, whose)
    compared = [_compared(row) for row in rows]
    return Reconciliation(
        rows=[_row(row, one) for row, one in zip(rows, compared, strict=True)],
        totals=_totals(finance.totals(compared), undated),
        residuals=[
            ReconciliationResidual(label="UNRECONCILED", provider=residual.provider, usd=residual.usd)
            for residual in finance.residuals(compared)
        ],
    )


def _compared(row: Mapping[str, Any]) -> finance.Compared:
    names = ("provider", "status", "computed_usd", "billed_usd", "calls", "unpriced_calls", "unmeasured_calls")
    more = ("included_calls", "included_list_usd", "price_changes")
    return finance.Compared(**{name: row[name] for name in (*names, *more)})


def _row(row: Mapping[str, Any], one: finance.Compared) -> ReconciliationRow:
    return ReconciliationRow(
        provider=one.provider,
        vendor=row["vendor"],
        starts_on=row["starts_on"],
        ends_on=row["ends_on"],
        status=ReconciliationState[one.status],
        bills=BigInt(row["bills"]),
        calls=BigInt(one.calls),
        computed_usd=one.computed_usd,
        is_lower_bound=bool(one.unknown_calls),
        billed_usd=one.billed_usd,
        official_usd=one.official_usd,
        drift_usd=one.drift_usd,
        drift_share=None if one.drift_share is None else rounded_usd(one.drift_share),
        causes=[
            ReconciliationCause(
                kind=ResidualCause[cause.kind],
                calls=None if cause.calls is None else BigInt(cause.calls),
                usd=cause.usd,
            )
            for cause in finance.causes(one)
        ],
    )


def _totals(found: finance.Totals, undated: Mapping[str, Any]) -> ReconciliationTotals:
    return ReconciliationTotals(
        official_usd=found.official_usd,
        computed_usd=found.computed_usd,
        is_lower_bound=bool(found.unknown_calls),
        billed_usd=found.billed_usd,
        settled_computed_usd=found.settled_computed_usd,
        net_drift_usd=found.net_drift_usd,
        absolute_drift_usd=found.absolute_drift_usd,
        pending_usd=found.pending_usd,
        capture_share=None if found.capture_share is None else rounded_usd(found.capture_share),
        matched_share=None if found.matched_share is None else rounded_usd(found.matched_share),
        unknown_calls=BigInt(found.unknown_calls),
        undated_calls=BigInt(undated["calls"]),
        undated_usd=undated["usd"],
    )


def _make(_: Inputs) -> Any:
    return strawberry.field(
        resolver=read_reconciliation,
        description="What calls cost beside what their providers billed, with what is behind each difference.",
    )


RECONCILIATION = RootField("reconciliation", _make, needs=("inference_cost", "provider_bills"), roles=FINANCE)
