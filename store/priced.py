"""A request with its cost. Pricing is arithmetic and lives elsewhere; the store keeps what came of it."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from store.checks import MAX_USD, RecordError
from store.records import Request

CostStatus = Literal["BILLED", "REPORTED", "INCLUDED", "PRICED", "UNPRICED", "MISSING_USAGE"]

KNOWLEDGE: tuple[CostStatus, ...] = ("MISSING_USAGE", "UNPRICED", "PRICED", "INCLUDED", "REPORTED", "BILLED")
"""From knowing least to knowing best what a request cost; decides between two copies of one usage."""


@dataclass(frozen=True, slots=True)
class PricedRequest:
    request: Request
    cost_usd: Decimal | None
    """None where it is unknown, which is not zero."""
    cost_status: CostStatus
    price_id: str | None = None
    """The line of the price book that it was computed with, if it was."""
    list_usd: Decimal | None = None
    """What its tokens cost at the book's price, whoever paid; None where that is unknown."""
    cache_read_usd: Decimal | None = None
    """What of that is the tokens that came from the cache."""
    cache_read_saving_usd: Decimal | None = None
    """How much more the tokens that came from the cache would have cost as uncached input, at that price."""
    cache_write_premium_usd: Decimal | None = None
    """How much less the tokens that were put into the cache would have cost as uncached input, at that price."""

    def __post_init__(self) -> None:
        is_unknown = self.cost_status in ("UNPRICED", "MISSING_USAGE")
        if is_unknown != (self.cost_usd is None):
            raise RecordError(
                f"Request {self.request.request_key}: a cost that is {self.cost_status} must "
                f"{'be None' if is_unknown else 'be an amount'}, got {self.cost_usd}"
            )
        listed = (self.list_usd, self.cache_read_usd, self.cache_read_saving_usd, self.cache_write_premium_usd)
        for usd in (self.cost_usd, *listed):
            if usd is not None and not (usd.is_finite() and abs(usd) <= MAX_USD):
                raise RecordError(
                    f"Request {self.request.request_key}: its cost must be an amount below {MAX_USD:.0e} USD, "
                    f"got {usd}; a count of its tokens or a price is wrong"
                )
