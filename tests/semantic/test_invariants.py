"""What must hold of any answer, whatever the numbers: the compiler against itself, over random worlds."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random
from zoneinfo import ZoneInfo

import pytest

from semantic import Comparison, Either, MetricQuery, Op, QueryError, Result, TimeRange, Value
from tests.semantic.brute_meaning import Total, meaning
from tests.semantic.brute_rows import Rows
from tests.semantic.compare import Database
from tests.semantic.draw_questions import question
from tests.semantic.draw_worlds import world
from tests.semantic.draws import TURNS, ZONES, Draws, draws_from
from tests.semantic.worlds import Caller, Case, Entry, Policy, Sql, Term, Time, World, name

WORLDS = 12
Keys = tuple[Value, ...]


@pytest.fixture(scope="module")
def database() -> Iterator[Database]:
    made = Database()
    yield made
    made.connection.close()


def drawn(seed: int) -> Iterator[tuple[Draws, World]]:
    for number in range(WORLDS):
        draws = draws_from(Random(seed * 1_000_000 + number))
        made = replace(world(draws), policies={})
        yield draws, replace(made, metrics={**made.metrics, **_plain(made)})


def _plain(made: World) -> dict[str, Entry]:
    """A count, a sum and their ratio for each model, beside what was drawn."""
    found: dict[str, Entry] = {}
    for table in made.tables:
        found[f"rows_{table}"] = Entry(kind="count", model=table)
        found[f"usd_{table}"] = Entry(kind="sum", model=table, value=name("usd"), empty="zero", unit="USD")
        parts = (Term("metric", f"usd_{table}"), Term("metric", f"rows_{table}"))
        found[f"mean_{table}"] = Entry(kind="expr", formula=Term("/", parts=parts))
    return found


def additive(made: World) -> list[str]:
    """Sums and counts of a period's own rows."""
    return [n for n in made.metrics if _is_additive(meaning(made, n))]


def _is_additive(total: object) -> bool:
    if not isinstance(total, Total) or total.kind not in ("sum", "count") or total.empty == "carry":
        return False
    return not (total.window or total.snapshot or total.shift or total.cuts)


def time_of(made: World, metric: str) -> Time | None:
    total = meaning(made, metric)
    assert isinstance(total, Total)
    return total.time or made.tables[total.model].time


def asked(database: Database, made: World, metric: str, **question: object) -> dict[Keys, Value]:
    query = MetricQuery(metrics=(metric,), **{"as_of": date(2026, 5, 1), **question})  # type: ignore[arg-type]
    return values(database.ask(Case(made, query)), metric)


def values(result: Result, metric: str) -> dict[Keys, Value]:
    return {tuple(row.keys.values()): row.values[metric] for row in result.rows}


def number(value: Value) -> float:
    """A part that is unknown, or of no rows, adds nothing."""
    assert value is None or isinstance(value, int | float | Decimal)
    return float(value or 0)


def summed(parts: Mapping[Keys, Value]) -> float:
    return sum(number(v) for v in parts.values())


def near(value: float) -> object:
    return pytest.approx(value, rel=1e-9, abs=1e-9)


def range_of(draws: Draws) -> TimeRange:
    start, end = sorted(draws.random.sample(draws.instants, 2))
    return TimeRange(start, end)


def test_parts_add_up_to_the_total_by_any_dimension_and_through_any_join(database: Database) -> None:
    compared = 0
    for draws, made in drawn(11):
        rows = Rows(made, None)
        for metric in additive(made):
            total = meaning(made, metric)
            assert isinstance(total, Total)
            table = made.tables[total.model]
            reached = {".".join((*path, n)) for path, target in rows.ways(table) for n in target.dimensions}
            (whole,) = asked(database, made, metric).values()
            for dimension in sorted({*table.dimensions, *reached})[: draws.whole(1, 6)]:
                parts = asked(database, made, metric, by=(dimension,))
                assert summed(parts) == near(number(whole)), (metric, dimension)
                compared += 1
    assert compared > 200


def test_periods_add_up_to_the_range(database: Database) -> None:
    compared = 0
    for draws, made in drawn(12):
        for metric in additive(made):
            if time_of(made, metric) is None:
                continue
            limits, zone = range_of(draws), draws.one(ZONES)
            (whole,) = asked(database, made, metric, time=limits, zone=zone).values()
            for grain in ("week", "month", "quarter", *made.grains):
                parts = asked(database, made, metric, time=limits, zone=zone, grain=grain)
                assert summed(parts) == near(number(whole)), (metric, grain)
                compared += 1
    assert compared > 50


def test_a_range_split_at_a_midnight_is_the_sum_of_its_parts(database: Database) -> None:
    compared = 0
    for draws, made in drawn(13):
        for metric in additive(made):
            if time_of(made, metric) is None:
                continue
            limits, zone = range_of(draws), draws.one(ZONES)
            assert limits.start
            assert limits.end
            day = limits.start.astimezone(ZoneInfo(zone)).date() + timedelta(days=1)
            cut = datetime.combine(day, datetime.min.time(), ZoneInfo(zone)).astimezone(UTC)
            if not limits.start < cut < limits.end:
                continue
            spans = (limits, TimeRange(limits.start, cut), TimeRange(cut, limits.end))
            whole, *parts = (number(asked(database, made, metric, time=s, zone=zone)[()]) for s in spans)
            assert sum(parts) == near(whole), metric
            compared += 1
    assert compared > 20


