"""Money that no single call says: bills, balances, flows, credits, budgets and the price book."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Literal, get_args

from store.checks import RecordError, check
from store.records.calls import Trigger

ChargeCategory = Literal[
    "compute", "storage", "network", "software", "people", "inference", "other", "subscription", "credits"
]
"""A `subscription` is the fee of a plan that covers calls to its vendor; `credits` are bought before they are used."""
ChargeItem = Literal["uncached_input", "cache_read", "cache_write", "output", "tokens", "fee", "credit"]
"""What a line of a bill for inference is for: one kind of token (`cache_write` for whatever time), tokens of several
kinds, something that is no token (a search, a run of code), or a credit that the provider takes off."""
FlowKind = Literal["revenue", "funding", "expense", "other"]
BudgetScope = Literal["global", "agent", "model", "trigger", "session"]
BudgetPeriod = Literal["day", "week", "month"]
BudgetAction = Literal["alert", "block"]
AllocationPolicy = Literal["capacity", "busy_time", "even"]
"""By which sessions pay for infrastructure; `store/views/3_allocation.sql` says what each means."""


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
    model: str | None = None
    """Of category `inference`: the model, where the line is for one."""
    line_item: ChargeItem | None = None
    """Of category `inference`: what the line is for; None where the bill does not say."""

    def __post_init__(self) -> None:
        check(self, required=("charge_id", "source"))
        if self.category in ("subscription", "credits") and self.vendor is None:
            raise RecordError(f"Charge {self.charge_id}: a charge of category {self.category} must name its vendor")
        if self.credits is not None and (self.category != "credits" or self.credits <= 0):
            raise RecordError(
                f"Charge {self.charge_id}: credits is how many a charge of category credits bought, above 0, "
                f"got {self.credits} for category {self.category}"
            )
        if self.category != "inference" and (self.model, self.line_item) != (None, None):
            raise RecordError(
                f"Charge {self.charge_id}: model and line_item are of charges of category inference, got "
                f"{self.category}"
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
