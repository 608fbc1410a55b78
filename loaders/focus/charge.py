"""A row of FOCUS columns -> a charge: its id, its amounts, its days, its words.

A charge's amount is EffectiveCost: what a day's use cost, with what was paid beforehand spread over the use it covers.
BilledCost, the view of the cash, is kept beside it. A purchase that covers later use is 0 in the first and the use that
it covers is 0 in the second; to add the two would count such money twice.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from hashlib import blake2b
from typing import Final

from loaders.cell import Cell, CellError
from loaders.focus.bill import Bill
from loaders.focus.columns import INSTANTS, NAMES, VENDORS, instant, name_in
from loaders.focus.services import AI, sells_calls, sold_beforehand
from loaders.table import Row, nearest
from store import Charge
from store.checks import MAX_CHARACTERS
from store.records import ChargeCategory

_KINDS = ("Usage", "Purchase", "Tax", "Credit", "Adjustment")
_CATEGORIES: Final[Mapping[str, ChargeCategory]] = {
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
"""ServiceCategory -> ours, but for services for AI. A tax or a credit belongs to the service that it is for."""
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Place:
    """What tells a charge from others, and which day of whose bill it is on."""

    identity: bytes
    bill: Bill
    day: int
    starts_at: datetime
    ends_at: datetime


def place_of(row: Row) -> Place:
    vendor = _vendor(row)
    period, starts_at, ends_at = (instant(row[column]) for column in INSTANTS)
    names = [name_in(row, column) for column in NAMES]
    told = json.dumps([vendor, *(at.isoformat() for at in (period, starts_at, ends_at)), *names])
    bill = Bill(vendor, names[0], period.date())
    return Place(
        blake2b(told.encode(), digest_size=16).digest(), bill, bill.day_of(starts_at.date()), starts_at, ends_at
    )


def charge_of(row: Row, place: Place, number: int) -> Charge:
    """`number` counts from 1 the charges of a load that nothing tells apart."""
    currency = row["BillingCurrency"].text()
    if currency.upper() != "USD":
        raise CellError(
            f"BillingCurrency is {currency!r}: export the costs in USD, or convert EffectiveCost and BilledCost to US "
            "dollars and write USD here"
        )
    kind = row["ChargeCategory"].text()
    if kind not in _KINDS:
        raise CellError(f"ChargeCategory must be one of {', '.join(_KINDS)}{nearest(kind, _KINDS)}, got {kind!r}")
    starts_on, ends_on = _days(place.starts_at, place.ends_at)
    return Charge(
        charge_id=f"focus:{place.identity.hex()}:{number}",
        source="focus",
        category=_category(row, kind),
        amount_usd=row["EffectiveCost"].usd(),
        starts_on=starts_on,
        ends_on=ends_on,
        vendor=place.bill.vendor,
        description=_description(row, kind),
        billed_usd=row["BilledCost"].maybe(Cell.usd),
        part=place.bill.part(place.day),
    )


def _category(row: Row, kind: str) -> ChargeCategory:
    """`inference` is left out of burn, for requests hold what it paid for; so it is only what requests can hold."""
    stated = name_in(row, "ServiceCategory") or "Other"
    if stated != AI:
        return _CATEGORIES.get(stated, "other")
    beforehand = sold_beforehand(name_in(row, "ServiceName"), name_in(row, "ChargeDescription"), kind)
    if beforehand is not None and _vendor(row) is not None:
        return beforehand
    return "inference" if sells_calls(name_in(row, "ServiceName"), name_in(row, "ChargeDescription")) else "compute"


def _vendor(row: Row) -> str | None:
    names = (name_in(row, column) for column in VENDORS)
    return next((name for name in names if name is not None), None)


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


def _description(row: Row, kind: str) -> str | None:
    """The kind of charge where it is not plain usage, the service, and what the bill says; cut where it is too long.

    The kind comes first, so that taxes, credits, purchases and adjustments can be told from usage and from each other.
    """
    said = (
        None if kind == "Usage" else kind,
        name_in(row, "ChargeClass"),
        name_in(row, "ServiceName"),
        name_in(row, "ChargeDescription"),
    )
    text = ": ".join(part for part in said if part is not None)
    return (text or None) if len(text) <= MAX_CHARACTERS else f"{text[: MAX_CHARACTERS - 1]}…"
