"""Days that are older than the thirty of the activity, from OpenRouter's analytics: what was charged, by model.

The analytics cut an answer that is too long and say so, without a way to go on: then a shorter time is asked for.
Counts come as text, and the name of the time is one of two.
"""

from collections.abc import Iterator
from datetime import timedelta

from loaders.cell import Cell
from loaders.daily import Days, Report, ReportRow
from loaders.item import Item, LoadError, Note
from loaders.openrouter.api import Api
from loaders.openrouter.flat import read_flat
from loaders.service import Object
from store import Charge, ReportedUsage

VENDOR = "openrouter"
MOST_DAYS = 365
_WINDOW = 31
"""Days that are asked for at once."""
_MOST_ROWS = 10_000
_METRICS = ("request_count", "tokens_prompt", "tokens_completion", "cached_tokens", "credits_usage", "byok_usage")
_DATES = ("date__day", "created_at__day")
_DAY = timedelta(days=1)


def read_history(api: Api, report: Report, days: Days) -> Iterator[Item | Note]:
    """An item for every row. `report` is the activity's: a day is from the one or the other and never from both.

    Raises `LoadError` where a single day has more rows than an answer may have.
    """
    waiting = [Days(day, min(day + _WINDOW * _DAY, days.ends_on)) for day in list(days)[::_WINDOW]][::-1]
    while waiting:
        asked = waiting.pop()
        rows = api.analytics(_question(asked))
        if rows is None:
            waiting += reversed(_halves(asked, api.place))
        else:
            place = f"{VENDOR} {report.account}, analytics from {asked.starts_on}"
            yield from read_flat(rows, place, report, asked, _DATES, _records)


def _question(days: Days) -> Object:
    return {
        "metrics": list(_METRICS),
        "dimensions": ["model"],
        "granularity": "day",
        "time_range": {"start": f"{days.starts_at:%Y-%m-%dT%H:%M:%SZ}", "end": f"{days.ends_at:%Y-%m-%dT%H:%M:%SZ}"},
        "limit": _MOST_ROWS,
    }


def _halves(days: Days, place: str) -> list[Days]:
    middle = days.starts_on + (days.ends_on - days.starts_on) / 2
    if middle == days.starts_on:
        raise LoadError(f"{place}: the analytics of {middle} have over {_MOST_ROWS:,} rows, and cannot be read whole")
    return [Days(days.starts_on, middle), Days(middle, days.ends_on)]


def _records(row: ReportRow) -> tuple[Charge | ReportedUsage, ...]:
    """Raises `CellError` or `RecordError`."""
    model = row.text("model")
    row_id = row.row_id("analytics", model)
    charged, upstream = row["credits_usage"].usd(), row["byok_usage"].maybe(Cell.price) or 0
    prompt, cached = row["tokens_prompt"].count(), row["cached_tokens"].maybe(Cell.count)
    return (
        row.charge(
            row_id,
            VENDOR,
            charged,
            f"{model or 'a model'}, from the analytics",
            model=model,
            line_item="credit" if charged < 0 else "tokens",
        ),
        row.usage(
            row_id,
            VENDOR,
            model=model,
            requests=row["request_count"].count(),
            uncached_input_tokens=None if cached is None else max(0, prompt - cached),
            cache_read_tokens=cached,
            output_tokens=row["tokens_completion"].count(),
            usd=charged + upstream,
        ),
    )
