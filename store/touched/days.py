"""Sums of days: each is of the calls of its day, and of what bills and credits say of it, which has not changed."""

from collections.abc import Iterable
from datetime import date

from duckdb import DuckDBPyConnection

from store.facts import write_fact
from store.rows import row

MOST_DAYS = 100


def refresh_computed_days(cursor: DuckDBPyConnection) -> None:
    """Brings what the calls of days cost up to date with `changed_calls`, and what is compared with it."""
    days = _changed_days(cursor)
    if not days:
        return
    if len(days) > MOST_DAYS:
        write_fact(cursor, "computed_days")
    else:
        these = are_days([day for day in days if day is not None])
        cursor.execute(f"DELETE FROM computed_days WHERE {these}")
        cursor.execute(f"INSERT INTO computed_days SELECT * FROM computed_days_now WHERE {these}")
    for fact in ("reconciliation_days", "provider_days"):
        write_fact(cursor, fact)


def refresh_daily_spend(cursor: DuckDBPyConnection) -> None:
    """Brings the rows of calls up to date. Those of flows rest on the first day of all others, too."""
    days = _changed_days(cursor)
    if not days:
        return
    if len(days) > MOST_DAYS:
        write_fact(cursor, "daily_spend")
        return
    first = row(cursor, _FIRST)
    these = are_days([day for day in days if day is not None])
    if None in days:
        these = f"({these} OR day IS NULL)"
    cursor.execute(f"DELETE FROM daily_spend WHERE kind = 'inference' AND {these}")
    cursor.execute(f"""
        INSERT INTO daily_spend SELECT *, day AS burn_on FROM daily_sums WHERE kind = 'inference' AND {these}""")
    has_flows = cursor.execute("SELECT 1 FROM daily_spend WHERE kind = 'flows' LIMIT 1").fetchone() is not None
    if has_flows and row(cursor, _FIRST) != first:
        write_fact(cursor, "daily_spend")


def are_days(days: Iterable[date]) -> str:
    """A condition, with the days written out: constants reach below what a view joins, which a subquery does not."""
    listed = ", ".join(f"DATE '{day.isoformat()}'" for day in days)
    return f"day IN ({listed or 'NULL'})"


def _changed_days(cursor: DuckDBPyConnection) -> list[date | None]:
    return [day for (day,) in cursor.execute("SELECT DISTINCT started_on FROM changed_calls").fetchall()]


_FIRST = "SELECT min(day) FROM daily_spend WHERE kind <> 'flows'"
