"""What the statements of the store may not do, looked at in their text."""

import re
from collections.abc import Iterator

from tests.server.conftest import REPOSITORY

MADE = re.compile(r"CREATE (?:OR REPLACE )?(?:TEMP )?TABLE (\w+) AS")
ADDED_TO = re.compile(r"(?:INSERT|MERGE) INTO (\w+)")


def statements() -> Iterator[str]:
    for path in (REPOSITORY / "store").rglob("*.py"):
        yield path.read_text()


def test_rows_are_added_to_declared_tables_only() -> None:
    """Not to one that a query made: where that had no rows, DuckDB 2.0.0 loses what the same transaction adds."""
    made = {name for text in statements() for name in MADE.findall(text)}
    added_to = {name for text in statements() for name in ADDED_TO.findall(text)}
    assert {"parts", "changed_requests", "calls"} <= made
    assert {"sightings", "broken", "reached_sessions"} <= added_to
    assert made & added_to == set()
