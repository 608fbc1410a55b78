"""A case: one question, the SQL that it compiles to, and SQL that a person wrote for the same question.

A file under `cases/` reads

    -- What the case shows, in a sentence.
    -- metrics: [cost]              and further words of a question, as YAML; days are local midnights:
    -- by: [model]                  by, grain, start, end or range, where, filters, having, zone, as_of (else
    -- roles: [auditor]             2026-05-01), order_by, limit, evidence; who asks (else the operator): roles,
    -- week_start: sunday           claims; what the catalog says otherwise in this case: week_start

    -- compiled
    -- p1: research                 the values bound, where there are any
    SELECT ...

    -- by hand
    select ...                      columns in the same order; under `evidence` the counts too

`python -m tests.semantic.rewrite` writes the compiled part anew; read its diff.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from semantic import (
    Caller,
    Catalog,
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
from semantic.ranges import parse_range

FOLDER = Path(__file__).parent / "cases"
PATHS = sorted(path for path in FOLDER.glob("*.sql") if path.name != "tables.sql")
TABLES = (FOLDER / "tables.sql").read_text()
METRICS = (FOLDER / "metrics.yaml").read_text()
WORDS = {
    "metrics", "by", "grain", "start", "end", "range", "where", "filters", "having", "zone", "as_of", "order_by",
    "limit", "evidence", "roles", "claims", "week_start",
}  # fmt: skip

Words = Mapping[str, Any]


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
    catalog = _catalog(words.get("week_start", "monday"))
    return compile_plan(plan_query(catalog, _question(words, catalog), _caller(words)))


@cache
def _catalog(week_start: str) -> Catalog:
    return load_catalog(f"{METRICS}\ndefaults: {{week_start: {week_start}}}\n", "metrics.yaml")


def _question(words: Words, catalog: Catalog) -> MetricQuery:
    return MetricQuery(
        metrics=tuple(words["metrics"]),
        as_of=_as_of(words),
        by=tuple(words.get("by", ())),
        grain=words.get("grain"),
        time=_range(words, catalog),
        where=parse_filter(words["where"]) if "where" in words else None,
        filters=tuple(words.get("filters", ())),
        having=parse_filter(words["having"]) if "having" in words else None,
        order_by=tuple(Order(name, direction) for name, direction in words.get("order_by", {}).items()),
        limit=words.get("limit"),
        zone=words.get("zone"),
        evidence=words.get("evidence", False),
    )


def _as_of(words: Words) -> date:
    day = words.get("as_of", date(2026, 5, 1))
    assert isinstance(day, date)
    return day


def _range(words: Words, catalog: Catalog) -> TimeRange:
    zone = words.get("zone", catalog.time_zone)
    if "range" in words:
        return parse_range(words["range"], _as_of(words), zone, catalog.calendar)
    start, end = (midnight(words[key], zone) if key in words else None for key in ("start", "end"))
    return TimeRange(start, end)


def _caller(words: Words) -> Caller | None:
    """Who asks; the operator, who sees everything, where neither roles nor claims are given."""
    if not words.keys() & {"roles", "claims"}:
        return None
    claims = {name: tuple(v) if isinstance(v, list) else v for name, v in words.get("claims", {}).items()}
    return Caller(frozenset(words.get("roles", ())), claims)


def compiled_text(statement: Statement) -> str:
    """The compiled part of a file."""
    bound = (f"-- {name}: {value}" for name, value in statement.params.items())
    return "\n".join((*bound, statement.sql))
