"""The `elevenlabs` loader: asks ElevenLabs how far the credits of the plan are used, and how many by day and key.

What an answer means is the same whoever has asked for it, so it is read where captured answers are: `loaders.credits`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from loaders.auth import InHeader
from loaders.cell import CellError
from loaders.credits import elevenlabs as answers
from loaders.credits.captures import Capture
from loaders.credits.plans import Plans
from loaders.item import Item, LoadError, Location, Note, Rejected
from loaders.loader import DAILY, Loader, Task
from loaders.read_until import ReadUntil
from loaders.service import NotThereError, Object, Service
from loaders.web import Clock, Web, WebLimits
from loaders.web_json import shown
from store import RecordError

__all__ = ["LOADER", "read"]

ROOT, SOURCE = "https://api.elevenlabs.io", "elevenlabs"
LOCATIONS = ("workspace", "user")
"""Whose use is asked for."""
_OPTIONS = ("url", "since")
_REPULL = timedelta(days=3)
_FIRST = timedelta(days=30)
_WINDOW = timedelta(days=31)
_KEY = "an API key with the permission to read the user and its usage"


def read(task: Task, clock: Clock | None = None, limits: WebLimits | None = None) -> Iterator[Item | Note]:
    """An item for the state of the subscription and for each day and key of use; at the end where it ended.

    Raises:
        LoadError: at once for a location or an option that cannot be right; later where ElevenLabs refuses.
    """
    if task.location not in LOCATIONS:
        raise LoadError(f"the location is {' or '.join(LOCATIONS)}: whose use is told; got {task.location[:100]!r}")
    root = task.options.get("url", ROOT).strip().rstrip("/")
    until = ReadUntil.parse(task.cursor, "|".join([root, task.location, task.options.get("since", "")]))
    start = until.start(task, _REPULL, _FIRST)
    web = Web(
        root, task.token, {"User-Agent": "clawback"}, clock or Clock(), limits or WebLimits(), InHeader("xi-api-key")
    )
    service = Service(f"ElevenLabs ({task.location})", _KEY, task.token is not None)
    return _items(_Api(web, service, task), until, start)


def _items(api: "_Api", until: ReadUntil, start: datetime) -> Iterator[Item | Note]:
    with api.web:
        subscription = api.subscription()
        yield from _read(subscription, answers.subscription)
        plans = _plans(subscription)
        start = start.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        try:
            while start < api.task.now:
                end = min(start + _WINDOW, api.task.now)
                yield from _read(api.usage(start, end), lambda usage: answers.usage(usage, plans))
                start = end
        except NotThereError as error:  # ElevenLabs has said that it will take this report away
            yield Rejected(Location(f"{api.service.place}, the usage"), str(error))
            return
    yield until.reached(api.task.now)


@dataclass(frozen=True, slots=True)
class _Api:
    web: Web
    service: Service
    task: Task

    def subscription(self) -> Capture:
        return self._asked("/v1/user/subscription", "the subscription")

    def usage(self, start: datetime, end: datetime) -> Capture:
        """Milliseconds here, though the subscription has seconds."""
        asked = {
            "start_unix": _milliseconds(start),
            "end_unix": _milliseconds(end),
            "aggregation_interval": "day",
            "breakdown_type": "api_keys",
            "metric": "credits",
            "include_workspace_metrics": "true" if self.task.location == "workspace" else "false",
        }
        return self._asked(f"/v1/usage/character-stats?{urlencode(asked)}", "the usage")

    def _asked(self, path: str, what: str) -> Capture:
        now = self.web.clock.now
        said: Object = self.web.get(
            self.web.root.rstrip("/") + path, lambda answer: self.service.object_of(answer, what, now())
        )
        place = Location(f"{self.service.place}, {what}")
        return Capture(place, self.task.now, said, is_headers=False, plan=None, metric="credits", source=SOURCE)


def _read(capture: Capture, items: Callable[[Capture], Iterator[Item]]) -> Iterator[Item]:
    """What an answer says, or why it cannot be read: one that is wrong costs no other."""
    try:
        yield from items(capture)
    except (CellError, RecordError) as error:
        yield Rejected(capture.location, str(error), shown(dict(capture.content)))


def _plans(subscription: Capture) -> Plans:
    """What a credit is worth, where the subscription says it."""
    try:
        price = answers.price(subscription)
    except (CellError, RecordError):  # told of where the subscription is read
        price = None
    return Plans([] if price is None else [price])


def _milliseconds(instant: datetime) -> int:
    return int(instant.timestamp()) * 1000


LOADER = Loader(
    "elevenlabs",
    "subscription and use of credits at ElevenLabs, of the workspace or the user",
    read,
    is_path=False,
    options=_OPTIONS,
    schedule=DAILY,
    repull=_REPULL,
)
