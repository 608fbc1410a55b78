"""What a loader is: a name, a function that reads, and what the job runner has to know of its source."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from loaders.item import Item, LoadError, Note
from loaders.source import OnBytes, total_bytes

DAILY, QUARTER_HOURLY = "17 5 * * *", "*/15 * * * *"


@dataclass(frozen=True, slots=True)
class Task:
    """One load: what is to be read, and from where on."""

    location: str
    """A path, or what names a source that is none, such as owner/repository."""
    now: datetime
    options: Mapping[str, str] = field(default_factory=dict)
    cursor: str | None = None
    """What the last load of this source has `Reached`; None for the first."""
    token: str | None = field(default=None, repr=False)
    """The secret that the source asks for."""
    repull: timedelta | None = None
    """How much before the cursor is read once more, where not what the loader takes for enough."""
    on_bytes: OnBytes | None = None

    @property
    def path(self) -> Path:
        return Path(self.location)


@dataclass(frozen=True, slots=True)
class Loader:
    """One kind of source. `read` yields one item for each line or entry; `LoadError` where the load cannot go on."""

    name: str
    reads: str
    """For people, in a few words."""
    read: Callable[[Task], Iterator[Item | Note]]
    is_path: bool = True
    """Whether a location is a path."""
    size: Callable[[Path], int] | None = None
    """How many bytes `Task.on_bytes` will be told of; None where nobody can say."""
    options: tuple[str, ...] = ()
    """The names of the options that it takes."""
    paths: tuple[str, ...] = ()
    """Of those, the ones that are paths."""
    schedule: str = DAILY
    """How often it is loaded where nobody says otherwise, as cron says it."""
    keeps: timedelta | None = None
    """How long the source keeps what happened, at the least; None where nothing is lost."""
    repull: timedelta | None = None
    """How much before its cursor it reads once more; None where it reads everything each time."""

    def check_options(self, options: Mapping[str, str]) -> None:
        """Raises `LoadError` for an option that it does not take."""
        for name in options:
            if name not in self.options:
                takes = f"it takes {', '.join(self.options)}" if self.options else "it takes none"
                raise LoadError(f"{self.name} has no option '{name}'; {takes}")


def of_files(
    name: str,
    reads: str,
    read: Callable[..., Iterator[Item | Note]],
    paths: Callable[[Path], list[Path]] = lambda path: [path],
    *,
    schedule: str = DAILY,
    keeps: timedelta | None = None,
) -> Loader:
    """A loader of the files at a path: `read(path, now=..., on_bytes=...)` reads those that `paths(path)` lists."""
    return Loader(
        name,
        reads,
        lambda task: read(task.path, now=task.now, on_bytes=task.on_bytes),
        size=lambda path: total_bytes(paths(path)),
        schedule=schedule,
        keeps=keeps,
    )
