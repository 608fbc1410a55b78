"""What each request of a load costs: the price book first, then the price library for models that the book lacks.

A line taken from the library is stored with the request that needed it, so that a cost can be traced to its price.
"""

from collections.abc import Iterable
from datetime import datetime

from finance.pricing import Cost, PriceBook, cost_of
from loaders.price_library import library_prices
from store import Price, Request


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

    def cost_of(self, request: Request) -> Cost:
        return cost_of(request, self._book)
