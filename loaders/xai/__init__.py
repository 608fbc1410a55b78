"""The `xai` loader: what a team at xAI is charged by day and kind of use, its prepaid credits, its invoice so far.

xAI writes money in three scales: ticks of 1e-10 USD beside an answer (read by `responses`), cents as text in balances
and invoices, with the sign of its ledger, and plain dollars in the usage of days.
"""

import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from loaders.item import Item, LoadError, Note, Parsed
from loaders.loader import DAILY, Loader, Task
from loaders.plausible import UNCHECKED
from loaders.read_until import ReadUntil
from loaders.service import Service
from loaders.web import Clock, Web, WebLimits
from loaders.xai.ledger import read_ledger
from loaders.xai.usage import REPULL, Usage
from store import Charge

__all__ = ["LOADER", "read"]

ROOT = "https://management-api.x.ai"
AMOUNTS = "amounts"
_OPTIONS = ("url", "since", AMOUNTS)
_TEAM = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}", re.ASCII)
_KEY = "a management key of the team, which may read its billing (a key for calls cannot)"


def read(task: Task, clock: Clock | None = None, limits: WebLimits | None = None) -> Iterator[Item | Note]:
    """An item for every day and kind of use, and for the balance and the invoice; at the end where it ended.

    Raises:
        LoadError: at once for a team or an option that cannot be right; later where xAI refuses.
    """
    team = task.location.strip()
    if not _TEAM.fullmatch(team):
        raise LoadError(f"the location is the id of a team at xAI, as its console shows it; got {team[:200]!r}")
    root = task.options.get("url", ROOT).strip().rstrip("/")
    until = ReadUntil.parse(task.cursor, "|".join([root, team, task.options.get("since", "")]))
    web = Web(root, task.token, {"User-Agent": "clawback"}, clock or Clock(), limits or WebLimits())
    service = Service(f"xAI team {team}", _KEY, task.token is not None)
    return _items(web, service, team, until, task)


def _items(web: Web, service: Service, team: str, until: ReadUntil, task: Task) -> Iterator[Item | Note]:
    place = f"{web.root.rstrip('/')}/v1/billing/teams/{team}"
    with web:
        used: dict[date, Decimal] = {}
        for item in Usage(web, service, place, team).items(until, task):
            for charge in item.records if isinstance(item, Parsed) else ():
                if isinstance(charge, Charge):
                    used[charge.starts_on] = used.get(charge.starts_on, Decimal(0)) + charge.amount_usd
            yield item
        invoiced = yield from read_ledger(web, service, place, team, task.now)
    if invoiced is not None and task.options.get(AMOUNTS) != UNCHECKED:
        invoiced.refuse_another_unit(used, service.place)
    yield until.reached(task.now)


LOADER = Loader(
    "xai",
    "usage, prepaid credits and invoice of a team at xAI",
    read,
    is_path=False,
    options=_OPTIONS,
    schedule=DAILY,
    repull=REPULL,
)
