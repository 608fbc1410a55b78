"""The `openai` loader: what OpenAI charged an organisation for each day, and what it counted of calls and tokens.

The costs are what the invoice says, and give charges; the usage is what was counted, compared with calls and never
added. The two need not agree: free tiers, scale tiers and shared data are in the second and not in the first.
"""

from collections.abc import Iterator

from loaders.account import account_of, chosen, needs_key, one_of
from loaders.daily import REPULL, Days, Report, days_to_read, read_buckets
from loaders.item import Item, Note, Parsed
from loaders.loader import Loader, Task
from loaders.openai.api import HEADERS, KEY, ROOT, Api, bucket, check_key
from loaders.openai.rows import charge_of, usage_of
from loaders.plausible import UNCHECKED, Scale
from loaders.read_until import ReadUntil
from loaders.service import Service
from loaders.web import Clock, Web, WebLimits

__all__ = ["LOADER", "read"]

NAME = "openai"
COSTS = "costs"
KINDS = ("completions", "embeddings", "moderations")
"""The calls whose usage is counted in tokens."""
_OPTIONS = ("url", "since", "reports", "amounts")


def read(task: Task, clock: Clock | None = None, limits: WebLimits | None = None) -> Iterator[Item | Note]:
    """An item for every row of the reports of the days that have ended since the last load, and of three days before.

    Raises:
        LoadError: at once for a location, an option or a kind of key that cannot be right; later where OpenAI refuses.
    """
    account = account_of(task, NAME)
    place = f"{NAME} {account}"
    token = needs_key(task, place, KEY)
    check_key(token, place)
    root = task.options.get("url", ROOT).strip().rstrip("/")
    reports = chosen(task, "reports", (COSTS, *KINDS), (COSTS, "completions", "embeddings"))
    is_checked = one_of(task, "amounts", ("checked", UNCHECKED)) != UNCHECKED
    until = ReadUntil.parse(task.cursor, "|".join([root, account, *reports, task.options.get("since", "")]))
    days = days_to_read(until, task)
    web = Web(root, token, HEADERS, clock or Clock(), limits or WebLimits())
    scale = Scale(place, task.now) if is_checked else None
    return _items(Api(web, Service(place, KEY, has_key=True)), account, reports, days, until, scale)


def _items(
    api: Api, account: str, reports: tuple[str, ...], days: Days, until: ReadUntil, scale: Scale | None
) -> Iterator[Item | Note]:
    with api.web:
        for name in reports if days.starts_on < days.ends_on else ():
            pages = api.costs(days) if name == COSTS else api.usage(name, days)
            reading = charge_of if name == COSTS else usage_of
            for item in read_buckets(pages, Report(NAME, account, name), days, bucket, reading):
                if scale is not None and isinstance(item, Parsed):
                    for record in item.records:
                        scale.take(record)
                yield item
    if scale is not None:
        scale.refuse()
    yield until.reached(days.ends_at)


LOADER = Loader(
    NAME,
    "what OpenAI charged an organisation and counted of its calls and tokens, over its Admin API",
    read,
    is_path=False,
    options=_OPTIONS,
    repull=REPULL,
)
