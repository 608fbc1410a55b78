"""ElevenLabs: the state of the subscription, and the use of credits per bucket of time.

Seconds and milliseconds are told apart by size, because the two answers differ: as milliseconds, seconds of this
century lie before 1970-02-01.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from finance.pricing import rounded_usd
from loaders.cell import Cell, CellError
from loaders.credits.captures import Capture
from loaders.credits.plans import PLAN_PRICE, Plan, Plans
from loaders.item import Ignored, Item, Rejected
from store import CreditQuota, CreditUsage, RecordError

VENDOR = "elevenlabs"
_CREDITS = "must be a number of credits from 0 on"
_FROM_MILLISECONDS = 10**11
_MOST_BUCKETS = 100_000
_EARLIEST = datetime(2020, 1, 1, tzinfo=UTC)
_SURE_DAY = 27
"""A month that ends on a later day may have begun on the 29th, 30th or 31st."""


def is_subscription(capture: Capture) -> bool:
    return not capture.is_headers and {"character_count", "character_limit"} <= capture.content.keys()


def is_usage(capture: Capture) -> bool:
    return not capture.is_headers and {"time", "usage"} <= capture.content.keys()


def subscription(capture: Capture) -> Iterator[Item]:
    yield capture.parsed(_quota(capture))


def price(capture: Capture) -> Plan | None:
    """What the subscription says of the worth of a credit: None where its fee or its first day is not known."""
    quota = _quota(capture)
    if quota.fee_usd is None or quota.starts_on is None or not quota.limit_credits:
        return None
    return Plan(
        VENDOR,
        quota.plan,
        quota.starts_on,
        quota.resets_at,
        quota.fee_usd,
        quota.limit_credits,
        PLAN_PRICE,
        capture.observed_at,
    )


def usage(capture: Capture, plans: Plans) -> Iterator[Item]:
    """An item for every bucket of every key; what an hour or a day used grows until it is over."""
    if capture.metric not in (None, "credits"):
        yield Ignored(capture.location, "use in another metric than credits")
        return
    times, by_key = capture.content.get("time"), capture.content.get("usage")
    if not isinstance(times, list) or not isinstance(by_key, dict):
        raise CellError("time must be a list and usage an object with one list a key")
    if len(times) * len(by_key) > _MOST_BUCKETS:
        raise CellError(f"has {len(times) * len(by_key):,} buckets; at most {_MOST_BUCKETS:,} are read from one answer")
    starts = [_instant(Cell(f"time[{place}]", value)) for place, value in enumerate(times)]
    for key, counts in by_key.items():
        if not isinstance(counts, list) or len(counts) != len(starts):
            yield Rejected(capture.location, f"usage of {key[:100]!r} must be a list as long as time ({len(starts)})")
            continue
        for start, count in zip(starts, counts, strict=True):
            yield _bucket(capture, plans, key, start, Cell(f"usage of {key[:100]!r}", count))


def _quota(capture: Capture) -> CreditQuota:
    """`character_count` counts credits, whatever it is called; it begins anew at the reset."""
    resets_at = capture["next_character_count_reset_unix"].maybe(_instant)
    return CreditQuota(
        vendor=VENDOR,
        plan=capture["tier"].text(),
        observed_at=capture.observed_at,
        source=capture.source,
        used_credits=capture["character_count"].number(_CREDITS),
        limit_credits=capture["character_limit"].number(_CREDITS),
        starts_on=_month_before(capture, resets_at),
        resets_at=resets_at,
        fee_usd=_fee(capture),
    )


def _bucket(capture: Capture, plans: Plans, key: str, start: datetime, count: Cell) -> Item:
    try:
        if start > capture.observed_at + timedelta(days=1):
            raise CellError(f"time {start.isoformat()} is after observed_at {capture.observed_at.isoformat()}")
        used = count.number(_CREDITS)
        if used == 0:
            return Ignored(capture.location, "a bucket of time without use")
        worth = plans.worth(VENDOR, capture.plan, start, used)
        return capture.parsed(
            CreditUsage(
                usage_id=f"{VENDOR}:{start.isoformat()}:{key}",
                source=capture.source,
                vendor=VENDOR,
                used_at=start,
                credits=used,
                usd=worth.usd,
                usd_rule=worth.rule,
                description=key or None,
                observed_at=capture.observed_at,
            )
        )
    except (CellError, RecordError) as error:
        return Rejected(capture.location, str(error))


def _instant(cell: Cell) -> datetime:
    number = cell.number("must be a number of seconds or milliseconds since 1970-01-01")
    instant = Cell(cell.column, number).instant("ms" if number > _FROM_MILLISECONDS else "s")
    if instant < _EARLIEST:
        raise CellError(f"{cell.column} is {instant.isoformat()}, before there were credits to use")
    return instant


def _month_before(capture: Capture, resets_at: datetime | None) -> date | None:
    if resets_at is None or capture.content.get("character_refresh_period") != "monthly_period":
        return None
    day = resets_at.date()
    if day.day > _SURE_DAY:
        return None
    return (day.replace(day=1) - timedelta(days=1)).replace(day=day.day)


def _fee(capture: Capture) -> Decimal | None:
    """The next invoice is the fee of one period where the period is a month and no overage is in it."""
    invoice, overage = capture.content.get("next_invoice"), capture.content.get("current_overage")
    is_plain = (
        isinstance(invoice, dict)
        and capture.content.get("billing_period") == "monthly_period"
        and capture.content.get("currency") == "usd"
        and isinstance(overage, dict)
        and Cell("current_overage", overage.get("amount")).maybe(Cell.usd) == 0
    )
    if not is_plain or not isinstance(invoice, dict):
        return None
    cents = Cell("next_invoice.subtotal_cents", invoice.get("subtotal_cents")).maybe(Cell.price)
    return None if cents is None else rounded_usd(cents / 100)
