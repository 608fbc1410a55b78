"""Small projects, each with one thing that is easily carried wrongly."""

from datetime import UTC, date, datetime

import pytest

from semantic import TimeRange, load_catalog
from semantic.formats.metricflow import FormatError, Options, import_files, import_manifest
from semantic.formats.report import Converted, Kind
from tests.semantic.conftest import World

MODEL = """
semantic_models:
  - name: jobs
    model: ref('jobs')
    defaults: {agg_time_dimension: begun}
    entities:
      - {name: job, type: primary, expr: job_id}
      - {name: order, type: foreign, expr: order_id}
    dimensions:
      - {name: begun, type: time, type_params: {time_granularity: day}}
      - {name: kind, type: categorical}
    measures:
      - {name: jobs, agg: count, expr: "1"}
      - {name: usd, agg: sum}
      - {name: people, agg: count_distinct, expr: person}
  - name: orders
    model: ref('orders')
    entities:
      - {name: order, type: primary, expr: id}
    dimensions:
      - {name: kind, type: categorical, expr: lower(kind)}
"""
TABLES = """
create table jobs (job_id varchar, order_id varchar, begun timestamp, kind varchar, usd int, person varchar);
insert into jobs values ('j1', 'o1', '2026-01-05 18:00', 'a', 5, 'p'), ('j2', 'o2', '2026-03-02 08:00', 'a', null, 'p'),
                        ('j3', null, '2026-03-31 23:00', 'b', 7, null);
create table orders (id varchar, kind varchar);
insert into orders values ('o1', 'X'), ('o2', 'Y');
"""
SPRING = TimeRange(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC))


def imported(metrics: str, model: str = MODEL, **options: object) -> Converted:
    return import_files({"m.yml": model + "metrics:\n" + metrics}, Options(**options))  # type: ignore[arg-type]


def written(converted: Converted) -> list[str]:
    """The lines of `metrics:`."""
    return [line.strip() for line in converted.text.partition("\nmetrics:\n")[2].splitlines()]


def lost(converted: Converted) -> list[str]:
    return [f"{finding.construct}: {finding.what}" for finding in converted.losses]


def simple(name: str, measure: str, more: str = "") -> str:
    return f"  - {{name: {name}, label: {name}, type: simple, type_params: {{measure: {measure}}}{more}}}\n"


def test_exact_counts_stay_null_where_there_are_no_rows() -> None:
    plain, exact = imported(simple("n", "jobs")), imported(simple("n", "jobs"), exact=True)
    assert written(plain) == ["n: {count: jobs}"]
    assert written(exact) == ["n: {sum: {model: jobs, value: 1}}"]
    months = {"grain": "month", "time": SPRING, "as_of": date(2026, 6, 1)}
    assert [row[1] for row in World(plain.text, TABLES).table("n", **months)] == [1, 0, 2]
    assert [row[1] for row in World(exact.text, TABLES).table("n", **months)] == [1, None, 2]


def test_a_period_of_the_projects_own_is_carried_once_it_is_said_what_it_is() -> None:
    running = """  - name: usd_of_sprint
    label: ""
    type: cumulative
    type_params: {measure: usd, cumulative_type_params: {grain_to_date: sprint, period_agg: last}}
"""
    assert lost(imported(running)) == ["grain_to_date sprint: is no grain of the file"]
    converted = imported(running, grains={"sprint": ("2 weeks", "2026-01-05")})
    assert converted.losses == ()
    assert written(converted) == ["usd_of_sprint: {sum: jobs.usd, to_date: sprint}"]
    assert load_catalog(converted.text).calendar.names[-1] == "sprint"


def test_sql_of_another_dialect_is_rewritten() -> None:
    model = MODEL.replace("{name: usd, agg: sum}", "{name: usd, agg: sum, expr: 'iff(kind = $$a$$, usd::number, 0)'}")
    assert lost(imported(simple("usd", "usd"), model)) != []
    converted = imported(simple("usd", "usd"), model, dialect="snowflake")
    assert converted.losses == ()
    assert World(converted.text, TABLES).table("usd", as_of=date(2026, 6, 1)) == [(5,)]


