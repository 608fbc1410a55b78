"""The `anthropic` loader: what Anthropic charged an organisation for each day, and what it counted of tokens.

The cost report gives charges, which calls are reconciled with; the usage report what was counted, which is compared and
never added. Neither knows a session. What is paid for committed capacity (Priority Tier) is in neither as money.
"""

from collections.abc import Iterator

from loaders.account import account_of, chosen, needs_key, one_of
from loaders.anthropic.api import HEADERS, KEY, ROOT, Api, bucket, scheme_of
from loaders.anthropic.rows import charge_of, claude_code_of, usage_of
from loaders.daily import REPULL, Days, Report, days_to_read, read_buckets, read_day
from loaders.item import Item, Note, Parsed
from loaders.loader import Loader, Task
from loaders.plausible import UNCHECKED, Scale
from loaders.read_until import ReadUntil
from loaders.service import Service
from loaders.web import Clock, Web, WebLimits
from store import ReportedUsage

__all__ = ["LOADER", "read"]

NAME = "anthropic"
COSTS, USAGE, CLAUDE_CODE = "costs", "usage", "claude-code"
_OPTIONS = ("url", "since", "reports", "amounts")


def read(task: Task, clock: Clock | None = None, limits: WebLimits | None = None) -> Iterator[Item | Note]:
    """An item for every row of the reports of the days that have ended since the last load, and of three days before.

    Raises:
        LoadError: at once for a location, an option or a kind of key that cannot be right; later where Anthropic
            refuses.
    """
    account = account_of(task, NAME)
    place = f"{NAME} {account}"
    token = needs_key(task, place, KEY)
    root = task.options.get("url", ROOT).strip().rstrip("/")
    reports = chosen(task, "reports", (COSTS, USAGE, CLAUDE_CODE), (COSTS, USAGE))
    is_checked = one_of(task, "amounts", ("checked", UNCHECKED)) != UNCHECKED
    until = ReadUntil.parse(task.cursor, "|".join([root, account, *reports, task.options.get("since", "")]))
    days = days_to_read(until, task)
    web = Web(root, token, HEADERS, clock or Clock(), limits or WebLimits(), scheme_of(token, place))
    scale = Scale(place, task.now) if is_checked else None
    return _items(Api(web, Service(place, KEY, has_key=True)), account, reports, days, until, scale)


def _items(
    api: Api, account: str, reports: tuple[str, ...], days: Days, until: ReadUntil, scale: Scale | None
) -> Iterator[Item | Note]:
    with api.web:
        for name in reports if days.starts_on < days.ends_on else ():
            for item in _report(api, Report(NAME, account, name), days):
                if scale is not None and isinstance(item, Parsed):
                    _weigh(scale, item)
                yield item
    if scale is not None:
        scale.refuse()
    yield until.reached(days.ends_at)


def _report(api: Api, report: Report, days: Days) -> Iterator[Item | Note]:
    match report.name:
        case "costs":
            yield from read_buckets(api.costs(days), report, days, bucket, charge_of)
        case "usage":
            yield from read_buckets(api.usage(days), report, days, bucket, usage_of)
        case _:
            for day in days:
                rows = [row for page in api.claude_code(day) for row in page]
                yield from read_day(report, day, rows, claude_code_of)


def _weigh(scale: Scale, item: Parsed) -> None:
    for record in item.records:
        if not (isinstance(record, ReportedUsage) and record.is_billed_apart):
            scale.take(record)


LOADER = Loader(
    NAME,
    "what Anthropic charged an organisation and counted of its tokens, over its Admin API",
    read,
    is_path=False,
    options=_OPTIONS,
    repull=REPULL,
)
