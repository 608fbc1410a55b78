"""One construct a project: what is said where a metrics file has no words for it, and that the rest is carried."""

import pytest

from semantic import load_catalog
from semantic.formats.metricflow import Options, import_files
from semantic.formats.report import Kind

PROJECT = """
semantic_models:
  - name: jobs
    model: ref('jobs')
    defaults: {agg_time_dimension: begun}
    entities:
      - {name: job, type: primary, expr: job_id}
      - {name: site, type: foreign, expr: site_id}
    dimensions:
      - {name: begun, type: time, type_params: {time_granularity: second}}
      - {name: closed, type: time, type_params: {time_granularity: month}}
    measures:
      - {name: n, agg: count, expr: "1", create_metric: true}
      - {name: usd, agg: sum, create_metric: true}
  - name: sites
    model: ref('sites')
    entities:
      - {name: site, type: primary, expr: site_id}
      - {name: region, type: foreign, expr: region_id}
    dimensions:
      - {name: city, type: categorical}
  - name: regions
    model: ref('regions')
    entities:
      - {name: region, type: primary, expr: region_id}
metrics:
"""
NOTHING: list[str] = []


def findings(text: str, kind: Kind) -> list[str]:
    converted = import_files({"m.yml": text}, Options())
    load_catalog(converted.text)
    return [f"{f.construct}: {f.what}" for f in converted.findings if f.kind is kind]


def with_metric(kind: str, params: str, more: str = "") -> str:
    return f"{PROJECT}  - {{name: m, label: m, type: {kind}, type_params: {params}{more}}}\n"


@pytest.mark.parametrize(
    ("right", "wrong", "told"),
    [
        (
            "{name: begun, type: time,",
            "{name: begun, type: time, expr: 'coalesce(a, b)',",
            ["time dimension 'begun': a time is a column, this is coalesce(a, b)"],
        ),
        ("{name: begun, type: time,", "{name: begun, type: time, expr: 'cast(begun_at as date)',", NOTHING),
        (
            "type: foreign, expr: site_id}",
            "type: foreign, expr: upper(site_id)}",
            ["entity 'site' to 'sites': a join pairs columns, this is upper(site_id)"],
        ),
        (
            "{name: region, type: primary, expr: region_id}",
            "{name: region, type: natural, expr: region_id}",
            ["entity 'region' to 'regions': 'sites' has no time at which its rows hold"],
        ),
        (
            "{name: site, type: primary, expr: site_id}",
            "{name: site, type: natural, expr: site_id}",
            ["entity 'site' to 'sites': the target's rows have no start"],
        ),
        (
            "{name: city, type: categorical}",
            "{name: city, type: categorical, expr: soundex(city)}",
            ["expr soundex(city): 'SOUNDEX(city)' is not allowed in an expression (Soundex)"],
        ),
        (
            "{name: region, type: primary, expr: region_id}",
            "{name: region, type: primary, expr: hash(region_id)}",
            [
                "entity 'region' to 'regions': a join pairs columns, this is hash(region_id)",
                "expr hash(region_id): 'HASH(region_id)' is not allowed in an expression (Anonymous)",
            ],
        ),
        (
            "{name: usd, agg: sum, create",
            "{name: usd, agg: median, non_additive_dimension: {name: begun}, create",
            ["non_additive_dimension begun with agg median: balances are added"],
        ),
        (
            "{name: usd, agg: sum, create",
            "{name: usd, agg: sum, non_additive_dimension: {name: closed}, create",
            ["non_additive_dimension closed: the rows are dated by begun"],
        ),
        (
            "{name: usd, agg: sum, create",
            "{name: usd, agg: sum, non_additive_dimension: {name: begun, window_choice: average}, create",
            ["non_additive_dimension begun: window_choice average is neither min nor max"],
        ),
        (
            "{name: usd, agg: sum, create",
            "{name: usd, agg: sum, non_additive_dimension: {name: begun}, create",
            ["non_additive_dimension begun: nothing says which rows are of one balance"],
        ),
        (
            "{name: usd, agg: sum, create",
            "{name: usd, agg: percentile, create",
            ["agg: percentile: has no percentile"],
        ),
        (
            "{name: usd, agg: sum, create",
            "{name: usd, agg: percentile, agg_params: {percentile: 950}, create",
            ["percentile 950: is no share of the rows"],
        ),
        ("{name: usd, agg: sum, create", "{name: usd, agg: entropy, create", ["agg: entropy: is no aggregation here"]),
        (
            "{name: usd, agg: sum, create",
            "{name: usd, agg: sum, expr: \"{{ var('x') }}\", create",
            ["expr {{ var('x') }}: is a template"],
        ),
        (
            "{name: usd, agg: sum, create",
            "{name: usd, agg: sum, agg_time_dimension: nowhen, create",
            ["time dimension 'nowhen': 'jobs' has no such dimension"],
        ),
    ],
)
def test_a_construct_without_words_is_lost(right: str, wrong: str, told: list[str]) -> None:
    text = PROJECT.replace(right, wrong, 1)
    assert text != PROJECT
    assert findings(text + "  []\n", Kind.LOST) == told


