"""The rows of a WorkQ database -> work items, each with who holds it and when that session was last at it."""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, cast, get_args

from loaders.item import Ignored, LoadError, Location, Rejected
from loaders.sqlite import columns
from loaders.workq.clock import Clock, WorkError

Status = Literal["claimed", "in-progress", "blocked", "in-review", "done", "dropped"]

_STATUSES: tuple[str, ...] = get_args(Status)
_NEEDED = {
    "work_items": ("id", "issue_ref", "agent_id", "status", "updated_at", "claimed_session_key"),
    "work_log": ("id", "issue_ref", "agent_id", "action", "created_at"),
}
_NOBODY = "system:unclaimed"
_CLOCK_SLACK = timedelta(days=1)
_MOST_CHARACTERS = 900
"""Of a name; the ids that are made of it may have a little more."""

# The bare columns beside max() are those of the row that has the maximum: SQLite promises it.
_ITEMS = """
    SELECT item.id, item.issue_ref, item.agent_id, item.status, item.claimed_session_key, item.updated_at,
        coalesce(touch.created_at, item.updated_at), coalesce(ending.created_at, item.updated_at)
    FROM work_items AS item
    LEFT JOIN (
        SELECT issue_ref, agent_id, max(id), created_at FROM work_log GROUP BY issue_ref, agent_id
    ) AS touch ON touch.issue_ref = item.issue_ref AND touch.agent_id = item.agent_id
    LEFT JOIN (
        SELECT issue_ref, action, max(id), created_at FROM work_log
        WHERE action IN ('completed', 'dropped') GROUP BY issue_ref, action
    ) AS ending ON ending.issue_ref = item.issue_ref
        AND ending.action = CASE item.status WHEN 'done' THEN 'completed' WHEN 'dropped' THEN 'dropped' END
    ORDER BY item.id"""
_NEWEST = """
    SELECT coalesce(
        (SELECT created_at FROM work_log ORDER BY id DESC LIMIT 1),
        (SELECT max(updated_at) FROM work_items)
    )"""


@dataclass(frozen=True, slots=True)
class WorkItem:
    """One item and the claim that holds it now; claims before it left no session key behind."""

    location: Location
    issue_ref: str
    agent: str
    status: Status
    session_key: str
    touched_at: datetime
    """When the claimer was last at it. A sweep that closes it later is not the claimer."""
    ended_at: datetime
    """When it was done or dropped; for one that is neither, when it last changed."""
    updated_at: datetime


def check_shape(connection: sqlite3.Connection, shown_as: str) -> None:
    """Raises `LoadError` that names what is missing."""
    for table, needed in _NEEDED.items():
        held = columns(connection, table)
        missing = [column for column in needed if column not in held]
        if not held:
            raise LoadError(f"{shown_as}: has no table {table}; give the database of WorkQ, usually workq/workq.db")
        if missing == ["claimed_session_key"]:
            raise LoadError(
                f"{shown_as}: work_items has no column claimed_session_key, so nobody can say which session did the "
                "work; newer WorkQ adds it when it starts"
            )
        if missing:
            raise LoadError(f"{shown_as}: {table} has no column {', '.join(missing)}; it has {', '.join(sorted(held))}")


def newest(connection: sqlite3.Connection) -> object:
    """The time in the row that was written last; None where there are no rows."""
    (found,) = connection.execute(_NEWEST).fetchone()
    return found


def work_items(
    connection: sqlite3.Connection, shown_as: str, clock: Clock, now: datetime
) -> Iterator[WorkItem | Ignored | Rejected]:
    """One a row."""
    for number, (row_id, *values) in enumerate(connection.execute(_ITEMS), start=1):
        location = Location(f"{shown_as}#work_items", row_id if isinstance(row_id, int) and row_id > 0 else number)
        try:
            yield _item(location, values, clock, now)
        except WorkError as error:
            yield Rejected(location, str(error), repr(values)[:2000])


def _item(location: Location, values: list[object], clock: Clock, now: datetime) -> WorkItem | Ignored:
    issue_ref, agent, status = (_text(*pair) for pair in zip(("issue_ref", "agent_id", "status"), values, strict=False))
    if status not in _STATUSES:
        raise WorkError(f"status must be one of {', '.join(_STATUSES)}, got {ascii(status)[:60]}")
    if agent == _NOBODY:
        return Ignored(location, "a work item that nobody has claimed")
    if values[3] is None:
        return Ignored(location, "a work item that was claimed without a session key")
    updated_at, touched_at, ended_at = (
        _past(clock.instant(name, value), name, now)
        for name, value in zip(("updated_at", "created_at", "created_at"), values[4:], strict=True)
    )
    return WorkItem(
        location=location,
        issue_ref=issue_ref,
        agent=agent,
        status=cast(Status, status),
        session_key=_text("claimed_session_key", values[3]),
        touched_at=touched_at,
        ended_at=ended_at,
        updated_at=updated_at,
    )


def _text(name: str, value: object) -> str:
    text = value.strip() if isinstance(value, str) else ""
    if not text or len(text) > _MOST_CHARACTERS or "\x00" in text:
        raise WorkError(f"{name} must be text of at most {_MOST_CHARACTERS} characters, got {ascii(value)[:60]}")
    return text


def _past(instant: datetime, name: str, now: datetime) -> datetime:
    if instant > now + _CLOCK_SLACK:
        raise WorkError(f"{name} is {instant.isoformat()}, more than a day ahead of this load's clock")
    return instant
