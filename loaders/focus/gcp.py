"""A row of Google Cloud's own billing export from BigQuery -> a row of FOCUS columns.

Parquet and JSONL hold the nested columns as they are; in CSV they are named `service.description` or
`service_description`, and `credits` is JSON text. The cost is what remains after the credits, billed and in effect: the
export has no view that spreads commitments.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, DecimalException
from typing import Final

from loaders.cell import Cell, CellError
from loaders.focus.columns import instant, period_end
from loaders.focus.services import category_of
from loaders.table import Row

MARK = "usage_start_time"
"""The column by which such a file is known."""
REQUIRED = ("billing_account_id", "cost", "credits", "currency", "invoice.month", "service.description", MARK)
"""Without `credits` the cost would be too high by them, and nothing would say so."""
_KINDS: Final[Mapping[str, str]] = {
    "regular": "Usage",
    "tax": "Tax",
    "adjustment": "Adjustment",
    "rounding_error": "Adjustment",
}


def spellings(column: str) -> tuple[str, ...]:
    """How the header may spell a column: nested under its first word, or flat."""
    outer, _, inner = column.partition(".")
    return (outer, column, f"{outer}_{inner}") if inner else (column,)


def as_focus(row: Row) -> dict[str, object]:
    currency = row["currency"].text()
    if currency.upper() != "USD":
        raise CellError(
            f"currency is {currency!r}: divide cost and the amounts of the credits by currency_conversion_rate in the "
            "query that exports them, and write USD here"
        )
    kind = row["cost_type"].maybe(Cell.text) or "regular"
    if kind not in _KINDS:
        raise CellError(f"cost_type must be one of {', '.join(_KINDS)}, got {kind!r}")
    net = row["cost"].usd() + sum((credit.usd() for credit in _credits(row["credits"].value)), Decimal(0))
    service, sku = _cell(row, "service.description").text(), _cell(row, "sku.description").value
    starts_at = _instant(row["usage_start_time"])
    return {
        "BilledCost": net,
        "EffectiveCost": net,
        "BillingCurrency": "USD",
        "ServiceProviderName": "Google Cloud",
        "BillingPeriodStart": _month(_cell(row, "invoice.month")),
        "ChargePeriodStart": starts_at,
        "ChargePeriodEnd": period_end(starts_at, _plain(row["usage_end_time"])),
        "BillingAccountId": row["billing_account_id"].value,
        "SubAccountId": _cell(row, "project.id").value,
        "ChargeCategory": _KINDS[kind],
        "ChargeDescription": sku,
        "RegionId": _cell(row, "location.region").value,
        "ResourceId": _cell(row, "resource.global_name").value or _cell(row, "resource.name").value,
        "ServiceName": service,
        "SkuId": _cell(row, "sku.id").value,
        "ServiceCategory": category_of(None, service, sku),
    }


def _cell(row: Row, column: str) -> Cell:
    outer, _, inner = column.partition(".")
    nested = row.values.get(outer)
    if isinstance(nested, Mapping):
        return Cell(column, nested.get(inner))
    _, flat, flatter = spellings(column)
    return Cell(column, row.values.get(flat, row.values.get(flatter)))


def _credits(value: object) -> list[Cell]:
    """The amounts. An empty cell is a row without credits: BigQuery writes an empty list as nothing."""
    if isinstance(value, str) and value.strip():
        try:
            value = json.loads(value, parse_float=Decimal)
        except (ValueError, RecursionError, DecimalException):
            raise CellError(f"credits must be a list of credits in JSON, got {ascii(value)[:100]}") from None
    if value is None or value == "":
        return []
    if not isinstance(value, list) or not all(isinstance(credit, Mapping) for credit in value):
        raise CellError(f"credits must be a list of credits with an amount each, got {ascii(value)[:100]}")
    return [Cell("credits.amount", credit.get("amount")) for credit in value]


def _month(cell: Cell) -> datetime:
    text = cell.text()
    try:
        month = datetime.strptime(text, "%Y%m").replace(tzinfo=UTC)
    except ValueError:
        month = None
    if month is None or len(text) != 6:
        raise CellError(f"invoice.month must be a month like 202611, got {text[:100]!r}")
    return month


def _instant(cell: Cell) -> datetime:
    return instant(_plain(cell))


def _plain(cell: Cell) -> Cell:
    """BigQuery writes `2026-11-19 08:00:00 UTC` into CSV and JSON."""
    return Cell(cell.column, cell.value.strip().removesuffix(" UTC")) if isinstance(cell.value, str) else cell
