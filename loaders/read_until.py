"""How far a source that goes on by time was read: where a load begins, and what it leaves for the next one."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from loaders.cell import Cell, CellError
from loaders.item import LoadError, Reached
from loaders.loader import Task

_VERSION = 1
_EARLIEST = datetime(2020, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class ReadUntil:
    """What the last load has reached. With other settings a source is read anew, which is never wrong."""

    settings: str
    at: datetime | None = None

    @classmethod
    def parse(cls, text: str | None, settings: str) -> "ReadUntil":
        """A text that is none, or was written with other settings, is a beginning."""
        try:
            said = json.loads(text or "")
            if said["version"] == _VERSION and said["settings"] == settings:
                return cls(settings, datetime.fromisoformat(said["until"]).astimezone(UTC))
        except (ValueError, KeyError, TypeError, RecursionError, OverflowError):
            pass
        return cls(settings)

    def start(self, task: Task, repull: timedelta, first: timedelta) -> datetime:
        """Where this load begins: `repull` before the last one ended; the first one at `since`, or `first` before now.

        Raises `LoadError` for an option `since` that is no day and no instant of the past.
        """
        if self.at is not None and self.at <= task.now:
            return self.at - (task.repull or repull)
        return since_of(task) or task.now - first

    def reached(self, until: datetime) -> Reached:
        said = {"version": _VERSION, "settings": self.settings, "until": until.astimezone(UTC).isoformat()}
        return Reached(json.dumps(said, separators=(",", ":")))


def since_of(task: Task) -> datetime | None:
    """The option `since`, a day or an instant. Raises `LoadError` for anything else."""
    try:
        since = Cell("since", task.options.get("since")).maybe(Cell.instant_or_day)
    except CellError as error:
        raise LoadError(str(error)) from None
    if since is not None and not _EARLIEST <= since <= task.now:
        raise LoadError(f"since must be a day from {_EARLIEST:%Y-%m-%d} up to now, got {since.isoformat()}")
    return since
