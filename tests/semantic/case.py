"""A case: one question, the SQL that it compiles to, and SQL that a person wrote for the same question.

A file under `cases/` reads

    -- What the case shows, in a sentence.
    -- metrics: [cost]              and further words of a question, as YAML: by, grain, start, end, where, zone,
    -- by: [model]                  as_of (else 2026-05-01), order_by, limit, evidence; days are local midnights

    -- compiled
    -- p1: research                 the values bound, where there are any
    SELECT ...

    -- by hand
    select ...                      columns in the same order; under `evidence` the counts too

`python -m tests.semantic.rewrite` writes the compiled part anew; read its diff.
"""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import yaml

from semantic import (
    Grain,
    MetricQuery,
    Order,
    Statement,
    TimeRange,
    compile_plan,
    load_catalog,
    midnight,
    parse_filter,
    plan_query,
)

FOLDER = Path(__file__).parent / "cases"
PATHS = sorted(path for path in FOLDER.glob("*.sql") if path.name != "tables.sql")
CATALOG = load_catalog((FOLDER / "metrics.yaml").read_text(), "metrics.yaml")
TABLES = (FOLDER / "tables.sql").read_text()
WORDS = {"metrics", "by", "grain", "start", "end", "where", "zone", "as_of", "order_by", "limit", "evidence"}


@dataclass(frozen=True, slots=True)
class Case:
    head: str
    compiled: str
    by_hand: str


def read_case(path: Path) -> Case:
    head, _, rest = path.read_text().partition("\n-- compiled\n")
    compiled, _, by_hand = rest.partition("\n-- by hand\n")
    return Case(head, compiled.strip(), by_hand.strip())


def statement_of(case: Case) -> Statement:
    """The statement of the question in a case's head."""
    _, *lines = case.head.strip().splitlines()
    words = yaml.safe_load("\n".join(line.removeprefix("-- ") for line in lines))
    assert set(words) <= WORDS, f"a question has the words {WORDS}, this has {set(words)}"
    zone = words.get("zone", "UTC")
    start, end = (midnight(words[key], zone) if key in words else None for key in ("start", "end"))
    query = MetricQuery(
        metrics=tuple(words["metrics"]),
        as_of=words.get("as_of", date(2026, 5, 1)),
        by=tuple(words.get("by", ())),
        grain=Grain(words["grain"]) if "grain" in words else None,
        time=TimeRange(start, end),
        where=parse_filter(words["where"]) if "where" in words else None,
        order_by=tuple(Order(name, direction) for name, direction in words.get("order_by", {}).items()),
        limit=words.get("limit"),
        zone=words.get("zone"),
        evidence=words.get("evidence", False),
    )
    return compile_plan(plan_query(CATALOG, query))


def compiled_text(statement: Statement) -> str:
    """The compiled part of a file."""
    bound = (f"-- {name}: {value}" for name, value in statement.params.items())
    return "\n".join((*bound, statement.sql))
