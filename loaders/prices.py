"""The price book that a person keeps: a YAML, CSV or JSONL file with dated lines in USD per million tokens."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from loaders.cell import Cell, CellError
from loaders.item import Item, Location
from loaders.loader import of_files
from loaders.source import OnBytes
from loaders.table import Entry, Row, open_table, read_entries
from store import Price

_REQUIRED = ("price_id", "provider", "model", "effective_from")
_PRICES = ("input", "cache_read", "cache_write_5m", "cache_write_1h", "output")
_TIER_PRICES = tuple(f"t_{name}" for name in _PRICES)
_OPTIONAL = ("effective_to", *_PRICES, "tier_over", *_TIER_PRICES, "per_call_fee", "known_at", "reason")


def read(path: Path, *, now: datetime, on_bytes: OnBytes | None = None) -> Iterator[Item]:
    """An item for every line of the book; a line that overlaps an earlier one of its model is rejected.

    Raises:
        LoadError: there is no such file, or it is not a price book.
    """
    book = _Book(now, defaultdict(list))
    table = open_table(path, on_bytes=on_bytes)
    return read_entries(table.rows_of(_REQUIRED, _OPTIONAL), book.line)


@dataclass(frozen=True, slots=True)
class _Book:
    """The lines read so far, by model, to find those in force at one time."""

    now: datetime
    lines: defaultdict[tuple[str, str], list[tuple[Price, Location]]]

    def line(self, row: Row) -> Entry:
        price = _price(row, self.now)
        entry = Entry(f"price line {price.price_id!r}", (price,))
        named = self.lines[price.provider.casefold(), price.model.casefold()]
        for other, location in named:
            if other.price_id != price.price_id and _overlap(other, price):
                raise CellError(
                    f"price line {price.price_id!r} is in force at the same time as {other.price_id!r} at {location}; "
                    "give the earlier one an effective_to, or the correcting one a later known_at"
                )
        named.append((price, row.location))
        return entry


def _overlap(one: Price, other: Price) -> bool:
    return (
        one.known_at == other.known_at
        and (one.effective_to is None or other.effective_from < one.effective_to)
        and (other.effective_to is None or one.effective_from < other.effective_to)
    )


def _price(row: Row, now: datetime) -> Price:
    tier_over = row["tier_over"].maybe(Cell.count)
    tier = {name: row[name].maybe(Cell.price) for name in _TIER_PRICES}
    if tier_over is None and any(price is not None for price in tier.values()):
        raise CellError("tier_over is empty beside tier prices: give the tokens over which they apply")
    return Price(
        price_id=row["price_id"].text(),
        source="prices",
        provider=row["provider"].text(),
        model=row["model"].text(),
        effective_from=row["effective_from"].instant_or_day(),
        effective_to=row["effective_to"].maybe(Cell.instant_or_day),
        input=row["input"].maybe(Cell.price),
        cache_read=row["cache_read"].maybe(Cell.price),
        cache_write_5m=row["cache_write_5m"].maybe(Cell.price),
        cache_write_1h=row["cache_write_1h"].maybe(Cell.price),
        output=row["output"].maybe(Cell.price),
        tier_over=tier_over,
        tier_input=tier["t_input"],
        tier_cache_read=tier["t_cache_read"],
        tier_cache_write_5m=tier["t_cache_write_5m"],
        tier_cache_write_1h=tier["t_cache_write_1h"],
        tier_output=tier["t_output"],
        per_call_fee=row["per_call_fee"].maybe(Cell.price) or Decimal(0),
        known_at=row["known_at"].maybe(Cell.instant_or_day) or now,
        reason=row["reason"].maybe(Cell.text),
    )


LOADER = of_files("prices", "the price book; YAML, CSV or JSONL", read)
