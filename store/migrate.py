"""Brings a file to this version's schema in one transaction: numbered migrations, forward only, views, facts."""

import hashlib
from pathlib import Path

from duckdb import DuckDBPyConnection

from store.errors import StoreError
from store.facts import FACTS, define_facts
from store.transaction import transaction

_HERE = Path(__file__).parent
MIGRATIONS = _HERE / "migrations"
VIEWS = _HERE / "views"


def migrate(cursor: DuckDBPyConnection, migrations: Path = MIGRATIONS, views: Path = VIEWS) -> None:
    """A store that a later version has written is refused: its rows may mean something that this one does not know."""
    steps = {int(path.name[:4]): path for path in sorted(migrations.glob("*.sql"))}
    with transaction(cursor):
        cursor.execute(
            "CREATE TABLE IF NOT EXISTS migrations"
            " (number INTEGER NOT NULL, name VARCHAR NOT NULL, applied_at TIMESTAMP NOT NULL)"
        )
        applied = {number for (number,) in cursor.execute("SELECT number FROM migrations").fetchall()}
        newest = max(applied, default=0)
        if newest > max(steps):
            raise StoreError(
                f"the store was written by a later version of Clawback: it is at migration {newest}, "
                f"this version knows {max(steps)}. Update Clawback, or open a backup."
            )
        for number in sorted(steps.keys() - applied):
            cursor.execute(steps[number].read_text("utf-8"))
            cursor.execute(
                "INSERT INTO migrations VALUES ($number, $name, now()::TIMESTAMP)",
                {"number": number, "name": steps[number].stem},
            )
        definitions = [path.read_text("utf-8") for path in sorted(views.glob("*.sql"))]
        _define_facts(cursor, definitions)


def _define_facts(cursor: DuckDBPyConnection, definitions: list[str]) -> None:
    """The facts are written down anew only where their definition is another than the one they were made with."""
    cursor.execute("CREATE TABLE IF NOT EXISTS fact_definition (made_with VARCHAR NOT NULL)")
    made_with = hashlib.sha256("\n".join([*definitions, *FACTS]).encode()).hexdigest()
    if cursor.execute("SELECT 1 FROM fact_definition WHERE made_with = $digest", {"digest": made_with}).fetchone():
        return
    _drop_views(cursor)
    define_facts(cursor, definitions)
    cursor.execute("DELETE FROM fact_definition")
    cursor.execute("INSERT INTO fact_definition VALUES ($digest)", {"digest": made_with})


def _drop_views(cursor: DuckDBPyConnection) -> None:
    """Nothing of another version's views stays: one of them may have the name of what is a table now."""
    views = cursor.execute("SELECT view_name FROM duckdb_views() WHERE NOT internal").fetchall()
    for (name,) in views:
        cursor.execute(f'DROP VIEW "{name}"')
