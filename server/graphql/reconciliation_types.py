"""What the `reconciliation` field answers with: rows, totals, residuals, and what each side counted."""

from datetime import date, datetime
from decimal import Decimal
from typing import Literal

import strawberry

from finance import reconciliation as finance
from finance.accounts import FeesCountedAs
from finance.residual import CauseKind
from finance.volume import Missing
from server.graphql.scalars import BigInt
from server.graphql.states import enum_of

ReconciliationState = enum_of(
    "ReconciliationState",
    finance.ReconciliationStatus,
    description="MATCH: within the tolerance; UNDER_COMPUTED, OVER_COMPUTED: the calls cost less, or more, than the "
    "bill says; PENDING: no bill covers the day yet; UNTRACKED: a bill without calls; INCLUDED: no bill, for a plan "
    "covers all calls.",
)
ResidualCause = enum_of(
    "ResidualCause",
    CauseKind,
    description="UNRECORDED_TRAFFIC: the provider counted it, no source recorded it; CALLS_NOT_REPORTED: recorded, and "
    "the provider counted none of it; OTHER_DAYS: the same, of a day that the provider may still restate; "
    "CALLS_WITHOUT_USAGE; UNPRICED_CALLS; INCLUDED_CALLS: computed with 0 under a plan, and billed; PRICE_DIFFERENCE: "
    "the same tokens at another rate; FEES: for what is no token; CREDITS: what the provider takes off; ROUNDING: what "
    "is unexplained and within the tolerance; UNEXPLAINED: the accounts leave several answers, see `missing`.",
)
MissingAccount = enum_of(
    "MissingAccount",
    Missing,
    description="What would settle a difference. REPORTED_USAGE: the provider's own count of tokens for the days; "
    "REQUEST_COUNTS: how many calls it counted; USAGE_OF_CALLS: tokens of calls that were recorded without; PRICES: a "
    "price line; BILL_LINES: what the bill's money is for; MODEL_NAMES: which names on both sides mean one model; "
    "PLAN_OR_BILL: which calls a plan covers; FEES_IN_CALLS: whether the costs of single calls have fees in them; "
    "BILLED_APART: the bill for committed capacity; ONE_BILL: two sources, or one "
    "source under two names of an account, bill the same days, keep one of them.",
)
FeesCounted = enum_of(
    "FeesCountedAs",
    FeesCountedAs,
    description="Where burn and other sums of spend have the fees of a bill. FEES: as such; CALLS: in the cost of "
    "calls, which the provider states with them; CREDITS: in the use of credits. The others are in no sum, which is a "
    "lower bound then. FEES_IN_CALLS: calls of the provider whose cost somebody states, or whose price has a fee for "
    "each call, may have them; UNNAMED_CALLS: such calls without a provider or a time may; FEES_IN_CREDITS: the use "
    "of credits on some of the days may; FEES_IN_CHARGES: another charge of the provider on these days may, as one "
    "that you stated yourself; ONE_BILL: two sources, or one under two names of an account, bill the same days.",
)
Reporter = enum_of(
    "UsageReporter", Literal["GATEWAY", "METER"], description="Who counted calls beside the sources that record them."
)


@strawberry.type(description="A part of a difference; the causes of a row add up to `driftUsd` exactly.")
class ReconciliationCause:
    kind: ResidualCause  # type: ignore[valid-type]
    usd: Decimal = strawberry.field(description="Above 0 the bill has more, below 0 the calls.")
    model: str | None = strawberry.field(description="As the sides are matched; null where it is not of one model.")
    tokens: BigInt | None = strawberry.field(description="Null where it is not about tokens that somebody counted.")
    calls: BigInt | None = strawberry.field(description="Null where nobody counted them.")
    missing: MissingAccount | None = strawberry.field(  # type: ignore[valid-type]
        description="Of UNEXPLAINED: what would settle it."
    )


@strawberry.type(description="Calls and tokens, by kind. Null where who counted does not say.")
class TokenCount:
    calls: BigInt | None
    uncached_input_tokens: BigInt | None
    cache_read_tokens: BigInt | None
    cache_write_tokens: BigInt | None
    output_tokens: BigInt | None


