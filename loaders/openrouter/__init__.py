"""The `openrouter` loader: what OpenRouter charged an account for each day, its credits, and single generations.

The activity gives charges, which calls are reconciled with, and what was counted, which is compared and never added. A
generation is a call, told once more with what was charged for it: a repair for single ones. The activity goes back
thirty days; what is older, up to a year, is from the analytics, which know less of each day.
"""

import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from loaders.account import account_of, chosen, needs_key, one_of
from loaders.cell import Cell, CellError
from loaders.daily import REPULL, Days, Report, days_to_read
from loaders.item import Item, LoadError, Location, Note, Parsed, Reached, Rejected
from loaders.loader import Loader, Task
from loaders.openclaw.calls import names_of_answer
from loaders.openrouter.api import ANY_KEY, HEADERS, MANAGEMENT_KEY, ROOT, Api
from loaders.openrouter.calls import PROVIDER, Generation, request_of
from loaders.openrouter.history import MOST_DAYS, read_history
from loaders.openrouter.rows import credits_of, key_of, read_activity
from loaders.plausible import UNCHECKED, Scale
from loaders.read_until import ReadUntil
from loaders.service import Object
from loaders.web import Clock, Web, WebLimits
from loaders.web_json import shown
from store import Charge, Record, RecordError
from store.records import RequestStatus

__all__ = ["LOADER", "read"]

ACTIVITY, CREDITS, KEY = "activity", "credits", "key"
_AGENTS = ("none", "user")
_OPTIONS = ("url", "since", "reports", "amounts", "generation", "agent")
_GENERATION = re.compile(r"gen-[A-Za-z0-9_-]{1,200}", re.ASCII)
_MOST_GENERATIONS = 500
_TOLD_OF = timedelta(days=30)
"""How far the activity goes back."""


def read(task: Task, clock: Clock | None = None, limits: WebLimits | None = None) -> Iterator[Item | Note]:
    """An item for every row of the activity of the days that have ended since the last load, and of three before.

    With the option `generation`, one for each of those instead.

    Raises:
        LoadError: at once for a location or an option that cannot be right; later where OpenRouter refuses.
    """
    account = account_of(task, PROVIDER)
    place = f"{PROVIDER} {account}"
    root = task.options.get("url", ROOT).strip().rstrip("/")
    generations, agent = _generations(task), one_of(task, "agent", _AGENTS)
    reports = chosen(task, "reports", (ACTIVITY, CREDITS, KEY), (ACTIVITY, CREDITS))
    token = needs_key(task, place, ANY_KEY if generations or ACTIVITY not in reports else MANAGEMENT_KEY)
    is_checked = one_of(task, "amounts", ("checked", UNCHECKED)) != UNCHECKED
    until = ReadUntil.parse(task.cursor, "|".join([root, account, *reports, task.options.get("since", "")]))
    days = _days(until, task)
    api = Api(Web(root, token, HEADERS, clock or Clock(), limits or WebLimits()), place)
    if generations:
        return _repaired(api, generations, agent, task)
    return _items(api, account, reports, days, until, task.now, Scale(place, task.now) if is_checked else None)


def _items(
    api: Api, account: str, reports: tuple[str, ...], days: Days, until: ReadUntil, now: datetime, scale: Scale | None
) -> Iterator[Item | Note]:
    with api.web:
        if ACTIVITY in reports:
            for item in _by_day(api, Report(PROVIDER, account, ACTIVITY), days):
                if scale is not None and isinstance(item, Parsed):
                    _weigh(scale, item.records)
                yield item
        if CREDITS in reports:
            yield _read(f"{api.place}, credits", api.credits(), lambda said: credits_of(said, account, now))
        if KEY in reports:
            yield _read(f"{api.place}, key", api.key(), lambda said: key_of(said, account, now))
    if scale is not None:
        scale.refuse()
    yield until.reached(days.ends_at)


