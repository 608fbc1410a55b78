"""The `litellm` loader: the spend logs of a LiteLLM proxy -> requests, with what LiteLLM takes them to cost.

`spend` is LiteLLM's own computation at its own price list, so it is an estimate beside the cost and never the cost.
"""

from collections.abc import Iterator

from loaders.item import Item, LoadError, Note
from loaders.litellm.logs import REPULL, Logs
from loaders.litellm.rows import AGENTS, SESSIONS, Lens
from loaders.loader import QUARTER_HOURLY, Loader, Task
from loaders.read_until import ReadUntil
from loaders.service import Service
from loaders.web import Clock, Web, WebLimits

__all__ = ["LOADER", "read"]

_OPTIONS = ("since", "agent", "sessions")
_KEY = "the master key of the proxy, or the key of one of its admins"


def read(task: Task, clock: Clock | None = None, limits: WebLimits | None = None) -> Iterator[Item | Note]:
    """An item for every row of the spend logs since the last load, and at the end where it ended.

    Raises:
        LoadError: at once for a location or an option that cannot be right; later where the proxy refuses.
    """
    root = task.location.strip().rstrip("/")
    lens = Lens(root, task.now, _chosen(task, "agent", AGENTS), _chosen(task, "sessions", SESSIONS))
    until = ReadUntil.parse(task.cursor, "|".join([root, *(task.options.get(name, "") for name in _OPTIONS)]))
    web = Web(root, task.token, {"User-Agent": "clawback"}, clock or Clock(), limits or WebLimits())
    logs = Logs(web, Service(f"LiteLLM at {root}", _KEY, task.token is not None), lens)
    return logs.items(until, task)


def _chosen(task: Task, option: str, choices: tuple[str, ...]) -> str:
    chosen = task.options.get(option, choices[0])
    if chosen not in choices:
        raise LoadError(f"the option {option} must be one of {', '.join(choices)}, got {chosen[:100]!r}")
    return chosen


LOADER = Loader(
    "litellm",
    "the spend logs of a LiteLLM proxy at its address",
    read,
    is_path=False,
    options=_OPTIONS,
    schedule=QUARTER_HOURLY,
    repull=REPULL,
)
