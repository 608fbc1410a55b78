"""Bills and plans: a YAML, CSV or JSONL file with an amount for a period.

The store spreads the amount evenly over the period's days. Credits that were bought beforehand are no cost of
days: they are paid for on the first and become a cost as they are used.
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import cast, get_args

from loaders.cell import Cell, CellError
from loaders.item import Item
from loaders.loader import of_files
from loaders.source import OnBytes
from loaders.table import Entry, Row, nearest, open_table, read_entries
from store import Charge
from store.records import ChargeCategory, ChargeItem

_CATEGORIES: tuple[str, ...] = get_args(ChargeCategory)
_ITEMS: tuple[str, ...] = get_args(ChargeItem)
_REQUIRED = ("charge_id", "category", "amount_usd", "starts_on", "ends_on")
_OPTIONAL = ("vendor", "description", "currency", "credits", "model", "line_item")
_WITHOUT_END = timedelta(days=3660)
"""Credits that never expire can be used for as long as a charge may last."""


def read(path: Path, *, now: datetime, on_bytes: OnBytes | None = None) -> Iterator[Item]:
    """An item for every row. `now` plays no part: a bill may be for days to come.

    Raises:
        LoadError: there is no such file, or its columns are not those of charges.
    """
    table = open_table(path, on_bytes=on_bytes)
    return read_entries(table.rows_of(_REQUIRED, _OPTIONAL), _charge)


def _charge(row: Row) -> Entry:
    row.require_usd("amount_usd")
    category = row["category"].text()
    if category not in _CATEGORIES:
        advice = f"must be one of {', '.join(_CATEGORIES)}{nearest(category, _CATEGORIES)}"
        raise CellError(f"category {advice}, got {category!r}")
    charge = Charge(
        charge_id=row["charge_id"].text(),
        source="charges",
        category=cast(ChargeCategory, category),
        amount_usd=row["amount_usd"].usd(),
        starts_on=row["starts_on"].day(),
        ends_on=_end(row, category),
        vendor=row["vendor"].maybe(Cell.text),
        description=row["description"].maybe(Cell.text),
        credits=row["credits"].maybe(lambda cell: cell.number("must be how many credits were bought, like 100000")),
        model=row["model"].maybe(Cell.text),
        line_item=row["line_item"].maybe(_item),
    )
    return Entry(f"charge {charge.charge_id!r}", (charge,))


def _item(cell: Cell) -> ChargeItem:
    item = cell.text()
    if item not in _ITEMS:
        raise CellError(f"line_item must be one of {', '.join(_ITEMS)}{nearest(item, _ITEMS)}, got {item!r}")
    return cast(ChargeItem, item)


def _end(row: Row, category: str) -> date:
    if category == "credits" and row["ends_on"].is_empty:
        try:
            return row["starts_on"].day() + _WITHOUT_END
        except OverflowError:
            raise CellError("starts_on must be a day before the year 9990") from None
    return row["ends_on"].day()


LOADER = of_files("charges", "bills and plans; YAML, CSV or JSONL", read)