def conversion(more: str) -> str:
    return with_metric("conversion", f"{{conversion_type_params: {{entity: job, base_measure: n, {more}}}}}")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (conversion("conversion_measure: usd"), ["agg sum of usd: a funnel counts rows"]),
        (
            conversion("conversion_measure: n, calculation: speed"),
            ["calculation speed: is neither conversion_rate nor conversions"],
        ),
        (
            conversion("conversion_measure: n, window: 2 sprints"),
            ["window 2 sprints: a length of time is counted in minutes to years"],
        ),
        (
            conversion("conversion_metric: nobody"),
            ["metric 'nobody': is no count of rows, so it is no event of a conversion"],
        ),
        (
            conversion("conversion_measure: n").replace("entity: job", "entity: crew"),
            ["entity 'crew': 'jobs' has no such entity"],
        ),
        (
            with_metric("cumulative", "{measure: {name: usd, fill_nulls_with: 7}}"),
            ["fill_nulls_with 7: a window is over 0 or nothing"],
        ),
        (
            with_metric("derived", "{expr: usd + tax, metrics: [usd]}"),
            ["expr usd + tax: names tax, which is no input"],
        ),
        (
            with_metric("derived", "{expr: usd +, metrics: [usd]}"),
            ["expr usd +: Required keyword: 'expression' missing for"],
        ),
        (
            with_metric(
                "derived",
                "{expr: a * 1, metrics: [{name: usd, alias: a, offset_window: 1 week, "
                "filter: \"{{ Dimension('metric_time__day') }} > '2026-01-01'\"}]}",
            ),
            ["filter over metric_time: beside an offset is about the later time"],
        ),
        (
            with_metric("simple", "{measure: n}", ", filter: \"{{ Metric('usd', group_by=['job', 'site']) }} > 1\""),
            ["filter Metric('usd'): a metric of rows is grouped by one entity"],
        ),
        (
            with_metric("simple", "{measure: n}", ", filter: \"{{ Metric('usd', group_by=['crew']) }} > 1\""),
            ["filter Metric('usd'): no model has one row for each crew"],
        ),
        (
            with_metric("simple", "{measure: n}", ", config: {meta: {better: sideways}}"),
            ["{'count': 'jobs', 'better': 'sideways'}: better: is higher or lower, not 'sideways'"],
        ),
    ],
)
def test_a_metric_without_words_is_lost(text: str, told: list[str]) -> None:
    assert [line[: len(said)] for line, said in zip(findings(text, Kind.LOST), told, strict=True)] == told


def test_a_metric_of_each_row_of_its_own_model_is_a_dimension_of_it() -> None:
    text = with_metric("simple", "{measure: n}", ", filter: \"{{ Metric('usd', group_by=['job__site']) }} > 1\"")
    converted = import_files({"m.yml": text}, Options())
    assert converted.losses == ()
    assert "usd_of_site: {type: decimal, metric: usd}" in converted.text
    assert "m: {count: jobs, where: site.usd_of_site > 1}" in converted.text


@pytest.mark.parametrize(
    ("name", "here"),
    [("Total", "total"), ("a__b", "a_b"), ("2nd", "metric_2nd"), ("totals", "totals_metric")],
)
def test_a_name_that_cannot_be_one_here_is_changed_and_told(name: str, here: str) -> None:
    text = PROJECT + f"  - {{name: '{name}', label: x, type: simple, type_params: {{measure: usd}}}}\n"
    told = findings(text, Kind.DIFFERS)
    assert f"name {name}: is called {here} here" in told


def test_two_names_that_would_be_one_here_are_told_apart() -> None:
    text = PROJECT + "  - {name: n_, label: x, type: simple, type_params: {measure: usd}}\n"
    assert "name n: is called n_2 here" in findings(text, Kind.DIFFERS)


def test_a_model_of_which_no_column_is_known_is_lost_with_its_metrics() -> None:
    nameless = "  - {name: void, model: ref('void'), measures: [{name: k, agg: count, expr: 1, create_metric: true}]}\n"
    text = PROJECT.replace("metrics:\n", nameless + "metrics:\n  []\n")
    assert findings(text, Kind.LOST) == [
        "semantic model: names no column of its table",
        "semantic model 'void': is not in the file",
    ]


def test_what_is_switched_off_is_left_out() -> None:
    text = PROJECT + "  - {name: m, label: m, type: simple, type_params: {measure: n}, config: {enabled: false}}\n"
    assert findings(text, Kind.LEFT_OUT) == ["enabled: false: is not imported"]


def test_a_grain_of_months_cuts_to_the_month() -> None:
    converted = import_files({"m.yml": PROJECT + "  []\n"}, Options())
    assert 'sql: "(cast(closed as date) - cast(extract(day from closed) - 1 as int))"' in converted.text
