"""What each request of a load costs: the price book first, then the price library for models that the book lacks.

A line taken from the library is stored with the request that needed it, so that a cost can be traced to its price.
"""

from collections.abc import Iterable
from datetime import datetime

from finance.pricing import PriceBook, bases_of
from loaders.price_library import library_prices
from store import Price, PricedRequest, Request
from store.checks import MAX_USD


class Costing:
    """Prices requests one after the other."""

    def __init__(self, lines: Iterable[Price], *, now: datetime) -> None:
        self._lines = list(lines)
        self._now = now
        self._known: set[tuple[str, str]] = {(line.provider, line.model) for line in self._lines}
        self._book = PriceBook(self._lines)

    def lines_for(self, request: Request) -> list[Price]:
        """The library's lines that a request needs and nobody has needed before; they are in the book from then on."""
        if request.provider is None or request.model is None or request.uncached_input_tokens is None:
            return []
        wanted = (request.provider, request.model)
        if wanted in self._known:
            return []
        self._known.add(wanted)
        found = library_prices({wanted}, now=self._now)
        if found:
            self._lines += found
            self._book = PriceBook(self._lines)
        return found

    def priced(self, request: Request) -> PricedRequest:
        return priced(request, self._book)


def priced(request: Request, book: PriceBook) -> PricedRequest:
    """A request with its cost on every basis. Raises `RecordError` where the cost cannot be stored.

    A call that was paid otherwise is stored whatever the book makes of its tokens: a list equivalent that is no money
    of ours is unknown.
    """
    bases = bases_of(request, book)
    cost = bases.cost
    parts = (bases.list_usd, bases.cache_read_usd, bases.cache_read_saving_usd, bases.cache_write_premium_usd)
    if any(part is not None and abs(part) > MAX_USD for part in parts):
        parts = (None, None, None, None)
    return PricedRequest(request, cost.usd, cost.status, cost.price_id, *parts)
