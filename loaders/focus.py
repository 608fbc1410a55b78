"""FOCUS cost and usage files (1.0 to 1.3; CSV or Parquet), the form in which cloud providers hand out their bills.

A charge's amount is EffectiveCost: what a day's use cost, with what was paid beforehand spread over the use it covers.
A purchase that covers later use is 0 there and the use that it covers is 0 in BilledCost, the view of the cash; to add
the two would count such money twice, so BilledCost is not read.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from hashlib import blake2b
from pathlib import Path
from typing import Final

from loaders.cell import Cell, CellError
from loaders.item import Ignored, Item, LoadError, Location, Parsed, Rejected
from loaders.loader import of_files
from loaders.source import OnBytes
from loaders.table import Row, Table, nearest, open_table
from store import Charge, RecordError
from store.records import MAX_CHARACTERS, ChargeCategory

_REQUIRED = (
    "BillingAccountId",
    "BillingCurrency",
    "BillingPeriodStart",
    "ChargeCategory",
    "ChargePeriodEnd",
    "ChargePeriodStart",
    "EffectiveCost",
    "ServiceName",
)
_VENDORS = ("ServiceProviderName", "ProviderName", "InvoiceIssuerName")
"""The first that is filled names the vendor. 1.3 brought the first and deprecated the second."""
_INSTANTS = ("BillingPeriodStart", "ChargePeriodStart", "ChargePeriodEnd")
_NAMES = (
    "BillingAccountId",
    "SubAccountId",
    "ChargeCategory",
    "ChargeClass",
    "ChargeDescription",
    "CommitmentDiscountId",
    "RegionId",
    "ResourceId",
    "ServiceName",
    "SkuId",
    "SkuPriceId",
)
"""With the vendor and the instants they tell charges apart. All are in 1.0, so that a later version gives the same ids;
amounts, quantities and tags are not among them, so that a corrected amount replaces the one it corrects."""
_READ = (*_REQUIRED, *_VENDORS, *_NAMES, "ServiceCategory")

_KINDS = ("Usage", "Purchase", "Tax", "Credit", "Adjustment")
_CATEGORIES: Final[Mapping[str, ChargeCategory]] = {
    "AI and Machine Learning": "inference",
    "Analytics": "software",
    "Business Applications": "software",
    "Compute": "compute",
    "Databases": "software",
    "Developer Tools": "software",
    "Identity": "software",
    "Integration": "software",
    "Internet of Things": "software",
    "Management and Governance": "software",
    "Media": "software",
    "Migration": "software",
    "Mobile": "software",
    "Multicloud": "software",
    "Networking": "network",
    "Other": "other",
    "Security": "software",
    "Storage": "storage",
    "Web": "software",
}
"""ServiceCategory -> ours. A tax or a credit belongs to the service that it is for."""
_TABLES = (".csv", ".csv.gz", ".csv.zst", ".parquet")
_DAY = timedelta(days=1)


def read(path: Path, *, now: datetime, on_bytes: OnBytes | None = None) -> Iterator[Item]:
    """An item for every row. `now` plays no part: a bill may be for days to come.

    `path` is a file, or the directory with the parts of one export: rows that nothing tells apart are numbered, and a
    part that is read without the others would number them from 1 again.

    Raises:
        LoadError: there is nothing to read at `path`, or a file that is reached lacks a column that FOCUS requires.
    """
    parts = paths(path)
    others = sorted(set(path.iterdir()) - set(parts)) if path.is_dir() else []
    return _items(parts, others, on_bytes)


def paths(path: Path) -> list[Path]:
    """The files that `read` reads, in the order of their names; those in directories below are not."""
    if not path.is_dir():
        return [path]
    parts = sorted(part for part in path.iterdir() if part.is_file() and part.name.lower().endswith(_TABLES))
    if not parts:
        raise LoadError(
            f"{path}: the directory has no file that ends in {', '.join(_TABLES)}; name the one with the parts"
        )
    return parts


def _items(parts: list[Path], others: list[Path], on_bytes: OnBytes | None) -> Iterator[Item]:
    for other in others:
        yield Ignored(Location(str(other)), "is not a table")
    seen: Counter[bytes] = Counter()
    for part in parts:
        table = open_table(part, on_bytes=on_bytes)
        _expect_focus(table)
        for row in table.rows:
            yield row if isinstance(row, Rejected) else _item(row, seen)


def _expect_focus(table: Table) -> None:
    """Columns that are unknown are fine: FOCUS lets providers add their own, and a later version brings more."""
    if not table.columns:
        return
    missing = [column for column in _REQUIRED if column not in table.columns]
    if not set(_VENDORS) & set(table.columns):
        missing.append(" or ".join(_VENDORS))
    if missing:
        raise LoadError(
            f"{table.shown_as}: not a FOCUS cost and usage file: there is no column {', '.join(missing)}; "
            f"the file has {', '.join(table.columns)}"
        )


def _item(row: Row, seen: Counter[bytes]) -> Item:
    """`seen` counts the charges by what tells them apart, over all rows of a load."""
    known = replace(row, values={column: _unless_null(row.values.get(column)) for column in _READ})
    try:
        identity = _identity(known)
        charge = _charge(known, f"focus:{identity.hex()}:{seen[identity] + 1}")
    except (CellError, RecordError) as error:
        return row.rejected(str(error))
    seen[identity] += 1
    return Parsed(row.location, (charge,))


def _unless_null(value: object) -> object:
    """Files that came out of a database spell null as text."""
    return None if value == "NULL" else value


def _identity(row: Row) -> bytes:
    instants = [_instant(row[column]).isoformat() for column in _INSTANTS]
    names = [row[column].maybe(Cell.text) for column in _NAMES]
    return blake2b(json.dumps([_vendor(row), *instants, *names]).encode(), digest_size=16).digest()


def _charge(row: Row, charge_id: str) -> Charge:
    currency = row["BillingCurrency"].text()
    if currency.upper() != "USD":
        raise CellError(
            f"BillingCurrency is {currency!r}: export the costs in USD, or convert EffectiveCost to US dollars and "
            "write USD here"
        )
    kind = row["ChargeCategory"].text()
    if kind not in _KINDS:
        raise CellError(f"ChargeCategory must be one of {', '.join(_KINDS)}{nearest(kind, _KINDS)}, got {kind!r}")
    starts_on, ends_on = _days(_instant(row["ChargePeriodStart"]), _instant(row["ChargePeriodEnd"]))
    return Charge(
        charge_id=charge_id,
        source="focus",
        category=_CATEGORIES.get(row["ServiceCategory"].maybe(Cell.text) or "Other", "other"),
        amount_usd=row["EffectiveCost"].usd(),
        starts_on=starts_on,
        ends_on=ends_on,
        vendor=_vendor(row),
        description=_description(row, kind),
    )


def _days(start: datetime, end: datetime) -> tuple[date, date]:
    """Whole days from the one it starts in, so that an hour or a day that begins at 07:00 belongs to one day."""
    if end <= start:
        raise CellError(
            f"ChargePeriodEnd {end.isoformat()} must be after ChargePeriodStart {start.isoformat()} "
            "(the end is the first instant that is not charged)"
        )
    whole_days = -(-(end - start) // _DAY)
    try:
        return start.date(), start.date() + whole_days * _DAY
    except OverflowError:
        raise CellError(f"ChargePeriodEnd {end.isoformat()} must be before the year 10000") from None


def _instant(cell: Cell) -> datetime:
    """FOCUS writes instants in UTC, and many files leave out the zone that goes without saying."""
    value = cell.value
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value.strip())
        except ValueError:
            return cell.instant()
    if isinstance(value, datetime) and value.tzinfo is None:
        return value.replace(tzinfo=UTC)
    return cell.instant_or_day()


def _vendor(row: Row) -> str | None:
    names = (row[column].maybe(Cell.text) for column in _VENDORS)
    return next((name for name in names if name is not None), None)


def _description(row: Row, kind: str) -> str | None:
    """The kind of charge where it is not plain usage, the service, and what the bill says; cut where it is too long."""
    said = (
        None if kind == "Usage" else kind,
        row["ServiceName"].maybe(Cell.text),
        row["ChargeDescription"].maybe(Cell.text),
    )
    text = ": ".join(part for part in said if part is not None)
    return (text or None) if len(text) <= MAX_CHARACTERS else f"{text[: MAX_CHARACTERS - 1]}…"


LOADER = of_files("focus", "cloud bills in FOCUS: CSV, Parquet, or a directory with the parts", read, paths)
