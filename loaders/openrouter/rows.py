"""A row of the activity -> a charge and what was counted; the state of the credits and of a key -> quotas.

Money is in dollars, and a credit is one. Where the key of another provider was used, OpenRouter takes a fee, and what
that provider takes is on that provider's own bill: here it is an estimate.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta

from loaders.cell import Cell
from loaders.daily import Days, Report, ReportRow, midnight
from loaders.item import Item, Note
from loaders.openrouter.flat import read_flat
from loaders.service import Object
from store import Charge, CreditQuota, ReportedUsage

VENDOR = "openrouter"
_DAY = timedelta(days=1)


def read_activity(rows: Iterable[object], report: Report, days: Days) -> Iterator[Item | Note]:
    """An item for every row."""
    return read_flat(rows, f"{VENDOR} {report.account}, {report.name}", report, days, ("date",), activity_of)


def activity_of(row: ReportRow) -> tuple[Charge | ReportedUsage, ...]:
    """Raises `CellError` or `RecordError`."""
    slug, endpoint, host = (row.text(name) for name in ("model_permaslug", "endpoint_id", "provider_name"))
    model = row.text("model") or slug
    row_id = row.row_id(slug, endpoint, row.text("workspace_id"))
    charged, upstream = row["usage"].usd(), row["byok_usage_inference"].maybe(Cell.price) or 0
    prompt, cached = row["prompt_tokens"].count(), row["cached_tokens"].maybe(Cell.count)
    at = f"{model or 'a model'} at {host or 'a provider'}"
    return (
        row.charge(
            row_id,
            VENDOR,
            charged,
            f"{at}: fee for the use of a key of one's own" if upstream else at,
            model=model,
            line_item="credit" if charged < 0 else "fee" if upstream else "tokens",
        ),
        row.usage(
            row_id,
            VENDOR,
            model=model,
            member=host,
            requests=row["requests"].count(),
            uncached_input_tokens=None if cached is None else max(0, prompt - cached),
            cache_read_tokens=cached,
            output_tokens=row["completion_tokens"].count(),
            usd=charged + upstream,
        ),
    )


def credits_of(said: Object, account: str, now: datetime) -> CreditQuota:
    """How many credits were ever bought, and how many of them are used. Raises `CellError` or `RecordError`."""
    return CreditQuota(
        vendor=VENDOR,
        plan=f"credits of {account}",
        observed_at=now,
        source=VENDOR,
        used_credits=Cell("total_usage", said.get("total_usage")).price(),
        limit_credits=Cell("total_credits", said.get("total_credits")).price(),
    )


def key_of(said: Object, account: str, now: datetime) -> CreditQuota:
    """What one key may still use. Raises `CellError` or `RecordError`."""
    limit = Cell("limit", said.get("limit")).maybe(Cell.price)
    left = Cell("limit_remaining", said.get("limit_remaining")).maybe(Cell.usd)
    used = Cell("usage", said.get("usage")).price()
    starts_on, resets_at = _period(Cell("limit_reset", said.get("limit_reset")).maybe(Cell.text), now)
    return CreditQuota(
        vendor=VENDOR,
        plan=f"key of {account}",
        observed_at=now,
        source=VENDOR,
        used_credits=used if limit is None or left is None else max(limit - left, limit - limit),
        limit_credits=limit,
        starts_on=starts_on,
        resets_at=resets_at,
    )


def _period(word: str | None, now: datetime) -> tuple[date | None, datetime | None]:
    """The days of a limit that comes back daily, weekly (from Monday) or monthly, in UTC."""
    today = now.astimezone(UTC).date()
    match word:
        case "daily":
            return today, midnight(today + _DAY)
        case "weekly":
            monday = today - today.weekday() * _DAY
            return monday, midnight(monday + 7 * _DAY)
        case "monthly":
            first = today.replace(day=1)
            return first, midnight((first + 31 * _DAY).replace(day=1))
    return None, None
