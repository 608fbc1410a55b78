"""Rows and totals of the `reconciliation` field, from what was compared."""

from collections.abc import Mapping, Sequence
from datetime import UTC
from decimal import Decimal
from typing import Any

from finance import reconciliation as finance
from finance.accounts import Reported, Tokens, added, beyond
from finance.pricing import rounded_usd
from finance.residual import Cause
from server.graphql.accounts import Counted, PeriodAccounts
from server.graphql.reconciliation_types import (
    CountedElsewhere,
    FeesCounted,
    MissingAccount,
    ReconciliationCause,
    ReconciliationFees,
    ReconciliationModel,
    ReconciliationRow,
    ReconciliationState,
    ReconciliationTotals,
    Reporter,
    ResidualCause,
    TokenCount,
)
from server.graphql.scalars import BigInt


def row_of(row: Mapping[str, Any], one: finance.Compared, known: PeriodAccounts) -> ReconciliationRow:
    measured = added(*(recorded.measured for recorded in known.recorded))
    has_count = not any(recorded.hides_calls for recorded in known.recorded)
    calls = one.calls if has_count else None
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
        drift_share=_rounded(one.drift_share),
        matched_usd=one.matched_usd,
        matched_share=_rounded(one.matched_share),
        calls_in_doubt=one.has_doubted_calls,
        causes=[_cause(cause) for cause in one.causes],
        fees=[ReconciliationFees(usd=usd, counted_as=FeesCounted[name]) for name, usd in sorted(known.fees.items())],
        recorded=_token_count(calls, measured),
        unpriced_calls=BigInt(one.unpriced_calls),
        calls_without_usage=BigInt(one.unmeasured_calls),
        included_calls=BigInt(one.included_calls),
        reported=None if known.reported is None else _reported(known.reported),
        reported_at=None if known.reported_at is None else known.reported_at.replace(tzinfo=UTC),
        may_change=known.may_change,
        counted_elsewhere=[_counted(counted, measured, calls) for counted in known.counted],
        models=_models(known),
    )


def totals_of(found: finance.Totals, undated: Mapping[str, Any]) -> ReconciliationTotals:
    return ReconciliationTotals(
        official_usd=found.official_usd,
        computed_usd=found.computed_usd,
        is_lower_bound=bool(found.unknown_calls),
        billed_usd=found.billed_usd,
        settled_computed_usd=found.settled_computed_usd,
        net_drift_usd=found.net_drift_usd,
        absolute_drift_usd=found.absolute_drift_usd,
        pending_usd=found.pending_usd,
        capture_share=_rounded(found.capture_share),
        matched_share=_rounded(found.matched_share),
        matched_is_upper_bound=found.is_matched_at_most,
        unknown_calls=BigInt(found.unknown_calls),
        undated_calls=BigInt(undated["calls"]),
        undated_usd=undated["usd"],
    )


def _rounded(share: Decimal | None) -> Decimal | None:
    return None if share is None else rounded_usd(share)


def _cause(cause: Cause) -> ReconciliationCause:
    return ReconciliationCause(
        kind=ResidualCause[cause.kind],
        usd=cause.usd,
        model=cause.model,
        tokens=_big(cause.tokens),
        calls=_big(cause.calls),
        missing=None if cause.missing is None else MissingAccount[cause.missing],
    )


def _models(known: PeriodAccounts) -> list[ReconciliationModel]:
    """All that one of the sides names. What a bill asks for without naming a model is of no model."""
    recorded = {one.model: one for one in known.recorded}
    reported = {one.model: one for one in known.reported or ()}
    billed: dict[str | None, Decimal] = {}
    for line in known.lines:
        billed[line.model] = billed.get(line.model, Decimal(0)) + line.usd
    names = sorted({*recorded, *reported, *billed}, key=lambda name: (name is None, name or ""))
    return [
        ReconciliationModel(
            model=name,
            recorded=_token_count(None if ours.hides_calls else ours.calls, ours.measured) if ours else None,
            reported=_token_count(theirs.requests, theirs.tokens) if theirs else None,
            computed_usd=ours.computed_usd if ours and any(ours.priced) else None,
            billed_usd=billed.get(name),
        )
        for name in names
        for ours, theirs in [(recorded.get(name), reported.get(name))]
    ]


def _reported(reported: Sequence[Reported]) -> TokenCount:
    calls = [one.requests for one in reported]
    counts = [_total([one.tokens[n] for one in reported]) for n in range(4)]
    return _token_count(_total(calls), counts)


def _counted(counted: Counted, measured: Tokens, calls: int | None) -> CountedElsewhere:
    both = None if counted.requests is None or calls is None else max(counted.requests - calls, 0)
    return CountedElsewhere(
        reporter=Reporter[counted.reporter.upper()],
        source=counted.source,
        meter=counted.meter,
        prompt_tokens=_big(counted.prompt),
        is_lower_bound=counted.is_lower_bound,
        counted=_token_count(counted.requests, counted.tokens),
        missing_tokens_at_least=BigInt(beyond(counted.tokens, measured, counted.prompt)),
        missing_calls_at_least=_big(both),
    )


def _token_count(calls: int | None, tokens: Sequence[int | None]) -> TokenCount:
    uncached, read, write, output = map(_big, tokens)
    return TokenCount(
        calls=_big(calls),
        uncached_input_tokens=uncached,
        cache_read_tokens=read,
        cache_write_tokens=write,
        output_tokens=output,
    )


def _total(counts: Sequence[int | None]) -> int | None:
    """None where one of them is unknown."""
    return None if None in counts else sum(count or 0 for count in counts)


def _big(count: int | None) -> BigInt | None:
    return None if count is None else BigInt(count)
