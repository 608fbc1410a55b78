"""Bills and plans: a YAML, CSV or JSONL file with an amount for a period.

The store spreads the amount evenly over the period's days.
"""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import cast, get_args

from loaders.cell import Cell, CellError
from loaders.item import Item
from loaders.loader import of_files
from loaders.source import OnBytes
from loaders.table import Entry, Row, nearest, open_table, read_entries
from store import Charge
from store.records import ChargeCategory

_CATEGORIES: tuple[str, ...] = get_args(ChargeCategory)
_REQUIRED = ("charge_id", "category", "amount_usd", "starts_on", "ends_on")
_OPTIONAL = ("vendor", "description", "currency")


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
        ends_on=row["ends_on"].day(),
        vendor=row["vendor"].maybe(Cell.text),
        description=row["description"].maybe(Cell.text),
    )
    return Entry(f"charge {charge.charge_id!r}", (charge,))


LOADER = of_files("charges", "bills and plans; YAML, CSV or JSONL", read)
