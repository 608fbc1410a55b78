"""What one model call costs, from its token counts and the dated lines of a price book.

Pure and exact: nothing here knows where usage is kept, and no amount passes through a binary float. What was billed
wins, then what a plan covers, then what the source reported, then tokens times the price in force; after that the cost
is unknown, which is `None` with a status and never zero. Beside the cost stands what the tokens are worth at list
price, whoever paid, and what the cache changed in that.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal, Protocol, cast

from finance.price_book import EXACT, LIBRARY_SOURCE, PLACES, PriceBook, PriceLine, Rates

__all__ = [
    "LIBRARY_SOURCE",
    "Bases",
    "Cost",
    "CostStatus",
    "PriceBook",
    "PriceLine",
    "Usage",
    "bases_of",
    "cost_of",
    "is_over_tier",
    "list_equivalent",
    "rounded_usd",
]

CostStatus = Literal["BILLED", "REPORTED", "INCLUDED", "PRICED", "UNPRICED", "MISSING_USAGE"]
_Tokens = tuple[int, ...]

_SMALLEST = Decimal(1).scaleb(-PLACES)
_NOTHING = Decimal(0)


class Usage(Protocol):
    """What pricing reads of a call; `store.records.Request` is one."""

    @property
    def provider(self) -> str | None: ...
    @property
    def model(self) -> str | None: ...
    @property
    def started_at(self) -> datetime | None: ...
    @property
    def uncached_input_tokens(self) -> int | None: ...
    @property
    def cache_read_tokens(self) -> int | None: ...
    @property
    def cache_write_5m_tokens(self) -> int | None: ...
    @property
    def cache_write_1h_tokens(self) -> int | None: ...
    @property
    def output_tokens(self) -> int | None: ...
    @property
    def billed_usd(self) -> Decimal | None: ...
    @property
    def reported_usd(self) -> Decimal | None: ...
    @property
    def is_included(self) -> bool: ...
    @property
    def scope(self) -> Literal["request", "session"]: ...
    @property
    def unpriced_part(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Cost:
    """The cost of one call; `usd` is None exactly where the status says why it is unknown."""

    usd: Decimal | None
    status: CostStatus
    price_id: str | None = None
    """The line of the book in force for the call, where the book was asked at all."""


@dataclass(frozen=True, slots=True)
class Bases:
    """One call on every basis. What is None is unknown, which is not zero."""

    cost: Cost
    list_usd: Decimal | None
    """What its tokens cost at the book's price, whoever paid."""
    cache_read_usd: Decimal | None
    """The part of it that is cache reads."""
    cache_read_saving_usd: Decimal | None
    """How much more the tokens that were read from the cache would have cost as uncached input."""
    cache_write_premium_usd: Decimal | None
    """How much less the tokens that were written to the cache would have cost as uncached input."""


def bases_of(usage: Usage, book: PriceBook, known_at: datetime | None = None) -> Bases:
    """The cost of a call, its list equivalent, and what the cache saved and cost of that.

    The cache is compared with the uncached input price of the same line and tier. What it saved and cost is unknown
    where the list equivalent is, and where a bucket that was used has no uncached price beside it.
    """
    listed, tokens, rates = _listed(usage, book, known_at)
    cost = _paid(usage) or listed
    if listed.usd is None or rates is None:
        return Bases(cost, None, None, None, None)
    _, read, write_5m, write_1h, _ = tokens
    reads = _total((read,), (rates.by_bucket[1],), rates) if read else _NOTHING
    saving = _total((read,), (rates.read_saving,), rates) if read else _NOTHING
    writes = (write_5m, write_1h)
    premium = _total(writes, (rates.write_5m_premium, rates.write_1h_premium), rates) if any(writes) else _NOTHING
    return Bases(cost, listed.usd, reads, saving, premium)


def cost_of(usage: Usage, book: PriceBook, known_at: datetime | None = None) -> Cost:
    """What the call cost the payer: billed, else included in a plan, else reported, else priced from its tokens."""
    return _paid(usage) or list_equivalent(usage, book, known_at)


def list_equivalent(usage: Usage, book: PriceBook, known_at: datetime | None = None) -> Cost:
    """What the tokens cost at the book's price, whoever paid: PRICED, UNPRICED or MISSING_USAGE.

    A call of which a part is sold at a price that no line can state is UNPRICED as a whole, whatever the line says. So
    is a total of calls where their price depends on how the tokens were spread over them.
    """
    return _listed(usage, book, known_at)[0]


def is_over_tier(usage: Usage, line: PriceLine) -> bool:
    """Whether the whole call takes the line's tier price: its prompt is over (not on) the threshold."""
    tokens = _tokens(usage)
    return tokens is not None and _is_over(tokens, line)


def rounded_usd(usd: Decimal) -> Decimal:
    """The amount with at most 12 decimal places, half to even; unchanged if it has no more."""
    rounded = EXACT.quantize(usd, _SMALLEST)
    return usd if rounded == usd else rounded


def _paid(usage: Usage) -> Cost | None:
    """The cost where somebody says it; None where it has to be priced."""
    if usage.billed_usd is not None:
        return Cost(usage.billed_usd, "BILLED")
    if usage.is_included:
        return Cost(_NOTHING, "INCLUDED")
    if usage.reported_usd is not None:
        return Cost(usage.reported_usd, "REPORTED")
    return None


def _listed(usage: Usage, book: PriceBook, known_at: datetime | None) -> tuple[Cost, _Tokens, Rates | None]:
    """The list equivalent, with the tokens and the rates of their tier where they were looked at."""
    line = book.in_force(usage.provider, usage.model, usage.started_at, known_at)
    price_id = None if line is None else line.price_id
    tokens = _tokens(usage)
    if tokens is None:
        return Cost(None, "MISSING_USAGE", price_id), (), None
    if line is None:
        return Cost(None, "UNPRICED"), (), None
    if usage.unpriced_part is not None or (usage.scope == "session" and _differs_by_call(tokens, line)):
        return Cost(None, "UNPRICED", price_id), (), None
    rates = book.rates(line, is_over=_is_over(tokens, line))
    usd = _total(tokens, rates.by_bucket, rates, rates.fee)
    return Cost(usd, "UNPRICED" if usd is None else "PRICED", price_id), tokens, rates


def _total(
    tokens: _Tokens, usd_each: tuple[Decimal | None, ...], rates: Rates, start: Decimal = _NOTHING
) -> Decimal | None:
    """None where a bucket that was used has no price."""
    usd = start
    for count, each in zip(tokens, usd_each, strict=True):
        if count:
            if each is None:
                return None
            usd = EXACT.fma(count, each, usd)
    return usd if rates.is_exact else rounded_usd(usd)


def _differs_by_call(tokens: _Tokens, line: PriceLine) -> bool:
    """Whether nobody can price the sum of some calls: each may be over the tier or below it, and each has a fee."""
    return _is_over(tokens, line) or line.per_call_fee != 0


def _is_over(tokens: _Tokens, line: PriceLine) -> bool:
    return line.tier_over is not None and sum(tokens[:-1]) > line.tier_over


def _tokens(usage: Usage) -> _Tokens | None:
    """The buckets in the order of the prices, output last; None where the source has no usage for the call."""
    buckets = (
        usage.uncached_input_tokens,
        usage.cache_read_tokens,
        usage.cache_write_5m_tokens,
        usage.cache_write_1h_tokens,
        usage.output_tokens,
    )
    return None if None in buckets else cast(_Tokens, buckets)
