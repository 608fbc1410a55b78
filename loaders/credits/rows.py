"""Credits as a person or a program writes them down: rows of use, and rows that say what a plan costs and holds.

A row with `credits` is a use. One with `fee_usd`, `limit_credits`, `used_credits` or `usd_per_credit` is about a plan:
its price gives the uses in its days their worth, and with `used_credits` it is also the state of the plan's quota.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from hashlib import sha256

from loaders.cell import Cell, CellError
from loaders.credits.plans import LIST_PRICE, PLAN_PRICE, STATED, Plan, Plans, Worth
from loaders.item import Ignored, Item
from loaders.table import Entry, Row, RowItem, read_entries
from store import CreditQuota, CreditUsage, RecordError

REQUIRED = ("vendor",)
_USE = ("credits", "used_at", "usage_id", "usd", "session_id", "agent", "description")
_PLAN = ("fee_usd", "limit_credits", "used_credits", "usd_per_credit", "observed_at", "starts_on", "resets_at")
OPTIONAL = (*_USE, "plan", "currency", *_PLAN)
SOURCE = "credits"

_CLOCK_SLACK = timedelta(days=1)
_CREDITS = "must be a number of credits from 0 on, like 1500"


def read_rows(rows: Iterable[RowItem], plans: Plans, now: datetime) -> Iterator[Item]:
    """An item for every row. A plan without its use is only a price, and says nothing by itself."""
    latest = now + _CLOCK_SLACK
    prices: list[Item] = []

    def others() -> Iterator[RowItem]:
        for row in rows:
            if isinstance(row, Row) and _is_price_alone(row):
                prices.append(_price(row))
            else:
                yield row

    for item in read_entries(others(), lambda row: _entry(row, plans, latest)):
        yield from prices
        prices.clear()
        yield item
    yield from prices


def prices_in(rows: Iterable[RowItem]) -> Iterator[Plan]:
    """The prices that the rows state; a row that cannot be read is told of when it is read as an item."""
    for row in rows:
        if isinstance(row, Row) and row["credits"].is_empty:
            try:
                yield from _prices(row)
            except (CellError, RecordError):
                continue


def _entry(row: Row, plans: Plans, latest: datetime) -> Entry:
    if row["credits"].is_empty and row["used_credits"].is_empty:
        raise CellError("credits is empty: a row is a use of credits, or about a plan (fee_usd, limit_credits)")
    if row["credits"].is_empty:
        return _quota(row, latest)
    for column in _PLAN:
        if not row[column].is_empty:
            raise CellError(f"{column} is about a plan and credits about a use: write two rows")
    return _use(row, plans, latest)


def _price(row: Row) -> Item:
    try:
        list(_prices(row))
    except CellError as error:
        return row.rejected(str(error))
    return Ignored(row.location, "the price of a plan, by which its use is valued")


def _is_price_alone(row: Row) -> bool:
    is_priced = not (row["fee_usd"].is_empty and row["usd_per_credit"].is_empty)
    return is_priced and row["credits"].is_empty and row["used_credits"].is_empty


def _use(row: Row, plans: Plans, latest: datetime) -> Entry:
    row.require_usd("usd")
    vendor, used_at, used = row["vendor"].text(), _instant(row["used_at"], latest), row["credits"].number(_CREDITS)
    plan, stated = row["plan"].maybe(Cell.text), row["usd"].maybe(Cell.price)
    worth = Worth(stated, STATED)
    if stated is None:
        worth = plans.worth(vendor, plan, used_at, used)
    session_id, agent = row["session_id"].maybe(Cell.text), row["agent"].maybe(Cell.text)
    description = row["description"].maybe(Cell.text)
    usage = CreditUsage(
        usage_id=row["usage_id"].maybe(Cell.text) or _use_id(vendor, used_at, plan, session_id, agent, description),
        source=SOURCE,
        vendor=vendor,
        used_at=used_at,
        credits=used,
        usd=worth.usd,
        usd_rule=worth.rule,
        session_id=session_id,
        agent=agent,
        description=description,
    )
    return Entry(f"credit use {usage.usage_id!r}", (usage,))


def _use_id(vendor: str, used_at: datetime, *what: str | None) -> str:
    """The same for every statement about the same use; how many credits it was is no part of it, and may grow."""
    named = repr((vendor.casefold(), used_at.isoformat(), what))
    return f"{vendor[:100]}:{used_at.isoformat()}:{sha256(named.encode()).hexdigest()[:24]}"


def _quota(row: Row, latest: datetime) -> Entry:
    row.require_usd("fee_usd")
    list(_prices(row))
    quota = CreditQuota(
        vendor=row["vendor"].text(),
        plan=row["plan"].text(),
        observed_at=_instant(row["observed_at"], latest),
        source=SOURCE,
        used_credits=row["used_credits"].number(_CREDITS),
        limit_credits=row["limit_credits"].maybe(lambda cell: cell.number(_CREDITS)),
        starts_on=row["starts_on"].maybe(Cell.day),
        resets_at=row["resets_at"].maybe(Cell.instant_or_day),
        fee_usd=row["fee_usd"].maybe(Cell.price),
    )
    return Entry(f"the quota of {quota.vendor} {quota.plan} at {quota.observed_at.isoformat()}", (quota,))


def _prices(row: Row) -> Iterator[Plan]:
    row.require_usd("fee_usd")
    fee, listed = row["fee_usd"].maybe(Cell.price), row["usd_per_credit"].maybe(Cell.price)
    if fee is None and listed is None:
        return
    if not _is_price_alone(row) and row["starts_on"].is_empty:
        return
    if fee is not None and listed is not None:
        raise CellError("usd_per_credit and fee_usd are both given: a price is the fee of a plan or a list price")
    starts_on, ends_at = row["starts_on"].day(), row["resets_at"].maybe(Cell.instant_or_day)
    if ends_at is not None and ends_at <= datetime.combine(starts_on, time(), UTC):
        raise CellError(f"resets_at {ends_at.isoformat()} must be after starts_on {starts_on}")
    vendor, plan = row["vendor"].text(), row["plan"].maybe(Cell.text)
    known_at = row["observed_at"].maybe(Cell.instant_or_day)
    if listed is not None:
        yield Plan(vendor, plan, starts_on, ends_at, listed, Decimal(1), LIST_PRICE, known_at)
        return
    limit = row["limit_credits"].maybe(lambda cell: cell.number(_CREDITS))
    if fee is not None and limit:
        yield Plan(vendor, plan, starts_on, ends_at, fee, limit, PLAN_PRICE, known_at)
    elif _is_price_alone(row):
        raise CellError("limit_credits must be the number of credits that fee_usd buys, got empty or 0")


def _instant(cell: Cell, latest: datetime) -> datetime:
    instant = cell.instant_or_day()
    if instant > latest:
        raise CellError(f"{cell.column} is in the future (read as {instant.isoformat()}): check the year")
    return instant
