"""Bank balances: a YAML, CSV or JSONL file with the closing balance of an account on a day."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from loaders.cell import CellError
from loaders.item import Item
from loaders.loader import of_files
from loaders.source import OnBytes
from loaders.table import Entry, Row, open_table, read_entries
from store import CashBalance

_REQUIRED = ("account", "as_of_on", "balance_usd")
_OPTIONAL = ("currency",)


def read(path: Path, *, now: datetime, on_bytes: OnBytes | None = None) -> Iterator[Item]:
    """An item for every row; a balance of a day that has not come is rejected.

    Raises:
        LoadError: there is no such file, or its columns are not those of balances.
    """
    table = open_table(path, on_bytes=on_bytes)
    return read_entries(table.rows_of(_REQUIRED, _OPTIONAL), lambda row: _balance(row, now))


def _balance(row: Row, now: datetime) -> Entry:
    row.require_usd("balance_usd")
    balance = CashBalance(
        account=row["account"].text(),
        as_of_on=row["as_of_on"].day(),
        balance_usd=row["balance_usd"].usd(),
        source="cash",
    )
    # A day begins up to 14 hours before UTC's.
    if balance.as_of_on > (now + timedelta(hours=14)).date():
        raise CellError(
            f"as_of_on {balance.as_of_on} is in the future; a closing balance is known when the day is over"
        )
    return Entry(f"the balance of {balance.account!r} on {balance.as_of_on}", (balance,))


LOADER = of_files("cash", "balances of bank accounts; YAML, CSV or JSONL", read)
