"""Which form of bill a file has, told by its header, and its rows as rows of FOCUS columns."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from loaders.focus import cur, gcp
from loaders.focus.columns import COSTS, instant, kept
from loaders.focus.services import category_of
from loaders.item import LoadError, Rejected
from loaders.source import OnBytes
from loaders.table import Row, Table, open_table

_REQUIRED = ("BillingCurrency", "ChargeCategory", "ChargePeriodEnd", "ChargePeriodStart", "ServiceName")
_OTHER_SETS: Final[Mapping[str, str]] = {
    "ContractCommitment": "ContractCommitment",
    "InvoiceDetail": "InvoiceDetail",
    "BillingPeriod": "BillingPeriod",
}
"""How the columns of a data set that is no bill begin -> its name. 1.3 and 1.4 split them off from CostAndUsage."""
_MOST_ROWS_A_BYTE_FROM = 100_000
"""Rows below this are never judged: a small Parquet file may hold one row many times over."""

AsFocus = Callable[[Row], Mapping[str, object]]


@dataclass(frozen=True, slots=True)
class BillRow:
    """A row as the file has it, and what makes FOCUS of it."""

    as_read: Row
    as_focus: AsFocus

    def in_focus(self) -> Row:
        """Raises `CellError` where it cannot be put into those columns."""
        return Row(self.as_read.location, kept(self.as_focus(self.as_read)))


def rows_of(path: Path, on_bytes: OnBytes | None) -> Iterator[BillRow | Rejected]:
    """The rows of a file.

    Raises:
        LoadError: the file is no bill, lacks a column that is needed, or unpacks to more than any bill does.
    """
    table = open_table(path, on_bytes=on_bytes)
    as_focus = _form_of(table)
    most = max(_MOST_ROWS_A_BYTE_FROM, path.stat().st_size) if path.suffix.lower() == ".parquet" else None
    for number, row in enumerate(table.rows, start=1):
        if most is not None and number > most:
            raise LoadError(f"{table.shown_as}: has more rows than bytes; this looks like a decompression bomb")
        yield row if isinstance(row, Rejected) else BillRow(row, as_focus)


def _form_of(table: Table) -> AsFocus:
    """Columns that are unknown are fine: vendors add their own, and a later version brings more."""
    if not table.columns:
        return _focus
    if cur.MARK in table.columns:
        _expect(table, "an AWS Cost and Usage Report 2.0", [(column,) for column in cur.REQUIRED])
        return cur.as_focus
    if gcp.MARK in table.columns:
        _expect(table, "a Google Cloud billing export", [gcp.spellings(column) for column in gcp.REQUIRED])
        return gcp.as_focus
    _expect(table, f"a FOCUS cost and usage file{_what_it_is(table)}", [COSTS, *((name,) for name in _REQUIRED)])
    return _completed(frozenset(table.columns))


def _expect(table: Table, form: str, required: list[tuple[str, ...]]) -> None:
    missing = [" or ".join(spelled) for spelled in required if not set(spelled) & set(table.columns)]
    if missing:
        raise LoadError(
            f"{table.shown_as}: not {form}: there is no column {', '.join(missing)}; "
            f"the file has {', '.join(table.columns)}"
        )


def _what_it_is(table: Table) -> str:
    """For people who took the wrong one of the files that lie side by side."""
    if "ChargePeriodStart" in table.columns:
        return ""
    for beginning, name in _OTHER_SETS.items():
        if any(column.startswith(beginning) for column in table.columns):
            return f" but one of the data set {name}, whose amounts are in CostAndUsage too: load that"
    return ""


def _focus(row: Row) -> Mapping[str, object]:
    return row.values


def _completed(columns: frozenset[str]) -> AsFocus:
    """Gives the columns that a vendor leaves out what follows from the others."""
    if {*COSTS, "BillingPeriodStart", "ServiceCategory"} <= columns:
        return _focus

    def completed(row: Row) -> dict[str, object]:
        values = dict(row.values)
        if "EffectiveCost" not in columns:
            values["EffectiveCost"] = values.get("BilledCost")
        if "BillingPeriodStart" not in columns:
            start = instant(row["ChargePeriodStart"])
            values["BillingPeriodStart"] = datetime(start.year, start.month, 1, tzinfo=UTC)
        if "ServiceCategory" not in columns:
            values["ServiceCategory"] = category_of(None, values.get("ServiceName"), values.get("ChargeDescription"))
        return values

    return completed
