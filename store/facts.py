"""The tables that metrics read, made from views over what is stored, inside the transaction that changed it.

A view of a session is dear to plan and to compute; a question asks for it thousands of times between two loads. So each
`<fact>_now` view is written down as the table `<fact>` whenever something that it reads has changed.
"""

from collections.abc import Iterable

from duckdb import DuckDBPyConnection

FACTS: dict[str, frozenset[str]] = {
    "charge_days": frozenset({"charges"}),
    "allocated_days": frozenset({"sessions", "charges", "allocation"}),
    "cash_days": frozenset({"cash_balances"}),
    "flow_days": frozenset({"cash_flows"}),
    "request_facts": frozenset({"requests", "sessions", "rejected_rows", "prices"}),
    "session_spend": frozenset({"requests", "sessions", "rejected_rows"}),
    "session_facts": frozenset({"requests", "sessions", "rejected_rows", "outcomes", "charges", "allocation"}),
    "compute_days": frozenset({"sessions", "charges", "allocation"}),
    "daily_spend": frozenset({"requests", "rejected_rows", "charges", "cash_flows"}),
}
"""Each fact, after those it reads, with the tables whose rows it rests on."""

_ORDER = {"request_facts": "started_at", "session_facts": "started_at"}
"""Rows in the order of time, so that a question about some days skips the others."""


def define_facts(cursor: DuckDBPyConnection, definitions: Iterable[str]) -> None:
    """Makes the views and, after each text that defines some, writes down the facts that the next texts read."""
    for definition in definitions:
        cursor.execute(definition)
        for fact in FACTS:
            if f"VIEW {fact}_now " in definition:
                _write_down(cursor, fact)


def refresh_facts(cursor: DuckDBPyConnection, changed: Iterable[str]) -> None:
    """Writes down every fact that rests on one of the `changed` tables."""
    changed = set(changed)
    for fact, tables in FACTS.items():
        if changed & tables:
            _write_down(cursor, fact)


def _write_down(cursor: DuckDBPyConnection, fact: str) -> None:
    order = f" ORDER BY {_ORDER[fact]}" if fact in _ORDER else ""
    cursor.execute(f"CREATE OR REPLACE TABLE {fact} AS SELECT * FROM {fact}_now{order}")
