"""Brings a file to this version's schema: numbered migrations, forward only, then the views, in one transaction."""

from pathlib import Path

from duckdb import DuckDBPyConnection

from store.errors import StoreError
from store.write import transaction

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
        for path in sorted(views.glob("*.sql")):
            cursor.execute(path.read_text("utf-8"))
