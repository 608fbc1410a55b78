"""The `github` loader: pull requests and issues of a repository -> what the sessions that they name achieved."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from loaders.cell import Cell, CellError
from loaders.github.api import HEADERS, ROOT, Api, repository_of
from loaders.github.cursor import Cursor
from loaders.github.entry import Lens
from loaders.github.issues import read_issues
from loaders.github.markers import MarkerError, Markers
from loaders.github.pulls import judge_pulls, list_pulls
from loaders.item import Item, LoadError, Note, Reached
from loaders.loader import QUARTER_HOURLY, Loader, Task
from loaders.web import Clock, Web, WebLimits

__all__ = ["LOADER", "read"]

_OPTIONS = ("url", "marker", "since")
_REPULL = timedelta(minutes=10)
"""Changes do not become visible in the order of their times."""


def read(task: Task, clock: Clock | None = None, limits: WebLimits | None = None) -> Iterator[Item | Note]:
    """An item for every pull request and issue that has changed since the last load, and at the end where it ended.

    Raises:
        LoadError: at once for a location or an option that cannot be right; later where GitHub refuses.
    """
    repository = repository_of(task.location)
    root = task.options.get("url", ROOT).strip().rstrip("/")
    lens = Lens(repository, _markers(task), task.now, _prefix(root), task.repull or _REPULL)
    since = _since(task)
    web = Web(root, task.token, HEADERS, clock or Clock(), limits or WebLimits())
    settings = "|".join([root, repository, *(task.options.get(name, "") for name in _OPTIONS[1:])])
    return _items(Api(web, repository), Cursor.parse(task.cursor, settings), since, lens)


def _items(api: Api, cursor: Cursor, since: datetime | None, lens: Lens) -> Iterator[Item | Note]:
    with api.web:
        listed, pulls = yield from list_pulls(api, cursor.pulls, since, lens)
        issues = yield from read_issues(api, cursor.issues, since, lens)
        reverts, waiting = yield from judge_pulls(api, listed, cursor, lens)
    yield Reached(Cursor(cursor.settings, pulls, issues, reverts, waiting).dump())


def _markers(task: Task) -> Markers:
    names = task.options.get("marker", "").replace(",", " ").split()
    try:
        return Markers.of(names)
    except MarkerError as error:
        raise LoadError(str(error)) from None


def _since(task: Task) -> datetime | None:
    """A first load reads the whole history where nobody says from when on."""
    try:
        return Cell("since", task.options.get("since")).maybe(Cell.instant_or_day)
    except CellError as error:
        raise LoadError(str(error)) from None


def _prefix(root: str) -> str:
    """Two GitHubs give the same ids to different things."""
    try:
        place = urlsplit(root).netloc.rpartition("@")[2].casefold()
    except ValueError:  # said in better words where the address is used
        return "github"
    return "github" if root == ROOT else place


LOADER = Loader(
    "github",
    "pull requests and issues of a repository such as acme/shop, over the API of GitHub",
    read,
    is_path=False,
    options=_OPTIONS,
    schedule=QUARTER_HOURLY,
    repull=_REPULL,
)
