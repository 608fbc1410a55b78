"""The words in which merges are written: structs of columns that belong together, led by what ranks them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

NEVER = "'-infinity'::TIMESTAMP"


@dataclass(frozen=True, slots=True)
class Merge:
    groups: Mapping[str, str]
    """Group -> the aggregate that picks its winner among the copies of a key."""
    columns: Mapping[str, str]
    """Column -> where it is in the winners."""
    restated: str = "FALSE"
    """Which records are no copies but statements: the last one replaces what was stated before, as a whole."""


def same(left: str, right: str, columns: Iterable[str]) -> str:
    """A condition; unknown is the same as unknown."""
    return " AND ".join(f"{left}.{column} IS NOT DISTINCT FROM {right}.{column}" for column in columns)


def is_total(row: str = "") -> str:
    """A condition: the row of requests is a source's total of a session, without usage that could rank copies."""
    return f"{row}scope = 'session' AND {row}output_tokens IS NULL"


def stated(columns: Iterable[str]) -> str:
    """How many of the columns say something. DuckDB ranks NULL highest, so content alone would prefer the unknown."""
    return " + ".join(f"({column} IS NOT NULL)::INTEGER" for column in columns)


def struct(ranks: Mapping[str, str], columns: Iterable[str]) -> str:
    members = [f"'by_{name}': {expression}" for name, expression in ranks.items()]
    return "{" + ", ".join([*members, *(f"'{column}': {column}" for column in columns)]) + "}"
