"""The columns of FOCUS that a charge is made of, and how their instants are read.

Everything else in this package turns some file into a row of these columns, or such a row into a charge.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from loaders.cell import Cell
from loaders.table import Row

COSTS = ("EffectiveCost", "BilledCost")
VENDORS = ("ServiceProviderName", "ProviderName", "InvoiceIssuerName")
"""The first that is filled names the vendor. 1.3 brought the first, 1.4 dropped the second."""
INSTANTS = ("BillingPeriodStart", "ChargePeriodStart", "ChargePeriodEnd")
NAMES = (
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
READ: Final = (*COSTS, "BillingCurrency", *VENDORS, *INSTANTS, *NAMES, "ServiceCategory")

_DAY = timedelta(days=1)


def kept(values: Mapping[str, object]) -> dict[str, object]:
    """The columns that are read. Files that came out of a database spell null as text."""
    return {column: None if (value := values.get(column)) == "NULL" else value for column in READ}


def name_in(row: Row, column: str) -> str | None:
    """What `row[column].maybe(Cell.text)` says, in a third of the time for plain text: a bill has millions of names."""
    value = row.values.get(column)
    if isinstance(value, str) and value.isascii():
        return value.strip() or None
    return row[column].maybe(Cell.text)


def instant(cell: Cell) -> datetime:
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


def period_end(start: datetime, end: Cell) -> datetime:
    """The end of a charge in a vendor's own form, where a fee of one instant ends when it starts or has no end."""
    ends_at = end.maybe(instant)
    return start + _DAY if ends_at is None or ends_at == start else ends_at
