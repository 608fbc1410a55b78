"""Run logs: any JSONL, CSV or Parquet file with one agent run a line, read through a mapping.

A run line gives a session, its total as one session-scope request (its cost is unknown where the line has none), and
an outcome where the mapping says how to tell.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import cast, get_args

from loaders.cell import Cell, CellError
from loaders.item import Item, LoadError
from loaders.loader import Loader, Task
from loaders.mapping import InstantOrigin, NamedOrigin, Origin, RunMapping, ZeroCost, read_mapping
from loaders.source import OnBytes, total_bytes
from loaders.table import Entry, Row, Table, nearest, open_table, read_entries
from store import Outcome, Record, Request, Session
from store.records import Termination, Trigger

STATED = 70
"""Confidence in what a run log says of a session: above a guess from a name, below the system that ran it."""
PRESUMED = 10
"""Confidence that a logged run has ended, where the log has no column for that."""

_TRIGGERS: tuple[str, ...] = get_args(Trigger)
_TERMINATIONS: tuple[str, ...] = get_args(Termination)
_CLOCK_SLACK = timedelta(days=1)


def read(path: Path, mapping: RunMapping, *, now: datetime, on_bytes: OnBytes | None = None) -> Iterator[Item]:
    """An item for every line of a run log.

    Raises:
        LoadError: there is no such file, or the mapping names a column that it does not have.
    """
    table = open_table(path, on_bytes=on_bytes)
    _check_columns(table, mapping)
    return read_entries(table.rows, lambda row: _run(row, mapping, latest=now + _CLOCK_SLACK))


def _check_columns(table: Table, mapping: RunMapping) -> None:
    if not table.columns:
        return
    for key, column in mapping.columns():
        if column not in table.columns:
            raise LoadError(
                f"{table.shown_as}: {key} of the mapping reads column {column!r}, which is not there"
                f"{nearest(column, table.columns)}; the file has {', '.join(table.columns)}"
            )


def _run(row: Row, mapping: RunMapping, latest: datetime) -> Entry:
    session = _session(row, mapping, latest)
    total = Request(
        request_key=f"{mapping.source}:run:{session.session_id}",
        source=mapping.source,
        scope="session",
        session_id=session.session_id,
        agent=session.agent,
        provider=_text(mapping.provider, row),
        model=session.model,
        started_at=session.started_at,
        ended_at=session.ended_at,
        reported_usd=_cost(row, mapping),
    )
    return Entry(f"session {session.session_id!r}", (session, total, *_outcome(row, mapping, session)))


def _session(row: Row, mapping: RunMapping, latest: datetime) -> Session:
    started_at = _instant(mapping.started_at, row, latest)
    ended_at = _instant(mapping.ended_at, row, latest)
    trigger = _word(mapping.trigger, row, _TRIGGERS)
    termination = _word(mapping.termination, row, _TERMINATIONS) if mapping.termination else "unknown"
    rule, confidence = ("mapping", STATED) if mapping.termination else ("a logged run has ended", PRESUMED)
    return Session(
        session_id="/".join(row[column].text() for column in mapping.session_id),
        source=mapping.source,
        observed_at=ended_at or started_at,
        agent=_text(mapping.agent, row),
        parent_session_id=_text(mapping.parent_session_id, row),
        trigger=cast(Trigger | None, trigger),
        trigger_rule="mapping" if trigger else None,
        trigger_confidence=STATED if trigger else 0,
        task_class=_text(mapping.task_class, row),
        model=_text(mapping.model, row),
        started_at=started_at,
        ended_at=ended_at,
        termination=cast(Termination | None, termination),
        termination_rule=rule if termination else None,
        termination_confidence=confidence if termination else 0,
    )


def _cost(row: Row, mapping: RunMapping) -> Decimal | None:
    cost = _cell(mapping.cost_usd, row).maybe(Cell.price)
    return None if cost == 0 and _zero_is_unknown(row, mapping) else cost


def _zero_is_unknown(row: Row, mapping: RunMapping) -> bool:
    rule = mapping.zero_cost_is_unknown
    if isinstance(rule, ZeroCost):
        return row[rule.column].maybe(Cell.text) in rule.among
    return rule == "true"


def _outcome(row: Row, mapping: RunMapping, session: Session) -> tuple[Record, ...]:
    kind = _word(mapping.outcome, row)
    is_success = _cell(mapping.success, row).maybe(lambda cell: cell.flag(mapping.success_true, mapping.success_false))
    if kind is None and mapping.success is None:
        return ()
    return (
        Outcome(
            outcome_id=f"{mapping.source}:{session.session_id}",
            source=mapping.source,
            session_id=session.session_id,
            kind=kind or ("UNKNOWN" if is_success is None else "RUN"),
            is_success=is_success,
            occurred_at=session.ended_at,
        ),
    )


def _cell(origin: Origin | None, row: Row) -> Cell:
    return Cell("", None) if origin is None else origin.cell(row)


def _text(origin: Origin | None, row: Row) -> str | None:
    return None if origin is None else origin.cell(row).maybe(Cell.text)


def _instant(origin: InstantOrigin | None, row: Row, latest: datetime) -> datetime | None:
    return None if origin is None else origin.cell(row).maybe(lambda cell: cell.instant(origin.unit, latest=latest))


def _word(origin: NamedOrigin | None, row: Row, known: tuple[str, ...] = ()) -> str | None:
    """A word of ours; `known` is the closed set that it must come from, if there is one."""
    theirs = _text(origin, row)
    if origin is None or theirs is None:
        return None
    if origin.map is not None and theirs not in origin.map:
        raise CellError(f"{origin.column} is {theirs!r}, which the mapping does not translate; add it under `map`")
    ours = theirs if origin.map is None else origin.map[theirs]
    if known and ours not in known:
        raise CellError(f"{origin.column} must be one of {', '.join(known)}, got {ours!r}; translate it under `map`")
    return ours


def _read(task: Task) -> Iterator[Item]:
    if "mapping" not in task.options:
        raise LoadError(f"runs needs a mapping that says what the columns of {task.location} mean: --mapping FILE")
    mapping = read_mapping(Path(task.options["mapping"]))
    return read(task.path, mapping, now=task.now, on_bytes=task.on_bytes)


LOADER = Loader(
    "runs",
    "JSONL, CSV, YAML or Parquet with one agent run a line; needs --mapping",
    _read,
    size=lambda path: total_bytes([path]),
    options=("mapping",),
    paths=("mapping",),
)
