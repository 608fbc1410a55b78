"""The `langfuse` loader: generations that Langfuse was told of -> requests, with what Langfuse takes them to cost.

`totalCost` comes from whoever traced the call or from Langfuse's own price list: an estimate, never the cost.
"""

from collections.abc import Iterator

from loaders.auth import Basic
from loaders.cell import Cell, CellError
from loaders.item import Item, LoadError, Note
from loaders.langfuse.generations import AGENTS, Lens
from loaders.langfuse.observations import REPULL, Observations
from loaders.loader import QUARTER_HOURLY, Loader, Task
from loaders.read_until import ReadUntil
from loaders.service import Service
from loaders.web import Clock, Web, WebLimits

__all__ = ["LOADER", "read"]

_OPTIONS = ("since", "agent", "provider")
_KEY = "a pair of API keys of the project, as pk-lf-...:sk-lf-..."


def read(task: Task, clock: Clock | None = None, limits: WebLimits | None = None) -> Iterator[Item | Note]:
    """An item for every generation since the last load, and at the end where it ended.

    Raises:
        LoadError: at once for a location or an option that cannot be right; later where Langfuse refuses.
    """
    root = task.location.strip().rstrip("/")
    until = ReadUntil.parse(task.cursor, "|".join([root, *(task.options.get(name, "") for name in _OPTIONS)]))
    lens = _lens(root, task)
    web = Web(root, task.token, {"User-Agent": "clawback"}, clock or Clock(), limits or WebLimits(), Basic())
    service = Service(f"Langfuse at {root}", _KEY, task.token is not None)
    return Observations(web, service, lens).items(until, task)


def _lens(root: str, task: Task) -> Lens:
    agent = task.options.get("agent")
    if agent is not None and agent not in AGENTS:
        raise LoadError(f"the option agent must be one of {', '.join(AGENTS)}, got {agent[:100]!r}")
    try:
        return Lens(root, task.now, agent, Cell("provider", task.options.get("provider")).maybe(Cell.text))
    except CellError as error:
        raise LoadError(str(error)) from None


LOADER = Loader(
    "langfuse",
    "generations of a Langfuse project, at the address of Langfuse",
    read,
    is_path=False,
    options=_OPTIONS,
    schedule=QUARTER_HOURLY,
    repull=REPULL,
)
