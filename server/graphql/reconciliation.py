"""The `reconciliation` field: what calls cost beside what their providers billed for them, period by period."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Annotated, Any

import strawberry
from strawberry import Info

from finance import reconciliation as finance
from finance.price_book import PriceBook
from finance.residual import Cause, split
from semantic import QueryError
from server.graphql.accounts import PeriodAccounts, read_accounts, read_book
from server.graphql.context import Context
from server.graphql.cost import Weight
from server.graphql.fields import FINANCE, Inputs, RootField, given
from server.graphql.reconciliation_rows import row_of, totals_of
from server.graphql.reconciliation_types import (
    Reconciliation,
    ReconciliationCauseTotal,
    ReconciliationResidual,
    ResidualCause,
)
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
_TOLERANCE = "SELECT absolute_usd, share FROM tolerance"


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
    accounts = read_accounts(context, [(row["provider"], row["starts_on"], row["ends_on"]) for row in rows])
    compared = _compared(context, rows, accounts)
    return Reconciliation(
        rows=[row_of(row, one, known) for row, one, known in zip(rows, compared, accounts, strict=True)],
        totals=totals_of(finance.totals(compared), undated),
        causes=_by_kind(cause for one in compared for cause in one.causes),
        residuals=[
            ReconciliationResidual(label="UNRECONCILED", provider=residual.provider, usd=residual.usd)
            for residual in finance.residuals(compared)
        ],
    )


def _compared(
    context: Context, rows: Iterable[Mapping[str, Any]], accounts: Iterable[PeriodAccounts]
) -> list[finance.Compared]:
    (tolerance,) = rows_of(context, _TOLERANCE, {})
    book = read_book(context)
    return [_compared_one(row, known, book, tolerance) for row, known in zip(rows, accounts, strict=True)]


def _compared_one(
    row: Mapping[str, Any], known: PeriodAccounts, book: PriceBook, tolerance: Mapping[str, Any]
) -> finance.Compared:
    names = ("provider", "status", "computed_usd", "billed_usd", "calls", "unpriced_calls", "unmeasured_calls")
    more = ("included_calls", "included_list_usd", "price_changes")
    causes: tuple[Cause, ...] = ()
    if row["billed_usd"] is not None:
        within = max(tolerance["absolute_usd"], tolerance["share"] * abs(row["billed_usd"]))
        causes = split(known.for_split(book, within))
    return finance.Compared(**{name: row[name] for name in (*names, *more)}, causes=causes)


def _by_kind(causes: Iterable[Cause]) -> list[ReconciliationCauseTotal]:
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    for cause in causes:
        sums[cause.kind] += cause.usd
    kinds = [kind.name for kind in ResidualCause]
    return [ReconciliationCauseTotal(kind=ResidualCause[kind], usd=sums[kind]) for kind in kinds if kind in sums]


def _make(_: Inputs) -> Any:
    return strawberry.field(
        resolver=read_reconciliation,
        description="What calls cost beside what their providers billed, with the causes of each difference.",
    )


RECONCILIATION = RootField(
    "reconciliation", _make, needs=("inference_cost", "provider_bills"), roles=FINANCE, weight=Weight(per_value=20)
)
