"""The `workq` loader: the database of a work queue -> what came of the items that sessions have claimed.

An item is one outcome, that of the session which holds it now: a claim that was given up or taken over leaves no
session key behind. Done is a success and dropped a failure. One in review is work whose worth is undecided. One that is
open is undecided for a day, the attribution window of a work item (a week in review), and an unsuccessful try after it.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from loaders.item import Ignored, Item, LoadError, Parsed, Rejected
from loaders.loader import QUARTER_HOURLY, Loader, Task
from loaders.openclaw.keys import Directory
from loaders.source import total_bytes
from loaders.sqlite import SqliteError, open_sqlite, sidecars
from loaders.workq.clock import clock_of
from loaders.workq.residents import lived_at, residents_of, session_in
from loaders.workq.work import WorkItem, check_shape, newest, work_items
from store import Outcome, RecordError

__all__ = ["LOADER", "read"]

_WINDOW, _REVIEW_WINDOW = timedelta(days=1), timedelta(days=7)


def read(
    path: Path, *, now: datetime, home: Path | None = None, zone: str | None = None, queue: str | None = None
) -> Iterator[Item]:
    """An item for every work item.

    `home` is the OpenClaw home whose sessions claim the items; without it, the one that the database lies in. `zone` is
    that of the host where SQLite shifts its times. `queue` tells items of one name in two queues apart.

    Raises:
        LoadError: there is no such database, it is none of WorkQ, or nobody can say what its times mean.
    """
    found = _rows(path, now, zone)
    home = home or _home_around(path)
    items = [item for item in found if isinstance(item, WorkItem)]
    keys = {item.session_key for item in items if session_in(item.session_key) is None}
    directory = residents_of(home, keys, now) if home and keys else None
    return (item if not isinstance(item, WorkItem) else _item(item, directory, queue, now) for item in found)


def _rows(path: Path, now: datetime, zone: str | None) -> list[WorkItem | Ignored | Rejected]:
    shown_as = os.fsencode(path).decode("utf-8", "replace")
    if not path.is_file():
        raise LoadError(f"{shown_as}: there is no such file; give the database of WorkQ, usually workq/workq.db")
    written_at = max(_written_at(file) for file in (path, *sidecars(path)))
    try:
        with open_sqlite(path, shown_as) as connection:
            check_shape(connection, shown_as)
            clock = clock_of(zone, newest(connection), written_at, shown_as)
            return list(work_items(connection, shown_as, clock, now))
    except SqliteError as error:
        raise LoadError(f"{shown_as}: {error}") from error


def _written_at(path: Path) -> datetime:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)


def _home_around(path: Path) -> Path | None:
    """`~/.openclaw/workq/workq.db` lies in the home of its sessions."""
    with suppress(OSError):
        home = path.resolve().parent.parent
        return home if (home / "agents").is_dir() else None
    return None


def _item(item: WorkItem, directory: Directory | None, queue: str | None, now: datetime) -> Item:
    session_id = session_in(item.session_key)
    if session_id is None and directory is None:
        return Ignored(item.location, "no OpenClaw home says which session lived at its key: give the option home")
    if session_id is None and directory is not None:
        session_id = lived_at(directory, item.session_key, item.agent, item.touched_at)
    if session_id is None:
        return Ignored(item.location, "the OpenClaw home does not know which session lived at its key then")
    kind, is_success, occurred_at = _verdict(item, now)
    try:
        outcome = Outcome(
            outcome_id=f"workq:{queue}:{item.issue_ref}" if queue else f"workq:{item.issue_ref}",
            source="workq",
            session_id=session_id,
            kind=kind,
            is_success=is_success,
            occurred_at=occurred_at,
        )
    except RecordError as error:
        return Rejected(item.location, str(error))
    return Parsed(item.location, (outcome,))


def _verdict(item: WorkItem, now: datetime) -> tuple[str, bool | None, datetime | None]:
    if item.status == "done":
        return "WORKQ_RESOLVED", True, item.ended_at
    if item.status == "dropped":
        return "WORKQ_DROPPED", False, item.ended_at
    closes_at = item.updated_at + (_REVIEW_WINDOW if item.status == "in-review" else _WINDOW)
    if now >= closes_at:
        return "WORKQ_OVERDUE", False, closes_at
    # UNKNOWN leaves a session that has ended pending; any other kind would count an open item as an achievement.
    return ("WORKQ_IN_REVIEW" if item.status == "in-review" else "UNKNOWN"), None, None


def _read(task: Task) -> Iterator[Item]:
    home = task.options.get("home")
    items = read(
        task.path,
        now=task.now,
        home=Path(home).expanduser() if home else None,
        zone=task.options.get("zone"),
        queue=task.options.get("queue"),
    )
    if task.on_bytes is not None:
        task.on_bytes(_size(task.path))
    return items


def _size(path: Path) -> int:
    return total_bytes([path, *sidecars(path)])


LOADER = Loader(
    "workq",
    "the database of a work queue, such as ~/.openclaw/workq/workq.db",
    _read,
    size=_size,
    options=("home", "zone", "queue"),
    paths=("home",),
    schedule=QUARTER_HOURLY,
)
