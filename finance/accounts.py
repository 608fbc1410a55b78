"""What three sides say of one period of a provider: the calls recorded, what the provider counted, what it billed.

Tokens are compared in four kinds: uncached input, cache read, cache write for whatever time (many sources do not say
for how long), output. Names of models are those by which the sides are matched.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, get_args

from finance.price_book import EXACT

TokenKind = Literal["uncached_input", "cache_read", "cache_write", "output"]
LineItem = Literal[TokenKind, "tokens", "fee", "credit"]
"""`tokens`: of several kinds; `fee`: for what is no token; `credit`: what the provider takes off."""
FeesCountedAs = Literal[
    "FEES", "CALLS", "CREDITS", "FEES_IN_CALLS", "UNNAMED_CALLS", "FEES_IN_CREDITS", "FEES_IN_CHARGES", "ONE_BILL"
]
"""Where sums of spend have the fees of a bill: as such, in the cost of calls, in the use of credits. Any other is why
nobody can say, and what they add is unknown. `store/views/4_bill_fees.sql` decides."""
KINDS: tuple[TokenKind, ...] = get_args(TokenKind)
Tokens = tuple[int, int, int, int]
NONE: Tokens = (0, 0, 0, 0)
UnitPrices = tuple[Decimal | None, Decimal | None, Decimal | None, Decimal | None]
"""USD for one token of each kind; None where nobody states a price."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """The recorded calls of one model. A call is in one of the kinds below; `computed_usd` is of `priced` ones."""

    model: str | None
    calls: int = 0
    """All of them. Where `hides_calls`, there may be more."""
    hides_calls: bool = False
    """One of the rows is a total of several calls."""
    priced: Tokens = NONE
    """Of calls with a known cost, outside plans."""
    computed_usd: Decimal = Decimal(0)
    unpriced: Tokens = NONE
    unpriced_calls: int = 0
    included: Tokens = NONE
    """Under a plan: computed with 0."""
    included_calls: int = 0
    unmeasured_calls: int = 0
    """Without usage, outside plans."""
    untold_calls: int = 0
    """Whose tokens are unknown and whose cost is known, or which a plan covers: nobody can compare their tokens."""

    @property
    def measured(self) -> Tokens:
        return added(self.priced, self.unpriced, self.included)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported:
    """What a provider counted of one model. A kind that its report does not have is None."""

    model: str | None
    tokens: tuple[int | None, int | None, int | None, int | None]
    requests: int | None = None
    is_billed_apart: bool = False
    """Some of it is of capacity that was committed to, which is on no line of this bill."""


@dataclass(frozen=True, slots=True)
class BillLine:
    """Money of a bill; what it is for is None where the bill does not say."""

    model: str | None
    item: LineItem | None
    usd: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Accounts:
    """One period. `reported` is None where no report covers it; an empty one says that there were no calls."""

    lines: Sequence[BillLine]
    recorded: Sequence[Recorded]
    reported: Sequence[Reported] | None
    is_one_bill: bool = True
    """Else the lines may be of one bill, told twice."""
    are_fees_in_calls: bool = False
    """The costs of calls are stated, and have the bill's fees in them, or may have."""
    may_change: bool = False
    """The provider may still restate what it counted."""
    prices: Mapping[str | None, UnitPrices]
    """The book's, for one token, by model: below the threshold of a tier."""
    tolerance_usd: Decimal = Decimal(0)
    """What may be left over for no other reason than rounding."""

    @property
    def billed_usd(self) -> Decimal:
        return sum((line.usd for line in self.lines), Decimal(0))

    @property
    def computed_usd(self) -> Decimal:
        return sum((one.computed_usd for one in self.recorded), Decimal(0))


def added(*counts: Tokens) -> Tokens:
    uncached, read, write, output = (sum(kind) for kind in zip(NONE, *counts, strict=True))
    return uncached, read, write, output


def beyond(counted: Sequence[int | None], recorded: Tokens, prompt: int | None = None) -> int:
    """How many tokens somebody counted more than were recorded, at least.

    Kinds of which he counted less make up for nothing, and one that he does not count says nothing. `prompt` is of a
    count of whole prompts, however they were cached.
    """
    kinds = [max(more - less, 0) if more is not None else 0 for more, less in zip(counted, recorded, strict=True)]
    whole = 0 if prompt is None else max(prompt - sum(recorded[:-1]), 0)
    return max(sum(kinds[:-1]), whole) + kinds[-1]


def valued(tokens: Tokens, prices: UnitPrices) -> Decimal | None:
    """USD, exact; None where tokens have no price."""
    usd = Decimal(0)
    for count, price in zip(tokens, prices, strict=True):
        if count:
            if price is None:
                return None
            usd = EXACT.fma(Decimal(count), price, usd)
    return usd