def test_a_ratio_is_its_numerator_by_its_denominator_each_asked_alone(database: Database) -> None:
    compared = 0
    for draws, made in drawn(14):
        for metric, entry in made.metrics.items():
            term = entry.formula
            if term is None or term.op != "/" or any(p.op != "metric" for p in term.parts):
                continue
            query = replace(question(draws, made).query, having=None, order_by=(), limit=None)
            try:
                ratio, over, under = (
                    values(database.ask(Case(made, replace(query, metrics=(n,), evidence=False))), n)
                    for n in (metric, *(p.name for p in term.parts))
                )
            except QueryError:
                continue
            for key in set(over) & set(under) & set(ratio):
                a, b = over[key], under[key]
                expected = None if a is None or b is None or not number(b) else number(a) / number(b)
                got = ratio[key]
                is_known = expected is not None and got is not None
                assert number(got) == near(expected or 0) if is_known else got is expected, (metric, key)
                compared += 1
    assert compared > 20


def plain_cases(seed: int) -> Iterator[Case]:
    for draws, made in drawn(seed):
        for _ in range(8):
            case = question(draws, made)
            yield replace(case, query=replace(case.query, order_by=(), limit=None), caller=None)


def answered(database: Database, case: Case) -> Result | None:
    try:
        return database.ask(case)
    except QueryError:
        return None


def test_a_filter_that_keeps_everything_changes_nothing(database: Database) -> None:
    compared = 0
    for case in plain_cases(15):
        for dimension in case.query.by[:1]:
            anything = Either(tuple(Comparison(dimension, Op.IS_NULL, (known,)) for known in (True, False)))
            filtered = replace(case, query=replace(case.query, where=anything))
            plain = replace(case, query=replace(case.query, where=None))
            assert answered(database, filtered) == answered(database, plain)
            compared += 1
    assert compared > 20


def test_the_order_of_metrics_does_not_matter(database: Database) -> None:
    compared = 0
    for case in plain_cases(16):
        turned = replace(case, query=replace(case.query, metrics=case.query.metrics[::-1]))
        first, second = answered(database, case), answered(database, turned)
        assert (first is None) == (second is None)
        if first is None or second is None:
            continue
        assert [(r.keys, dict(r.values), dict(r.evidence)) for r in first.rows] == [
            (r.keys, dict(r.values), dict(r.evidence)) for r in second.rows
        ]
        compared += 1
    assert compared > 40


def test_a_range_of_instants_has_one_total_in_all_zones(database: Database) -> None:
    compared = 0
    for draws, made in drawn(17):
        for metric in additive(made):
            time = time_of(made, metric)
            if time is None or time.is_date:
                continue
            limits = range_of(draws)
            totals = [asked(database, made, metric, time=limits, zone=zone) for zone in ZONES]
            assert all(t == totals[0] for t in totals), metric
            compared += 1
    assert compared > 20


def test_a_caller_who_may_see_all_rows_gets_what_the_operator_gets(database: Database) -> None:
    compared = 0
    for case in plain_cases(18):
        model = next(iter(case.world.tables))
        anything = Sql("or", parts=(Sql("is null", parts=(name("who"),)), Sql("is not null", parts=(name("who"),))))
        closed = Sql("=", parts=(name("who"), Sql("claim", "who")))
        rules = {"open": Policy(model, anything), "closed": Policy(model, closed, frozenset({"admin"}))}
        ruled = replace(case.world, policies=rules)
        everyone = frozenset({"admin", "auditor"})
        caller = replace(case, world=ruled, caller=Caller(everyone, {}))
        assert answered(database, caller) == answered(database, replace(case, world=ruled)), "the same rows"
        compared += 1
    assert compared > 40


@pytest.mark.parametrize(("zone", "day"), TURNS)
def test_a_day_has_as_many_hours_as_its_clock_shows(database: Database, zone: str, day: str) -> None:
    _, made = next(drawn(19))
    tables = {n: replace(t, time=Time("seen_at"), joins={}) for n, t in made.tables.items()}
    first = next(iter(tables))
    plain = World(tables, {"runs": Entry(kind="count", model=first)})
    local = date.fromisoformat(day)
    start, end = (
        datetime.combine(d, datetime.min.time(), ZoneInfo(zone)).astimezone(UTC)
        for d in (local, local + timedelta(days=1))
    )
    limits = TimeRange(start, end)
    hours = asked(database, plain, "runs", grain="hour", zone=zone, time=limits)
    elapsed = (end - start).total_seconds() / 3600
    expected = {23.0: 23, 24.0: 24, 25.0: 25, 24.5: 25, 23.5: 24}[elapsed]
    assert len(hours) == expected
    assert asked(database, plain, "runs", grain="day", zone=zone, time=limits).keys() == {(local,)}