def test_a_dialect_that_nobody_knows_is_refused() -> None:
    with pytest.raises(FormatError) as refused:
        imported(simple("n", "jobs"), dialect="klingon")
    assert str(refused.value) == "'klingon' is not a dialect of SQL that is known here, such as snowflake or bigquery"


def test_names_that_sql_keeps_for_itself_are_put_in_quotes() -> None:
    metrics = simple("order", "jobs", ", filter: \"{{ Dimension('order__kind') }} = 'x'\"")
    ratio = "  - {name: share, label: share, type: ratio, type_params: {numerator: order, denominator: n}}\n"
    converted = imported(metrics + simple("n", "jobs") + ratio)
    assert written(converted) == [
        'order: {count: jobs, where: "\\"order\\".kind = \'x\'"}',
        "n: {count: jobs}",
        'share: "\\"order\\" / n"',
    ]
    assert World(converted.text, TABLES).table("share", as_of=date(2026, 6, 1)) == [(1 / 3,)]


def test_a_dimension_that_would_take_the_place_of_a_column_gets_another_name() -> None:
    model = MODEL.replace("{name: kind, type: categorical}", "{name: usd, type: categorical, expr: person}", 1)
    converted = imported(simple("cost", "usd"), model)
    assert "job_usd: {type: string, sql: person}" in converted.text
    assert World(converted.text, TABLES).table("cost", as_of=date(2026, 6, 1)) == [(12,)]


def test_a_filter_keeps_the_rows_that_it_is_true_for_and_no_others() -> None:
    converted = imported(simple("n", "jobs", ", filter: \"{{ Dimension('order__kind') }} <> 'x'\""))
    assert World(converted.text, TABLES).table("n", as_of=date(2026, 6, 1)) == [(1,)]


def test_a_day_of_the_time_is_the_whole_day() -> None:
    until = ", filter: \"{{ TimeDimension('metric_time', 'day') }} <= '2026-03-31'\""
    quarter = ", filter: \"{{ Dimension('metric_time__quarter') }} = '2026-01-01'\""
    converted = imported(simple("early", "jobs", until) + simple("first", "jobs", quarter))
    assert World(converted.text, TABLES).table("early", "first", as_of=date(2026, 6, 1)) == [(3, 3)]


def test_an_offset_of_an_offset_adds_up() -> None:
    converted = imported(
        simple("usd", "usd")
        + """  - name: last_month
    label: ""
    type: derived
    type_params: {expr: before * 1, metrics: [{name: usd, alias: before, offset_window: 1 month}]}
  - name: two_months_ago
    label: ""
    type: derived
    type_params: {expr: before * 1, metrics: [{name: last_month, alias: before, offset_window: 1 month}]}
  - name: mixed
    label: ""
    type: derived
    type_params: {expr: before * 1, metrics: [{name: last_month, alias: before, offset_window: 3 days}]}
"""
    )
    assert lost(converted) == ["offset of 'last_month': days and months cannot be added"]
    rows = World(converted.text, TABLES).table("two_months_ago", grain="month", time=SPRING, as_of=date(2026, 6, 1))
    assert [row[1] for row in rows] == [None, None, 5.0]


def test_what_was_made_for_a_metric_that_is_lost_is_not_in_the_file() -> None:
    converted = imported(
        simple("usd", "usd")
        + """  - name: odd
    label: ""
    type: derived
    type_params: {expr: ln(usd - before), metrics: [usd, {name: usd, alias: before, offset_window: 1 week}]}
"""
    )
    assert written(converted) == ["usd: {sum: jobs.usd}"]
    assert [f.kind for f in converted.findings] == [Kind.LOST, Kind.LEFT_OUT, Kind.LEFT_OUT]


