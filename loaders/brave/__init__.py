"""The `brave` loader: makes one search, and reads from its headers how much of the month is used.

Brave Search has no report of use and no bill over its API. The headers of any answer say how much is left, so the
search that asks for them is counted, too: it is made only where the option `probe` says so.
"""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

from loaders.auth import InHeader
from loaders.cell import CellError
from loaders.credits import brave as headers
from loaders.credits import prices_of
from loaders.credits.captures import Capture
from loaders.credits.plans import Plans
from loaders.item import Item, LoadError, Location, Note, Rejected
from loaders.loader import DAILY, Loader, Task
from loaders.service import Service
from loaders.web import Answer, Clock, TryAgainError, Web, WebLimits
from loaders.web_json import shown
from store import RecordError

__all__ = ["LOADER", "read"]

ROOT, SOURCE = "https://api.search.brave.com", "brave"
_SEARCH = "/res/v1/web/search?" + urlencode({"q": "clawback", "count": 1})
_KEY = "a subscription token of Brave Search"
_OPTIONS = ("url", "probe", "plans")


def read(task: Task, clock: Clock | None = None, limits: WebLimits | None = None) -> Iterator[Item | Note]:
    """One item: the state of the month. The location is the plan, such as 'search'.

    Raises:
        LoadError: at once where the option `probe` does not allow the search; later where Brave refuses.
    """
    if task.options.get("probe") != "yes":
        raise LoadError(
            "Brave says what was used only in the headers of a search, and a search costs money: give the option "
            "probe=yes to make one each time, or keep headers of your own searches and load them with `credits`"
        )
    plans = task.options.get("plans")
    prices = Plans(prices_of(Path(plans)) if plans else [])
    root = task.options.get("url", ROOT).strip().rstrip("/")
    asked = {"User-Agent": "clawback", "Accept": "application/json"}
    web = Web(root, task.token, asked, clock or Clock(), limits or WebLimits(), InHeader("X-Subscription-Token"))
    return _items(web, Service("Brave Search", _KEY, task.token is not None), prices, task)


def _items(web: Web, service: Service, prices: Plans, task: Task) -> Iterator[Item | Note]:
    place = Location(f"{service.place}, plan {task.location}")
    with web:
        said = web.get(web.root.rstrip("/") + _SEARCH, lambda answer: _headers(answer, service, web))
    content = {name: value for name, value in said.items() if name.startswith("x-ratelimit-")}
    capture = Capture(place, task.now, content, is_headers=True, plan=task.location, metric=None, source=SOURCE)
    try:
        if not headers.is_brave(capture):
            raise CellError("the answer has no header X-RateLimit-Limit, so that it does not say what was used")
        yield from headers.month(capture, prices)
    except (CellError, RecordError) as error:
        yield Rejected(place, str(error), shown(content))


def _headers(answer: Answer, service: Service, web: Web) -> dict[str, str]:
    """A search that is refused because the month is used up says so in the same headers, and costs nothing."""
    if answer.status == 429 and not _is_used_up(answer):
        raise TryAgainError("Brave asks for a pause (429)", answer.pause(web.clock.now()) or 1.0)
    if answer.status != 429:
        service.refuse(answer, "the rate limits", web.clock.now())
    return dict(answer.headers)


def _is_used_up(answer: Answer) -> bool:
    """Nothing is left of the longest window, which is the last in every list of the headers."""
    left = answer.headers.get("x-ratelimit-remaining", "").split(",")
    limit = answer.headers.get("x-ratelimit-limit", "").split(",")
    return len(left) > 1 and left[-1].strip() == "0" and limit[-1].strip() != "0"


LOADER = Loader(
    "brave",
    "how much of a plan of Brave Search is used; asks with one search (option probe)",
    read,
    is_path=False,
    options=_OPTIONS,
    paths=("plans",),
    schedule=DAILY,
)
