"""What outcomes mean and what comes of tasks as time passes: the rules of their kinds, and the instant of the facts.

The rules come from the owner of the store as plain values. Facts say what held at the instant at which they were
written; `pass_time` brings those up to date whose window has closed since, without reading anything anew.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from duckdb import DuckDBPyConnection

from store.errors import StoreError

MOST_RULES = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeRule:
    """What one kind of outcome means. A kind without a rule is as its source says, at any time."""

    kind: str
    is_success: bool | None = None
    """None: as its source says."""
    is_idle: bool = False
    """The session had no task."""
    is_awaiting: bool = False
    """Another outcome is to follow in the window; without it, the task has failed."""
    window: timedelta | None = None
    """From the end of the session, inclusive: a success that comes later counts no more."""
    reverses: tuple[str, ...] = ()
    """Kinds of outcomes of the session whose success it takes back from its own instant on."""
    within: timedelta | None = None
    """How long after a success it can take it back; None: for ever."""

    def __post_init__(self) -> None:
        for name, length in (("window", self.window), ("within", self.within)):
            if length is not None and length <= timedelta(0):
                raise StoreError(f"the {name} of {self.kind} must be longer than nothing, got {length}")


_COLUMNS = "kind, is_success, is_idle, is_awaiting, window_us, reverses, within_us"


def replace_rules(cursor: DuckDBPyConnection, rules: Iterable[OutcomeRule]) -> bool:
    """Whether they are others than those of before. The caller has begun a transaction and refreshes the facts."""
    wanted = sorted((_row(rule) for rule in rules), key=lambda row: row[0])
    kinds = [row[0] for row in wanted]
    if len(set(kinds)) < len(kinds):
        raise StoreError(f"each kind has one rule, got {', '.join(kinds)}")
    if len(wanted) > MOST_RULES:
        raise StoreError(f"there are at most {MOST_RULES:,} rules for outcomes, got {len(wanted):,}")
    stored = cursor.execute(f"SELECT {_COLUMNS} FROM outcome_rules ORDER BY kind").fetchall()
    if [list(row) for row in stored] == [_listed(row) for row in wanted]:
        return False
    cursor.execute("DELETE FROM outcome_rules")
    for row in wanted:
        cursor.execute(f"INSERT INTO outcome_rules ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)", _listed(row))
    return True


def note_instant(cursor: DuckDBPyConnection, now: datetime) -> None:
    """Facts that are written from here on hold at `now` (UTC, zoneless), or later where a later instant was noted."""
    cursor.execute("UPDATE facts_instant SET as_of = greatest(as_of, $now)", {"now": now})


def is_due(cursor: DuckDBPyConnection, now: datetime) -> bool:
    """Whether a result may be another at `now` than at the instant of the facts."""
    return cursor.execute(f"SELECT EXISTS ({_DUE})", {"now": now}).fetchall() == [(True,)]


def find_due(cursor: DuckDBPyConnection, now: datetime) -> None:
    """Makes `due_sessions`: those whose results may be others at `now`. All of them where the facts have no instant."""
    cursor.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE due_sessions AS
        {_DUE} UNION ALL SELECT session_id FROM session_facts WHERE (SELECT as_of FROM facts_instant) IS NULL""",
        {"now": now},
    )


def pass_time(cursor: DuckDBPyConnection, now: datetime) -> bool:
    """Updates the facts of the sessions whose results are others at `now` (UTC, zoneless); whether there were any."""
    cursor.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE results_now AS
        SELECT session_id, CASE result WHEN 'running' THEN 'pending' ELSE result END AS task_result,
            success_at, failure_at, decides_at
        FROM task_results_at($now::TIMESTAMP) WHERE session_id IN ({_DUE})""",
        {"now": now},
    )
    changed = cursor.execute(f"""
        UPDATE session_facts AS fact SET {", ".join(f"{name} = due.{name}" for name in _RESULTS)}
        FROM results_now AS due
        WHERE fact.session_id = due.session_id
            AND ({" OR ".join(f"fact.{name} IS DISTINCT FROM due.{name}" for name in _RESULTS)})
        RETURNING fact.session_id""").fetchall()
    cursor.execute("DROP TABLE results_now")
    note_instant(cursor, now)
    return bool(changed)


_RESULTS = ("task_result", "success_at", "failure_at", "decides_at")
_DUE = " UNION ALL ".join(
    f"SELECT session_id FROM {table} WHERE {instant} > (SELECT as_of FROM facts_instant) AND {instant} <= $now"
    for table, instant in (
        ("session_facts", "started_at"),
        ("session_facts", "ended_at"),
        ("session_facts", "decides_at"),
        ("outcome_facts", "occurred_at"),
        ("outcome_facts", "reversed_at"),
    )
)
"""Sessions to which something happened since the instant of the facts: the end of a window, or of a session that was
said to end later."""


_Row = tuple[str, bool | None, bool, bool, int | None, tuple[str, ...], int | None]


def _row(rule: OutcomeRule) -> _Row:
    reverses = tuple(sorted(rule.reverses))
    window, within = (None if length is None else length // _MICROSECOND for length in (rule.window, rule.within))
    return rule.kind, rule.is_success, rule.is_idle, rule.is_awaiting, window, reverses, within


def _listed(row: _Row) -> Sequence[object]:
    return [list(value) if isinstance(value, tuple) else value for value in row]


_MICROSECOND = timedelta(microseconds=1)