def test_metrics_that_rest_on_each_other_are_told_and_left_out() -> None:
    ring = """  - {name: a, label: a, type: derived, type_params: {expr: b + 1, metrics: [b]}}
  - {name: b, label: b, type: derived, type_params: {expr: a + 1, metrics: [a]}}
  - {name: c, label: c, type: derived, type_params: {expr: nowhere + 1, metrics: [nowhere]}}
"""
    converted = imported(simple("usd", "usd") + ring)
    assert written(converted) == ["usd: {sum: jobs.usd}"]
    assert lost(converted) == [
        "metric 'a': rests on itself: a -> b -> a",
        "metric 'b': is not in the file, and this one rests on it",
        "metric 'nowhere': is not declared",
    ]


@pytest.mark.parametrize(
    ("condition", "told"),
    [
        ("{{ Dimension('order__size') }} > 1", "filter order__size: leads nowhere from 'jobs'"),
        ("{{ var('limit') }} > 1", "filter {{ var('limit') }}: is neither a dimension, an entity nor a metric"),
        ("{% if x %} 1 = 1 {% endif %}", "filter {% if x %} 1 = 1 {% endif %}: is a Jinja program"),
        ("{{ Dimension('job__kind') }}", ""),
        ("{{ " + 2000 * "(" + " }}", "filter {{ " + 2000 * "("),
        ("usd + 1", "filter usd + 1: is neither true nor false"),
        ("kind similar to 'a'", "filter kind similar to 'a': 'kind SIMILAR TO 'a'' is not allowed in an expression"),
        ("{{ TimeDimension('metric_time', 'sprint') }} > '1'", "grain sprint: cannot be told in an expression"),
    ],
)
def test_a_filter_that_cannot_be_carried_loses_the_metric(condition: str, told: str) -> None:
    converted = imported(simple("n", "jobs", f', filter: "{condition}"'))
    assert [line[: len(told)] for line in lost(converted)] == ([told] if told else [])
    assert written(converted) == ([] if told else ["n: {count: jobs, where: kind}"])


def test_a_key_that_nobody_knows_is_a_loss() -> None:
    converted = imported(simple("n", "jobs", ", sampling: 0.1"))
    assert lost(converted) == ["sampling: is not known to this importer"]


@pytest.mark.parametrize(
    ("metrics", "message"),
    [
        (simple("n", "nothing"), "m.yml:23: metric 'n': there is no measure 'nothing'"),
        (simple("n", "jobs") * 2, "m.yml:24: metric 'n' is declared already at m.yml:23: metric 'n'"),
        (
            "  - {name: n, label: n, type: forecast, type_params: {}}",
            "m.yml:23: metric 'n': 'forecast' is no type of metric",
        ),
        ("  - {name: n, type: simple, type_params: 3}", "m.yml:23: 'type_params' should be a mapping, it is '3'"),
        ("  - [", "m.yml:24:1: not valid YAML: did not find expected node content"),
    ],
)
def test_a_project_that_metricflow_would_refuse_is_refused(metrics: str, message: str) -> None:
    with pytest.raises(FormatError) as refused:
        imported(metrics)
    assert str(refused.value) == message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "x.json: not valid JSON: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"),
        ("[]", "x.json: not a semantic manifest; dbt writes one to target/semantic_manifest.json"),
        (
            '{"semantic_models": []}',
            "there is no semantic model here; give target/semantic_manifest.json or the models' YAML",
        ),
        ('{"semantic_models": 1}', "'semantic_models' should be a list of mappings, it is 1"),
    ],
)
def test_a_text_that_is_no_manifest_is_refused(text: str, message: str) -> None:
    with pytest.raises(FormatError) as refused:
        import_manifest(text, "x.json")
    assert str(refused.value) == message


def test_documents_that_hold_one_thing_each_are_read_too() -> None:
    converted = import_files(
        {
            "a.yaml": "---\nsemantic_model:\n  name: jobs\n  node_relation: {alias: jobs, schema_name: work}\n"
            "  entities: [{name: job, type: primary, expr: job_id}]\n  measures: [{name: n, agg: count, expr: 1}]\n"
            "---\nmetric:\n  name: jobs_done\n  type: simple\n  type_params: {measure: n}\n"
        }
    )
    assert written(converted) == ["jobs_done: {count: jobs}"]
    assert "source: work.jobs" in converted.text