@strawberry.type(description="What a gateway or a meter counted: compared with what was recorded, never added to it.")
class CountedElsewhere:
    reporter: Reporter  # type: ignore[valid-type]
    source: str
    meter: str | None = strawberry.field(
        description="What counted, where the source has several meters: they may have counted the same calls."
    )
    is_lower_bound: bool = strawberry.field(description="There may have been more: a meter that was not everywhere.")
    counted: TokenCount
    prompt_tokens: BigInt | None = strawberry.field(
        description="Of whole prompts; null where it tells what was cached from what was not."
    )
    missing_tokens_at_least: BigInt = strawberry.field(
        description="Tokens that it counted more than were recorded of this provider, kind by kind: at least so many "
        "are missing, or are calls of other days. In no amount."
    )
    missing_calls_at_least: BigInt | None = strawberry.field(description="Null where either side counts no calls.")


@strawberry.type(description="Fees on a bill: what is for no token, such as searches.")
class ReconciliationFees:
    usd: Decimal
    counted_as: FeesCounted  # type: ignore[valid-type]


@strawberry.type(description="One model of a row. Null where a side does not tell models apart.")
class ReconciliationModel:
    model: str | None = strawberry.field(
        description="As the sides are matched: lower case, without the date of a snapshot."
    )
    recorded: TokenCount | None
    reported: TokenCount | None = strawberry.field(description="By the provider.")
    computed_usd: Decimal | None = strawberry.field(description="Null without a call of known cost.")
    billed_usd: Decimal | None = strawberry.field(description="Its lines of the bill; null where it has none.")


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
    matched_usd: Decimal | None = strawberry.field(
        description="Of what was billed, what the computed cost of recorded calls explains: the bill less all causes "
        "above 0, and less the size of CALLS_NOT_REPORTED. Null without a bill, or with callsInDoubt."
    )
    matched_share: Decimal | None = strawberry.field(
        description="Matched / billed; null without a bill over 0, where the cost of no call is known, or with "
        "callsInDoubt."
    )
    calls_in_doubt: bool = strawberry.field(
        description="Calls cost more than was billed, and it is UNEXPLAINED: calls may be counted twice, so what of "
        "the bill is matched is not known. Look at these rows first."
    )
    causes: list[ReconciliationCause] = strawberry.field(
        description="What the drift consists of, exactly; none without a bill."
    )
    fees: list[ReconciliationFees] = strawberry.field(
        description="What of the bill is for no token, and where burn has it: the one part of a bill that is spend."
    )
    recorded: TokenCount = strawberry.field(description="Calls that sources recorded, and their tokens.")
    unpriced_calls: BigInt
    calls_without_usage: BigInt
    included_calls: BigInt = strawberry.field(description="Under a plan, computed with 0.")
    reported: TokenCount | None = strawberry.field(
        description="What the provider counted; null where no report that covers the period was loaded."
    )
    reported_at: datetime | None = strawberry.field(description="When that report was last read.")
    may_change: bool = strawberry.field(
        description="The report was read within three days of the period's end: its provider may still restate it."
    )
    counted_elsewhere: list[CountedElsewhere] = strawberry.field(description="By gateways and meters.")
    models: list[ReconciliationModel]


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
        description="Of what was billed, what recorded calls explain period by period: a ratio of sums. Null where "
        "nothing was billed. See matchedIsUpperBound."
    )
    matched_is_upper_bound: bool = strawberry.field(
        description="In some row calls are in doubt; the whole bill of such a row may be taken for matched."
    )
    unknown_calls: BigInt = strawberry.field(description="Calls of unknown cost.")
    undated_calls: BigInt = strawberry.field(description="Calls of unknown time: in no row, whatever is asked.")
    undated_usd: Decimal | None = strawberry.field(description="Null where the cost of none is known.")


@strawberry.type(description="All causes of one kind.")
class ReconciliationCauseTotal:
    kind: ResidualCause  # type: ignore[valid-type]
    usd: Decimal


@strawberry.type(description="Two accounts of the same money, compared and never added.")
class Reconciliation:
    rows: list[ReconciliationRow]
    totals: ReconciliationTotals
    causes: list[ReconciliationCauseTotal] = strawberry.field(
        description="Of all rows with a bill; they add up to `netDriftUsd`, and may cancel."
    )
    residuals: list[ReconciliationResidual] = strawberry.field(description="One a provider with bills.")