def _by_day(api: Api, report: Report, days: Days) -> Iterator[Item | Note]:
    """Days that the activity does not have any more are from the analytics."""
    told_from = max(days.starts_on, days.ends_on - _TOLD_OF)
    if days.starts_on < told_from:
        yield from read_history(api, report, Days(days.starts_on, told_from))
    yield from read_activity(api.activity(), report, Days(told_from, days.ends_on))


def _days(until: ReadUntil, task: Task) -> Days:
    """A first load begins where the activity does, unless the option `since` says otherwise."""
    days = days_to_read(until, task)
    told_of = MOST_DAYS * timedelta(days=1) if until.at is not None or "since" in task.options else _TOLD_OF
    return Days(max(days.starts_on, days.ends_on - told_of), days.ends_on)


def _weigh(scale: Scale, records: tuple[Record, ...]) -> None:
    """A fee for the use of one's own key has no list price."""
    if not any(isinstance(record, Charge) and record.line_item == "fee" for record in records):
        for record in records:
            scale.take(record)


def _repaired(api: Api, names: list[str], agent: str, task: Task) -> Iterator[Item | Note]:
    """The cursor stays where it was: what is read here is not what goes on by days."""
    with api.web:
        for name in names:
            said = api.generation(name)
            place = f"{api.place}, generation {name}"
            if said is None:
                yield Rejected(Location(place), f"there is no generation {name} in this account; check the id")
            elif said.get("id") != name:
                yield Rejected(Location(place), f"id must be {name}, got {said.get('id')!a:.100}", shown(said))
            else:
                yield _read(place, said, lambda said: request_of(_generation(said, agent), PROVIDER, task.now))
    if task.cursor is not None:
        yield Reached(task.cursor)


def _generation(said: Object, agent: str) -> Generation:
    """Of the two counts of tokens the one that is charged for, which is the provider's own."""

    def cell(name: str) -> Cell:
        return Cell(name, said.get(name))

    upstream_id, is_byok = cell("upstream_id").maybe(Cell.text), said.get("is_byok") is True
    upstream_cost = Cell("upstream_inference_cost", said.get("upstream_inference_cost") if is_byok else None)
    return Generation(
        id=cell("id"),
        created_at=cell("created_at"),
        model=cell("model").maybe(Cell.text),
        prompt=cell("native_tokens_prompt"),
        completion=cell("native_tokens_completion"),
        cached=cell("native_tokens_cached"),
        cache_effect=cell("cache_discount"),
        # The fee alone is not what the call cost.
        cost=Cell("total_cost", None) if is_byok and upstream_cost.is_empty else cell("total_cost"),
        upstream_cost=upstream_cost,
        duration_ms=cell("generation_time"),
        status=_status(said),
        session_id=cell("session_id").maybe(Cell.text),
        agent=cell("external_user").maybe(Cell.text) if agent == "user" else None,
        identities=names_of_answer(upstream_id),
    )


def _status(said: Object) -> RequestStatus:
    if said.get("cancelled") is True:
        return "aborted"
    return "error" if said.get("finish_reason") == "error" else "ok"


def _read(place: str, said: Object, record: Callable[[Object], Record]) -> Item:
    try:
        return Parsed(Location(place), (record(said),))
    except (CellError, RecordError) as error:
        return Rejected(Location(place), str(error), shown(said))


def _generations(task: Task) -> list[str]:
    names = list(dict.fromkeys(task.options.get("generation", "").replace(",", " ").split()))
    for name in names:
        if not _GENERATION.fullmatch(name):
            raise LoadError(f"the option generation takes ids like gen-1795046500-AAAA, got {name[:100]!r}")
    if len(names) > _MOST_GENERATIONS:
        raise LoadError(f"the option generation takes at most {_MOST_GENERATIONS} ids; the export of the log has all")
    return names


LOADER = Loader(
    PROVIDER,
    "what OpenRouter charged an account for each day, its credits, and single generations, over its API",
    read,
    is_path=False,
    options=_OPTIONS,
    keeps=MOST_DAYS * timedelta(days=1),
    repull=REPULL,
)
