"""The records that loaders write: one frozen class a table, and what a valid one looks like.

A record that exists is valid: constructing it checks it and raises `RecordError` with the field and what would be
right. Money is `Decimal` in USD, instants are aware UTC datetimes, days are dates. `None` means "the source does not
say", never zero. Several records with one key are evidence about one row; `store.merge` says which of them wins. Every
table's record is described here and nowhere else, which makes this the longest module of the store.
"""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Literal, get_args

from store.checks import RecordError, check

Scope = Literal["request", "session"]
RequestStatus = Literal["ok", "error", "aborted"]
Trigger = Literal["human", "cron", "subagent", "heartbeat", "webhook", "api", "unknown"]
Termination = Literal["success", "error", "timeout", "aborted", "lost", "unknown"]
ChargeCategory = Literal[
    "compute", "storage", "network", "software", "people", "inference", "other", "subscription", "credits"
]
"""A `subscription` is the fee of a plan that covers calls to its vendor; `credits` are bought before they are used."""
FlowKind = Literal["revenue", "funding", "expense", "other"]
BudgetScope = Literal["global", "agent", "model", "trigger", "session"]
BudgetPeriod = Literal["day", "week", "month"]
BudgetAction = Literal["alert", "block"]
AllocationPolicy = Literal["capacity", "busy_time", "even"]
"""By which sessions pay for infrastructure; `store/views/3_allocation.sql` says what each means."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One call to a model (`scope='request'`), or one line that totals all calls of a session (`scope='session'`).

    A session-scope row is counted only where the session has no request-scope rows (a total is merged with its parts,
    never added). Copies of one call share a `request_key`; the session that started first owns it.
    """

    request_key: str
    source: str
    scope: Scope = "request"
    session_id: str | None = None
    agent: str | None = None
    provider: str | None = None
    model: str | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    uncached_input_tokens: int | None = None
    """Disjoint from the cache buckets. All five buckets are None when the source has no usage for the call."""
    cache_read_tokens: int | None = None
    cache_write_5m_tokens: int | None = None
    cache_write_1h_tokens: int | None = None
    output_tokens: int | None = None
    """Reasoning included."""
    billed_usd: Decimal | None = None
    """What the provider charged; 0 means that the provider says it was free."""
    reported_usd: Decimal | None = None
    """The source's total for a run (session scope). Wins over nothing but an unknown cost."""
    estimated_usd: Decimal | None = None
    """The source's own estimate at its list price: kept for comparison, never used as the cost."""
    is_included: bool = False
    """Covered by a plan (subscription, OAuth): marginal cost 0 with status INCLUDED."""
    unpriced_part: str | None = None
    """What of the call has a price that no price line states, in a few words: 'audio input', 'flex tier'. A line would
    price it like the rest, so without a bill such a call is UNPRICED."""
    status: RequestStatus = "ok"
    owner_started_at: datetime | None = None
    """Start of the session in which this copy was found; the oldest one owns the call."""

    def __post_init__(self) -> None:
        check(self, required=("request_key", "source"))
        tokens = (
            self.uncached_input_tokens,
            self.cache_read_tokens,
            self.cache_write_5m_tokens,
            self.cache_write_1h_tokens,
            self.output_tokens,
        )
        if any(t is None for t in tokens) and any(t is not None for t in tokens):
            raise RecordError(f"Request {self.request_key}: give all five token buckets or none, got {tokens}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """What one piece of evidence (a transcript header, a store entry, a run log line) says about one agent run.

    Evidence about one `session_id` is merged: `trigger` and `termination` go to the higher confidence, then to the
    later `observed_at`; other fields to the latest evidence that states them; `started_at` to the earliest, `ended_at`
    to the latest. A session that no evidence terminates is running, and so is one that was seen at work after every end
    that is known of it.
    """

    session_id: str
    source: str
    observed_at: datetime | None = None
    """When this evidence was true; decides between two pieces of evidence of equal confidence."""
    agent: str | None = None
    parent_session_id: str | None = None
    trigger: Trigger | None = None
    trigger_rule: str | None = None
    """Which rule decided the trigger, in a few words: 'session key: cron', 'spawnedBy', 'mapping'."""
    trigger_confidence: int = 0
    """0 to 100."""
    task_class: str | None = None
    model: str | None = None
    """The model asked for; used where the session has no requests."""
    started_at: datetime | None = None
    ended_at: datetime | None = None
    termination: Termination | None = None
    """How it ended; 'unknown' for a session that has ended without saying how; None says nothing about the end."""
    termination_rule: str | None = None
    termination_confidence: int = 0
    is_running: bool = False
    """It was at work at `observed_at`: whatever was seen to end before that was not its end."""

    def __post_init__(self) -> None:
        check(self, required=("session_id", "source"))
        if self.started_at and self.ended_at and self.ended_at < self.started_at:
            raise RecordError(
                f"Session {self.session_id}: ended_at {self.ended_at.isoformat()} is before "
                f"started_at {self.started_at.isoformat()}"
            )
        if self.is_running and self.termination is not None:
            raise RecordError(f"Session {self.session_id}: one that is running has no end, got {self.termination!r}")
        for name in ("trigger_confidence", "termination_confidence"):
            if not 0 <= getattr(self, name) <= 100:
                raise RecordError(f"Session {self.session_id}: {name} must be 0 to 100, got {getattr(self, name)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a session achieved: a merged pull request, a resolved work item, an idle exit, a benchmark verdict."""

    outcome_id: str
    source: str
    session_id: str
    kind: str
    """Upper case, open set: PR_OPENED, PR_MERGED, ISSUE_CLOSED, WORKQ_RESOLVED, IDLE_EXIT, RUN, UNKNOWN."""
    is_success: bool | None = None
    """None while it is not decided (pending), and for an idle exit."""
    occurred_at: datetime | None = None
    """None counts as the end of the session."""
    undone_success_at: datetime | None = None
    """Of a reversal that has replaced the outcome that it took back: when that success had come."""

    def __post_init__(self) -> None:
        check(self, required=("outcome_id", "source", "session_id", "kind"))
        if self.kind != self.kind.upper() or not self.kind.replace("_", "").isalnum():
            raise RecordError(f"Outcome {self.outcome_id}: kind must be like PR_MERGED, got {self.kind!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """How good somebody found the work of a session, from 0 to 1; what the same scorer says later replaces it.

    It stands beside success and is multiplied into nothing.
    """

    session_id: str
    scorer: str
    """Who judged: a person, a program, a rubric."""
    score: Decimal
    source: str
    observed_at: datetime
    """When it was judged; of two judgements the later holds, of two at one instant the better one."""

    def __post_init__(self) -> None:
        check(self, required=("session_id", "scorer", "source"))
        if not 0 <= self.score <= 1:
            raise RecordError(f"Score {self.session_id}: score must be from 0 to 1, got {self.score}")
        if self.score != round(self.score, 12):
            raise RecordError(f"Score {self.session_id}: score must have at most 12 places, got {self.score}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """Money from a bill or a plan, for the days from `starts_on` up to but without `ends_on`."""

    charge_id: str
    source: str
    category: ChargeCategory
    amount_usd: Decimal
    """What the days cost, with what was paid beforehand spread over the use that it covers (accrual)."""
    starts_on: date
    ends_on: date
    vendor: str | None = None
    description: str | None = None
    billed_usd: Decimal | None = None
    """What the bill asks for (cash); None where the source has one view only. Never added to `amount_usd`."""
    part: str | None = None
    """The part of its source, such as a billing period of an account, that the source states as a whole each time."""
    credits: Decimal | None = None
    """Of category `credits`: how many were bought; None where the bill does not say."""

    def __post_init__(self) -> None:
        check(self, required=("charge_id", "source"))
        if self.category in ("subscription", "credits") and self.vendor is None:
            raise RecordError(f"Charge {self.charge_id}: a charge of category {self.category} must name its vendor")
        if self.credits is not None and (self.category != "credits" or self.credits <= 0):
            raise RecordError(
                f"Charge {self.charge_id}: credits is how many a charge of category credits bought, above 0, "
                f"got {self.credits} for category {self.category}"
            )
        if self.ends_on <= self.starts_on:
            raise RecordError(
                f"Charge {self.charge_id}: ends_on {self.ends_on} must be after starts_on {self.starts_on} "
                "(the end is the first day that is not charged)"
            )
        if (self.ends_on - self.starts_on).days > 3660:
            span = f"from {self.starts_on} to {self.ends_on}"
            raise RecordError(f"Charge {self.charge_id}: spans more than ten years, {span}")


@dataclass(frozen=True, slots=True, kw_only=True)
class CashBalance:
    """The closing balance of one account on one day."""

    account: str
    as_of_on: date
    balance_usd: Decimal
    source: str

    def __post_init__(self) -> None:
        check(self, required=("account", "source"))


@dataclass(frozen=True, slots=True, kw_only=True)
class CashFlow:
    """Money that comes in (positive) or goes out (negative) and that no request and no charge says.

    On one day, past or planned (`occurred_on`), or each month on `day_of_month` from `starts_on` up to but without
    `ends_on`; 31 in a shorter month is its last day.
    """

    flow_id: str
    source: str
    kind: FlowKind
    """Revenue lowers net burn, an expense is part of gross burn, funding is in neither; other goes by its sign."""
    amount_usd: Decimal
    occurred_on: date | None = None
    day_of_month: int | None = None
    starts_on: date | None = None
    ends_on: date | None = None
    """None for one that goes on."""
    account: str | None = None
    description: str | None = None
    part: str | None = None
    """The file that states it with all its others: one that is no longer there is no longer so."""

    def __post_init__(self) -> None:
        check(self, required=("flow_id", "source"))
        if self.kind in ("revenue", "funding") and self.amount_usd < 0:
            raise RecordError(
                f"CashFlow {self.flow_id}: {self.kind} is money in and positive, got {self.amount_usd}; "
                "money that is paid back is of kind other"
            )
        if self.kind == "expense" and self.amount_usd > 0:
            raise RecordError(
                f"CashFlow {self.flow_id}: an expense is money out and negative, got {self.amount_usd}; "
                "money that comes back is of kind other"
            )
        if (self.occurred_on is None) == (self.day_of_month is None):
            raise RecordError(f"CashFlow {self.flow_id}: give occurred_on, or day_of_month with starts_on")
        if self.day_of_month is None and (self.starts_on or self.ends_on):
            raise RecordError(f"CashFlow {self.flow_id}: starts_on and ends_on are of a flow with a day_of_month")
        if self.day_of_month is not None:
            self._check_recurrence(self.day_of_month)

    def _check_recurrence(self, day_of_month: int) -> None:
        if not 1 <= day_of_month <= 31:
            raise RecordError(f"CashFlow {self.flow_id}: day_of_month must be 1 to 31, got {day_of_month}")
        if self.starts_on is None:
            raise RecordError(f"CashFlow {self.flow_id}: a flow with a day_of_month needs starts_on")
        if not 1970 <= self.starts_on.year < 2100 or (self.ends_on is not None and self.ends_on.year > 2100):
            span = f"from {self.starts_on} to {self.ends_on}"
            raise RecordError(f"CashFlow {self.flow_id}: recurs within the years 1970 to 2100, got {span}")
        if self.ends_on is not None and self.ends_on <= self.starts_on:
            raise RecordError(
                f"CashFlow {self.flow_id}: ends_on {self.ends_on} must be after starts_on {self.starts_on} "
                "(the end is the first day on which it is no longer due)"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditUsage:
    """Credits that a vendor counted (characters, searches), for one use or for a day of use."""

    usage_id: str
    source: str
    vendor: str
    used_at: datetime
    credits: Decimal
    usd: Decimal | None = None
    """What the credits are worth; None where no price is known, which is not zero."""
    usd_rule: str | None = None
    """How `usd` came about, in a few words: 'plan price', 'list price', 'stated'."""
    session_id: str | None = None
    agent: str | None = None
    description: str | None = None
    observed_at: datetime | None = None
    """When a count that still grows was read: of two counts the later holds. None for a statement; the last holds."""

    def __post_init__(self) -> None:
        check(self, required=("usage_id", "source", "vendor"))
        if self.credits < 0:
            raise RecordError(f"CreditUsage {self.usage_id}: credits must be 0 or more, got {self.credits}")
        if (self.usd is None) != (self.usd_rule is None):
            raise RecordError(f"CreditUsage {self.usage_id}: usd and usd_rule are given together or not at all")


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditQuota:
    """How far the credits of a plan were used up at one instant."""

    vendor: str
    plan: str
    observed_at: datetime
    source: str
    used_credits: Decimal
    limit_credits: Decimal | None = None
    """None where the plan has no end."""
    starts_on: date | None = None
    """First day of the period that the fee is for."""
    resets_at: datetime | None = None
    """When the count begins anew."""
    fee_usd: Decimal | None = None
    """Of one period."""

    def __post_init__(self) -> None:
        check(self, required=("vendor", "plan", "source"))
        for name in ("used_credits", "limit_credits", "fee_usd"):
            if (value := getattr(self, name)) is not None and value < 0:
                raise RecordError(f"CreditQuota {self.vendor} {self.plan}: {name} must be 0 or more, got {value}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """A limit on spend: of everything, or of one member of a scope, in each day, week or month of a zone."""

    budget_id: str
    source: str
    limit_usd: Decimal
    scope: BudgetScope = "global"
    member: str | None = None
    """Which agent, model, trigger or session; None for `global`, or for each member on its own."""
    period: BudgetPeriod = "day"
    zone: str = "UTC"
    thresholds: tuple[Decimal, ...] = (Decimal("0.5"), Decimal("0.8"), Decimal(1))
    """Shares of the limit at which it alerts once."""
    action: BudgetAction = "alert"
    """What happens at the limit."""
    exempt_triggers: tuple[str, ...] = ()
    """Triggers that are never stopped."""
    unpriced_denied: tuple[str, ...] = ()
    """Triggers whose requests are refused while what they cost is unknown."""
    part: str | None = None
    """The file that states it with all its others: one that is no longer there is no longer in force."""

    def __post_init__(self) -> None:
        check(self, required=("budget_id", "source", "zone"))
        if self.limit_usd < 0:
            raise RecordError(f"Budget {self.budget_id}: limit_usd must be 0 or more, got {self.limit_usd}")
        if self.scope == "global" and self.member is not None:
            raise RecordError(f"Budget {self.budget_id}: a global budget has no member, got {self.member!r}")
        if not all(share.is_finite() and 0 < share <= 10 for share in self.thresholds):
            raise RecordError(f"Budget {self.budget_id}: thresholds are shares of the limit such as 0.8")
        for trigger in (*self.exempt_triggers, *self.unpriced_denied):
            if trigger not in get_args(Trigger):
                known = ", ".join(get_args(Trigger))
                raise RecordError(f"Budget {self.budget_id}: {trigger!r} is no trigger; there are {known}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """One dated line of the price book, in USD per million tokens; a line is never edited, only superseded.

    It is in force from `effective_from` up to but without `effective_to`. Where a request's prompt (uncached + cache
    read + cache writes) is over `tier_over` tokens, every token of that request takes the `tier_` price. A bucket
    without a price (None) makes a request that used it unpriced.
    """

    price_id: str
    source: str
    provider: str
    model: str
    effective_from: datetime
    effective_to: datetime | None = None
    input: Decimal | None = None
    cache_read: Decimal | None = None
    cache_write_5m: Decimal | None = None
    cache_write_1h: Decimal | None = None
    output: Decimal | None = None
    tier_over: int | None = None
    tier_input: Decimal | None = None
    tier_cache_read: Decimal | None = None
    tier_cache_write_5m: Decimal | None = None
    tier_cache_write_1h: Decimal | None = None
    tier_output: Decimal | None = None
    per_call_fee: Decimal = Decimal(0)
    known_at: datetime | None = None
    """When this line became known; of two lines in force at one instant the one known later wins."""
    reason: str | None = None
    """Why this line says other than what was known before; stands beside every cost that it restates."""

    def __post_init__(self) -> None:
        check(self, required=("price_id", "source", "provider", "model"))
        if self.effective_to is not None and self.effective_to <= self.effective_from:
            raise RecordError(
                f"Price {self.price_id}: effective_to {self.effective_to.isoformat()} must be after "
                f"effective_from {self.effective_from.isoformat()}"
            )


Record = (
    Request | Session | Outcome | Score | Charge | CashBalance | CashFlow | CreditUsage | CreditQuota | Budget | Price
)
