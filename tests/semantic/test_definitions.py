"""What the kinds and modifiers of a metrics file become: measures, formulas over hidden parts, ranks and aggregates."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pytest
from sqlglot import exp

from semantic import Catalog, load_catalog
from semantic.measure import Aggregation, Cumulative, Cut, Each, Formula, Measure, Rank, Rolling, Snapshot, Time, ToDate
from semantic.metric import Reasons
from semantic.model import Join, Versions
from semantic.periods import Duration, Periods, Unit

MODELS = """calendar: {grains: {sprint: {every: 2 weeks, from: 2026-01-05}}}
models:
  runs:
    source: runs
    key: run_id
    time: started_at
    joins: {owner: {to: people, column: owner_id}}
    dimensions: {team: string, account: string}
  people: {source: people, key: person_id, time: {column: joined_on, grain: day}, dimensions: {city: string}}
metrics:
  runs: {count: runs, when_zero: NO_RUNS}
  cost: {sum: runs.usd, unit: USD, better: lower, empty: zero, when_unknown: UNPRICED, format: money, access: [boss]}
  people: {count: people}
  rate: {expr: cost / runs, unit: USD/run, when_zero: FREE}
  twice: {expr: rate + rate / people}
"""


def loaded(entries: str) -> Catalog:
    return load_catalog(MODELS + entries)


def measure(entry: str) -> Measure:
    definition = loaded(f"  x: {entry}").metrics["x"].definition
    assert isinstance(definition, Measure)
    return definition


def formulas(catalog: Catalog) -> Mapping[str, str]:
    """The formulas among hidden parts and the metric x, as SQL."""
    found = {**catalog.parts, "x": catalog.metrics["x"]}
    return {n: m.definition.tree.sql() for n, m in found.items() if isinstance(m.definition, Formula)}


def part(catalog: Catalog, name: str) -> Measure:
    definition = catalog.parts[name].definition
    assert isinstance(definition, Measure)
    return definition


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ("{count: runs}", Measure("runs", Aggregation.COUNT)),
        ("{median: runs.usd}", Measure("runs", Aggregation.MEDIAN, exp.column("usd"), "0.5")),
        ("{percentile: runs.usd, p: 0.9}", Measure("runs", Aggregation.PERCENTILE, exp.column("usd"), "0.9")),
        (
            "{percentile: runs.usd, p: .9, method: discrete}",
            Measure("runs", Aggregation.DISCRETE_PERCENTILE, exp.column("usd"), ".9"),
        ),
        (
            "{count_distinct: runs.team, approximate: true}",
            Measure("runs", Aggregation.APPROXIMATE_DISTINCT, exp.column("team")),
        ),
        ("{last: runs.usd}", Measure("runs", Aggregation.LAST, exp.column("usd"))),
        ("{stddev: runs.usd}", Measure("runs", Aggregation.STDDEV, exp.column("usd"))),
        (
            "{sum: {model: runs, value: usd * owner.rate}}",
            Measure("runs", Aggregation.SUM, exp.column("usd") * exp.column("rate", "owner")),
        ),
        (
            "{sum: runs.usd, snapshot: {take: last, per: account}}",
            Measure("runs", Aggregation.SUM, exp.column("usd"), snapshot=Snapshot(("account",))),
        ),
        (
            "{sum: runs.usd, snapshot: {take: avg, per: [account, team], carry: false}}",
            Measure("runs", Aggregation.SUM, exp.column("usd"), snapshot=Snapshot(("account", "team"), "avg", False)),
        ),
        ("{max: runs.usd, empty: carry}", Measure("runs", Aggregation.MAX, exp.column("usd"), carry=True)),
        (
            "{count: runs, time: {column: ended_on, grain: day}}",
            Measure("runs", Aggregation.COUNT, time=Time("ended_on", is_date=True)),
        ),
    ],
)
def test_kinds(entry: str, expected: Measure) -> None:
    assert measure(entry) == expected


@pytest.mark.parametrize(
    ("modifier", "expected"),
    [
        ("rolling: 30 days", Rolling(Duration(30, Unit.DAY))),
        ("rolling: {window: 30 days, average: month}", Rolling(Duration(30, Unit.DAY), Unit.MONTH, "scale")),
        (
            "rolling: {window: 1 quarter, average: month, partial: keep}",
            Rolling(Duration(1, Unit.QUARTER), Unit.MONTH, "keep"),
        ),
        ("rolling: {window: 15 minutes, partial: null}", Rolling(Duration(15, Unit.MINUTE), None, "null")),
        ("to_date: sprint", ToDate("sprint")),
        ("cumulative: true", Cumulative()),
    ],
)
def test_windows(modifier: str, expected: object) -> None:
    assert measure(f"{{count: runs, {modifier}}}").window == expected


@pytest.mark.parametrize(
    ("modifier", "expected"),
    [
        ("drop: team", Cut(frozenset({"team"}))),
        ("drop: [team, time]", Cut(frozenset({"team", "time"}))),
        ("keep: [team, owner.city]", Cut(frozenset({"team", "owner.city"}), keeps=True)),
        ("keep: []", Cut(frozenset(), keeps=True)),
    ],
)
def test_keys_left_out(modifier: str, expected: Cut) -> None:
    assert measure(f"{{count: runs, grain: {{{modifier}}}}}").cut == expected


def test_a_changed_measure_keeps_what_it_does_not_change() -> None:
    catalog = loaded(
        "  eu: {metric: cost, where: owner.city = 'Rome', shift: 1 month}\n  x: {metric: eu, rolling: 7 days}"
    )
    changed = catalog.metrics["x"]
    assert changed.definition == Measure(
        "runs",
        Aggregation.SUM,
        exp.column("usd"),
        where=(exp.column("city", "owner").eq("Rome"),),
        window=Rolling(Duration(7, Unit.DAY)),
        shift=Duration(1, Unit.MONTH),
    )
    assert (changed.unit, changed.better, changed.empty, changed.format) == ("USD", "lower", "zero", "money")
    assert changed.reasons == Reasons(unknown="UNPRICED")
    assert (changed.label, changed.access) == ("X", frozenset())
    assert changed.source_text == "sum: runs.usd, where: owner.city = 'Rome', shift: 1 month, rolling: 7 days"
    assert not catalog.parts


def test_shifts_and_cuts_of_a_changed_measure_add_up() -> None:
    catalog = loaded(
        "  back: {metric: cost, shift: 1 quarter, grain: {drop: team}}\n"
        "  x: {metric: back, shift: 2 months, grain: {drop: time}}\n"
        "  kept: {metric: back, grain: {keep: [team, account]}}\n"
    )
    further, kept = catalog.metrics["x"].definition, catalog.metrics["kept"].definition
    assert isinstance(further, Measure)
    assert isinstance(kept, Measure)
    assert (further.shift, further.cut) == (Duration(5, Unit.MONTH), Cut(frozenset({"team", "time"})))
    assert kept.cut == Cut(frozenset({"account"}), keeps=True)


def test_a_changed_formula_is_computed_over_changed_measures_however_deep_they_are() -> None:
    catalog = loaded("  x: {metric: twice, where: true, rolling: 7 days}")
    assert formulas(catalog) == {
        "x__rate": "x__cost / x__runs",
        "x": "x__rate + x__rate / x__people",
    }
    week = Rolling(Duration(7, Unit.DAY))
    assert {n: part(catalog, n).window for n in ("x__cost", "x__runs", "x__people")} == {
        "x__cost": week, "x__runs": week, "x__people": week,
    }  # fmt: skip
    hidden = catalog.parts["x__cost"]
    assert (hidden.unit, hidden.empty, hidden.reasons.unknown) == ("USD", "zero", "UNPRICED")
    assert hidden.source_text == "rate + rate / people, where: true, rolling: 7 days"
    assert hidden.mark == catalog.metrics["x"].mark
    assert catalog.metrics["x"].reasons == Reasons()


def test_a_formula_takes_windows_itself() -> None:
    assert formulas(loaded("  x: {expr: cost / runs, to_date: month}")) == {"x": "x__cost / x__runs"}


@pytest.mark.parametrize(
    ("how", "sql", "unit"),
    [
        ("difference", "cost - cost__1_month_earlier", "USD"),
        ("percent", "(cost - cost__1_month_earlier) / cost__1_month_earlier", "ratio"),
        ("ratio", "cost / cost__1_month_earlier", "ratio"),
    ],
)
def test_a_change_compares_a_metric_with_itself_shifted(how: str, sql: str, unit: str) -> None:
    catalog = loaded(f"  x: {{metric: cost, change: {{from: 1 month, as: {how}}}}}")
    assert formulas(catalog) == {"x": sql}
    assert part(catalog, "cost__1_month_earlier").shift == Duration(1, Unit.MONTH)
    assert catalog.parts["cost__1_month_earlier"].reasons == Reasons("UNPRICED", "NO_BASE", "NO_BASE")
    assert (catalog.metrics["x"].unit, catalog.metrics["x"].better) == (unit, "lower")


def test_a_change_of_a_formula_shifts_each_measure_and_a_part_is_made_once() -> None:
    catalog = loaded(
        "  x: {metric: rate, change: {from: 1 year, as: ratio}}\n"
        "  other: {metric: cost, change: {from: 1 year, as: percent}}\n"
    )
    assert formulas(catalog) == {
        "rate__1_year_earlier": "cost__1_year_earlier / runs__1_year_earlier",
        "x": "rate / rate__1_year_earlier",
    }
    assert list(catalog.parts) == ["cost__1_year_earlier", "runs__1_year_earlier", "rate__1_year_earlier"]


def test_what_an_entry_varies_and_compares_at_once_is_a_part() -> None:
    catalog = loaded("  x: {metric: cost, where: usd > 1, change: {from: 1 week, as: ratio}, when_unknown: ODD}")
    assert formulas(catalog) == {"x": "x__value / x__value__1_week_earlier"}
    assert part(catalog, "x__value").where == (exp.column("usd") > 1,)
    assert catalog.parts["x__value"].reasons.unknown == "ODD"


@pytest.mark.parametrize(
    ("share", "cut"),
    [
        ("{of: [team]}", Cut(frozenset({"team"}))),
        ("{of: [team, time]}", Cut(frozenset({"team", "time"}))),
        ("{within: [team]}", Cut(frozenset({"team", "time"}), keeps=True)),
        ("{within: all}", Cut(frozenset({"time"}), keeps=True)),
        ("{within: []}", Cut(frozenset(), keeps=True)),
    ],
)
def test_a_share_divides_by_the_measure_with_fewer_keys(share: str, cut: Cut) -> None:
    catalog = loaded(f"  x: {{metric: cost, share: {share}}}")
    ((whole, _),) = catalog.parts.items()
    assert formulas(catalog) == {"x": f"cost / {whole}"}
    assert part(catalog, whole).cut == cut
    assert (catalog.metrics["x"].unit, catalog.metrics["x"].better) == ("ratio", "")


def test_ranks_and_aggregates_are_made_over_a_metric() -> None:
    catalog = loaded(
        "  place: {metric: cost, rank: highest}\n"
        "  in_team: {metric: rate, where: true, rank: {first: lowest, within: [team]}}\n"
        "  growth_place: {metric: cost, change: {from: 1 week, as: percent}, rank: lowest}\n"
        "  daily: {metric: cost, each: {by: [team, time.weekday], grain: day, take: avg}}\n"
    )
    definitions = {name: catalog.metrics[name].definition for name in ("place", "in_team", "growth_place", "daily")}
    assert definitions == {
        "place": Rank("cost"),
        "in_team": Rank("in_team__value", "lowest", frozenset({"team"})),
        "growth_place": Rank("growth_place__change", "lowest"),
        "daily": Each("cost", "avg", ("team", "time.weekday"), "day"),
    }
    assert {name: catalog.metrics[name].unit for name in definitions} == {
        "place": "", "in_team": "", "growth_place": "", "daily": "USD",
    }  # fmt: skip
    assert catalog.metrics["place"].type == "integer"


FUNNEL = "{start: people, by: person_id, steps: [{name: run, model: runs, by: owner_id}], within: 7 days%s}"


@pytest.mark.parametrize(
    ("output", "aggregation", "is_converted", "unit"),
    [
        ("count", Aggregation.COUNT, True, ""),
        ("starts", Aggregation.COUNT, None, ""),
        ("time", Aggregation.AVG, False, "seconds"),
    ],
)
def test_outputs_of_a_funnel(output: str, aggregation: Aggregation, is_converted: bool | None, unit: str) -> None:
    catalog = loaded(f"  x: {{funnel: {FUNNEL % f', output: {output}'}, where: city = 'Rome'}}")
    found = catalog.metrics["x"].definition
    assert isinstance(found, Measure)
    assert (found.model, found.aggregation, found.is_converted) == ("people", aggregation, is_converted)
    assert found.where == (exp.column("city").eq("Rome"),)
    assert found.funnel is not None
    assert [(step.name, step.model, step.by) for step in found.funnel.steps] == [("run", "runs", "owner_id")]
    assert catalog.metrics["x"].unit == unit


def test_the_rate_of_a_funnel_is_the_converted_of_those_that_start() -> None:
    catalog = loaded(f"  x: {{funnel: {FUNNEL % ''}, when_empty: NOBODY}}\n  y: {{metric: x, where: city = 'Rome'}}")
    assert formulas(catalog) == {"x": "x__converted / x__starts"}
    assert part(catalog, "x__converted").is_converted is True
    assert part(catalog, "x__starts").is_converted is None
    assert catalog.parts["x__starts"].reasons == Reasons(zero="NOBODY")
    assert catalog.metric("y").inputs == ("y__x__converted", "y__x__starts")
    assert part(catalog, "y__x__starts").where == (exp.column("city").eq("Rome"),)


def test_what_is_said_of_a_metric() -> None:
    catalog = loaded(
        "  x: {count: runs, unit: runs, format: '0', better: higher, label: All runs, description: What ran, "
        "owner: Ops, target: '> 5', access: [boss, ops], deprecated: Use runs, when_unknown: A, when_empty: B, "
        "when_zero: C}\n  short: cost / runs\n"
    )
    x = catalog.metrics["x"]
    assert (x.unit, x.format, x.better, x.label, x.description) == ("runs", "0", "higher", "All runs", "What ran")
    assert (x.owner, x.target, x.deprecated, x.access) == ("Ops", "> 5", "Use runs", {"boss", "ops"})
    assert x.reasons == Reasons("A", "B", "C")
    assert (catalog.metrics["short"].label, catalog.metrics["short"].source_text) == ("Short", "cost / runs")


def test_calendar_joins_filters_policies_and_tests() -> None:
    catalog = load_catalog((Path(__file__).parent / "grammar.yaml").read_text(encoding="utf-8"))
    sprint = catalog.calendar.periods("sprint")
    assert isinstance(sprint, Periods)
    assert (catalog.calendar.week_start, sprint.length, sprint.origin) == (6, Duration(2, Unit.WEEK), date(2026, 1, 5))
    joins = {role: join for role, join in catalog.models["orders"].joins.items() if isinstance(join, Join)}
    assert joins["buyer"].columns == (("user_id", "user_id"),)
    assert (joins["price"].columns, joins["price"].versions) == ((("product", "product"),), Versions("since"))
    assert joins["rate"].versions == Versions("valid_from", "valid_to", "paid_at")
    assert [join.is_one_to_one for join in joins.values()] == [False, False, True]
    assert (catalog.filters["paid"].model, catalog.filters["paid"].where.sql()) == ("orders", "status = 'paid'")
    assert (catalog.policies["own"].model, catalog.policies["own"].unless) == ("accounts", {"admin"})
    assert [check.between for check in catalog.checks if check.between] == [("0", "1.5")]
    assert [check.matches_sql for check in catalog.checks if check.matches_sql] == ["select sum(x) from orders"]
    assert [check.not_null for check in catalog.checks] == [True, False, False, False, False]


def test_five_hundred_variations_of_a_formula_share_what_is_the_same() -> None:
    entries = "".join(
        f"  v{n}: {{metric: rate, change: {{from: 1 month, as: ratio}}, label: V{n}}}\n" for n in range(500)
    )
    assert list(loaded(entries).parts) == ["cost__1_month_earlier", "runs__1_month_earlier", "rate__1_month_earlier"]
