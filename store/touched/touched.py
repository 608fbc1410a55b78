"""The order in which touched facts are brought up to date, and where that is not possible."""

from collections.abc import Container, Iterable, Set

from duckdb import DuckDBPyConnection

from store.facts import FACTS, write_fact
from store.tables import OUTCOMES, REQUESTS, SCORES, SESSIONS
from store.touched.calls import FACTS_OF_CALLS, refresh_calls
from store.touched.days import refresh_computed_days, refresh_daily_spend
from store.touched.machines import refresh_machines
from store.touched.prepaid import refresh_credits, refresh_plans
from store.touched.sessions import find_reached, refresh_outcomes, refresh_sessions
from store.touched.trees import refresh_trees

_ROW_BY_ROW = frozenset({REQUESTS.name, SESSIONS.name, OUTCOMES.name, SCORES.name, "rejected_rows"})
_FACT_TABLES = frozenset[str]().union(*FACTS.values())


def refresh_touched(
    cursor: DuckDBPyConnection, load_id: int, changed: Set[str], staged: Container[str], read_anew: Iterable[str]
) -> tuple[str, ...]:
    """The facts that now say what their views say, after a load that changed the tables `changed`.

    Of what was `staged`, `before_<table>` has what was stored before; with requests, `gone` has the stored ones that
    the load has taken away. `due_sessions` are those whose results changed with time, `read_anew` those of which other
    lines than before could not be read.
    """
    has_requests, has_sessions = REQUESTS.name in staged, SESSIONS.name in staged
    if not refresh_calls(cursor, load_id, read_anew, has_requests=has_requests, has_sessions=has_sessions):
        return ()
    if not changed & _FACT_TABLES <= _ROW_BY_ROW:
        return FACTS_OF_CALLS
    find_reached(cursor, load_id)
    refresh_computed_days(cursor)
    if refresh_credits(cursor):
        write_fact(cursor, "daily_spend")
    else:
        refresh_daily_spend(cursor)
    refresh_plans(cursor)
    refresh_outcomes(cursor, are_changed=OUTCOMES.name in changed)
    refresh_machines(cursor, load_id, has_sessions=has_sessions)
    refresh_trees(cursor)
    refresh_sessions(cursor)
    return tuple(FACTS)
