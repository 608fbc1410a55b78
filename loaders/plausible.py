"""Whether the amounts of a report can be in the unit that they are read in.

Cents where dollars were, or the reverse, give a number that looks right and is wrong a hundredfold. What the same
provider counted of tokens, at list price, is near what it charged for them: discounts halve it, premiums double it, and
nothing known makes a hundred of it.
"""

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from finance.pricing import PriceBook, list_equivalent
from loaders.item import LoadError
from loaders.price_library import library_prices
from store import Charge, ReportedUsage, Request

_FAR = Decimal(30)
_LEAST_USD = Decimal("0.50")
"""Worth of tokens; below it a single fee or a minimum can be anything."""
UNCHECKED = "unchecked"


@dataclass
class Scale:
    """The amounts and the tokens of one load. Days are compared where every model has a list price."""

    place: str
    now: datetime
    billed: dict[date, Decimal] = field(default_factory=dict)
    worth: dict[date, Decimal | None] = field(default_factory=dict)
    _books: dict[tuple[str, str], PriceBook] = field(default_factory=dict)

    def take(self, record: object) -> None:
        """A charge, or what the provider itself counted; anything else plays no part."""
        if isinstance(record, Charge) and record.line_item not in ("fee", "credit"):
            day = record.starts_on
            self.billed[day] = self.billed.get(day, Decimal(0)) + record.amount_usd
        elif isinstance(record, ReportedUsage) and record.reporter == "provider":
            day, known, more = record.starts_at.date(), self.worth.get(record.starts_at.date(), Decimal(0)), None
            if known is not None:
                more = self._worth(record)
            self.worth[day] = None if known is None or more is None else known + more

    def refuse(self) -> None:
        """Raises `LoadError` where what was charged is thirty times what the tokens are worth, or a thirtieth of it."""
        days = sorted(day for day in self.billed if self.worth.get(day))
        billed = sum((self.billed[day] for day in days), Decimal(0))
        worth = sum((self.worth[day] or Decimal(0) for day in days), Decimal(0))
        if worth < _LEAST_USD or billed <= 0:
            return
        times = billed / worth
        if times >= _FAR:
            said = f"{times:,.0f} times more: cents, or a smaller unit, may have been read as dollars"
        elif times <= 1 / _FAR:
            said = f"{1 / times:,.0f} times less: dollars may have been read as cents, or tokens were free"
        else:
            return
        raise LoadError(
            f"{self.place}: from {days[0]} to {days[-1]} ${billed:.2f} were charged, and the tokens that it counts are "
            f"worth ${worth:.2f} at list price. That is {said}. Nothing is stored; if the "
            f"amounts are right, set the option amounts to {UNCHECKED}"
        )

    def _worth(self, usage: ReportedUsage) -> Decimal | None:
        if usage.model is None:
            return None
        wanted = (usage.provider, usage.model)
        if wanted not in self._books:
            self._books[wanted] = PriceBook(library_prices({wanted}, now=self.now))
        return list_equivalent(_as_call(usage), self._books[wanted]).usd


def _as_call(usage: ReportedUsage) -> Request:
    """All tokens of a row as those of one call: near enough, for a tier changes a price by two and not by a hundred."""
    return Request(
        request_key="-",
        source="-",
        provider=usage.provider,
        model=usage.model,
        started_at=usage.starts_at,
        uncached_input_tokens=usage.uncached_input_tokens or 0,
        cache_read_tokens=usage.cache_read_tokens or 0,
        cache_write_5m_tokens=usage.cache_write_5m_tokens or 0,
        cache_write_1h_tokens=usage.cache_write_1h_tokens or 0,
        output_tokens=usage.output_tokens or 0,
    )
