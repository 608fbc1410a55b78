"""The answer of the compiler and DuckDB beside the one that counting by hand gives."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from decimal import Decimal
from fractions import Fraction
from typing import Any, Literal

import duckdb

import semantic
from semantic import MetricQuery, QueryError, Result, Row, Value, compile_plan, load_catalog, plan_query, shape_rows
from tests.semantic.brute import Answer, FragileError, RefusedError, answer
from tests.semantic.brute_measure import Outcome
from tests.semantic.brute_numbers import FRAGILE, Number
from tests.semantic.worlds import Caller, Case, Cell, World
from tests.semantic.written import catalog_text, table_sql


@dataclass(frozen=True, slots=True)
class Finding:
    """What came of one case. `text` is the code of a refusal, or what differs."""

    kind: Literal["same", "refused", "fragile", "different"]
    text: str = ""


class Database:
    """A DuckDB that holds one world at a time."""

    def __init__(self) -> None:
        self.connection = duckdb.connect(config={"threads": 1})
        self.held: World | None = None

    def hold(self, world: World) -> None:
        """`CatalogError` where the file is refused, which no drawn one should be."""
        if world is not self.held:
            self.catalog = load_catalog(catalog_text(world))
            self.connection.execute(table_sql(world.tables))
            self.held = world

    def ask(self, case: Case) -> Result:
        """The answer to the statement, or, for every second question, to its text with the values written into it."""
        self.hold(case.world)
        plan = plan_query(self.catalog, case.query, as_caller(case.caller))
        statement = compile_plan(plan)
        if case.query.evidence:
            rows = self.connection.execute(statement.with_values()).fetchall()
        else:
            rows = self.connection.execute(statement.sql, statement.params).fetchall()
        return shape_rows(plan, statement, rows)


def as_caller(caller: Caller | None) -> semantic.Caller | None:
    return None if caller is None else semantic.Caller(caller.roles, caller.claims)


def compare(database: Database, case: Case) -> Finding:
    """`AssertionError` where the answers differ; what else the compiler or the database raises comes through."""
    expected, right = _by_hand(case)
    got, code = _asked(database, case)
    if right:
        assert code, f"answered, though by hand it is refused: {sorted(right)}"
        assert code.partition(":")[0] in right, f"refused as {code}; by hand {sorted(right)}"
        return Finding("refused", code.partition(":")[0])
    assert got is not None, f"refused as {code}"
    return Finding("fragile") if expected is None else _check(case, expected, got)


def _by_hand(case: Case) -> tuple[Answer | None, frozenset[str]]:
    """The answer (None where rounding decides it), or the codes with which it may be refused."""
    try:
        return answer(case), frozenset()
    except RefusedError as refusal:
        return None, refusal.codes
    except FragileError:
        return None, frozenset()


def _asked(database: Database, case: Case) -> tuple[Result | None, str]:
    try:
        return database.ask(case), ""
    except QueryError as error:
        return None, f"{error.code}: {error}"


def difference(database: Database, case: Case) -> Finding:
    """The same, with whatever goes wrong as a finding."""
    try:
        return compare(database, case)
    except Exception as error:  # noqa: BLE001 -- whatever the compiler raises is a difference
        return Finding("different", f"{type(error).__name__}: {error}"[:1500])


def _check(case: Case, expected: Answer, got: Result) -> Finding:
    keys: list[tuple[Any, ...]] = [tuple(row.keys.values()) for row in got.rows]
    names = tuple(k.replace(".", "_") for k in expected.keys)
    assert all(tuple(row.keys) == names for row in got.rows), f"the keys are {tuple(got.rows[0].keys)}, by hand {names}"
    assert len(set(keys)) == len(keys), f"a key comes twice: {keys}"
    unknown = [k for k in keys if k not in expected.rows]
    assert not unknown, f"rows that nothing stands behind: {unknown}; by hand {_briefly(expected)}"
    limit = case.query.limit or len(expected.rows)
    missing = [k for k in expected.rows if k not in set(keys)]
    assert len(keys) == min(limit, len(expected.rows)), f"rows are missing: {missing}; there are {keys}"
    assert got.truncated == (len(expected.rows) > limit), "truncated"
    is_fragile = False
    for key, row in zip(keys, got.rows, strict=True):
        is_fragile |= _check_row(case, key, expected.rows[key], row)
    for place, key in enumerate(keys):
        following = (*keys[place + 1 : place + 2], *(missing if place == len(keys) - 1 else ()))
        for later in following:
            assert _is_before(case, expected, key, later), f"{key} does not come before {later}"
    return Finding("fragile" if is_fragile else "same")


def _briefly(expected: Answer) -> list[tuple[Cell, ...]]:
    return list(expected.rows)[:40]


def _check_row(case: Case, key: tuple[Cell, ...], expected: Mapping[str, Outcome], row: Row) -> bool:
    """Whether rounding hides one of the values."""
    query = case.query
    assert tuple(row.values) == query.metrics
    for name, value in row.values.items():
        outcome = expected[name]
        if outcome.value is FRAGILE:
            continue
        entry = case.world.metrics[name]
        unit = "" if entry.rank else entry.unit
        assert _is_same(value, outcome, unit), f"{name} at {key}: {value!r}, by hand {_told(outcome)}"
        if query.evidence and outcome.causes:
            evidence = row.evidence[name]
            counts = (evidence.n, evidence.unknown)
            assert counts == (outcome.n, outcome.unknown), f"{name} at {key}: {evidence}, by hand {_told(outcome)}"
            assert evidence.status in outcome.statuses, f"{name} at {key}: {evidence}, by hand {_told(outcome)}"
    assert (tuple(row.evidence) == query.metrics) == query.evidence
    return any(expected[name].value is FRAGILE for name in row.values)


def _told(outcome: Outcome) -> str:
    value = outcome.value
    shown = f"{float(value.value)!r} +- {float(value.error):.0e}" if isinstance(value, Number) else repr(value)
    statuses = sorted(outcome.statuses) if outcome.causes else []
    return f"{shown} (n={outcome.n} unknown={outcome.unknown} {statuses})"


def _is_same(got: Value, outcome: Outcome, unit: str) -> bool:
    if not isinstance(outcome.value, Number):
        return type(got) is type(outcome.value) and got == outcome.value
    known = outcome.value
    if unit == "USD":
        assert isinstance(got, Decimal), f"money is {got!r}"
    if isinstance(got, Decimal):
        assert int(got.as_tuple().exponent) >= -12, got
        return abs(Fraction(got) - known.value) <= known.error + (Fraction(1, 10**12) if known.is_double else 0)
    if isinstance(got, bool) or not isinstance(got, int | float):
        return False
    return abs(Fraction(got) - known.value) <= known.error + abs(known.value) / 2**52


def _is_before(case: Case, expected: Answer, first: tuple[Cell, ...], second: tuple[Cell, ...]) -> bool:
    """Whether the asked order, and after it that of the keys, puts `first` before `second` or leaves it open."""
    asked = [(o.by, o.direction == "desc") for o in case.query.order_by]
    asked = asked or ([("time", False)] if case.query.grain else [])
    rest = [(k, False) for k in expected.keys if k not in {name for name, _ in asked}]
    for name, descends in (*asked, *rest):
        a, b = _sorted_by(expected, name, first), _sorted_by(expected, name, second)
        if FRAGILE in (a, b):
            return True
        if isinstance(a, Number) and isinstance(b, Number):
            if abs(a.value - b.value) > a.error + b.error:
                return (a.value > b.value) == descends
            if a.error or b.error:
                return True
        elif a is None or b is None:
            if a is not b:
                return b is None
        elif a != b:
            return bool(a > b) == descends
    return False


def _sorted_by(expected: Answer, name: str, key: tuple[Cell, ...]) -> Any:
    return key[expected.keys.index(name)] if name in expected.keys else expected.rows[key][name].value


def told(case: Case) -> str:
    """All that is needed to see a case again: of the tables only the columns that the file names."""
    text = catalog_text(case.world)
    words = set(re.findall(r"\w+", text))
    tables = {
        name: replace(t, columns={c: kind for c, kind in t.columns.items() if c in words})
        for name, t in case.world.tables.items()
    }
    plain = MetricQuery(metrics=(), as_of=case.query.as_of)
    asked = {f.name: getattr(case.query, f.name) for f in fields(MetricQuery)}
    question = ", ".join(f"{n}={v!r}" for n, v in asked.items() if v != getattr(plain, n) or n == "as_of")
    return "\n".join((text, "", table_sql(tables).replace("; ", ";\n"), "", question, str(case.caller or "")))
