"""The selection is the question: what is selected groups and is computed, and nothing else does."""

import pytest

from tests.server.conftest import Api

BY_AGENT = [{"agent": "main", "sessions": 2}, {"agent": "scout", "sessions": 1}, {"agent": None, "sessions": 1}]


def test_selected_dimensions_group(api: Api) -> None:
    assert api.rows("agent sessions") == BY_AGENT
    assert api.rows("sessions") == [{"sessions": 4}]


def test_a_named_fragment_is_part_of_the_question(api: Api) -> None:
    data = api.data(
        "{ metrics { ...all } } fragment all on Metrics { rows { ...cut } }"
        " fragment cut on MetricsRow { agent sessions }"
    )
    assert data == {"metrics": {"rows": BY_AGENT}}


def test_an_inline_fragment_is_part_of_the_question(api: Api) -> None:
    assert api.rows("... on MetricsRow { agent } ... { sessions }") == BY_AGENT


def test_aliases_name_the_response_and_do_not_group_twice(api: Api) -> None:
    rows = api.rows("who: agent again: agent n: sessions m: sessions")
    assert rows[0] == {"who": "main", "again": "main", "n": 2, "m": 2}
    assert len(rows) == 3


@pytest.mark.parametrize(
    "selection",
    [
        "agent trigger @skip(if: true) sessions",
        "agent trigger @include(if: false) sessions",
        "agent ... @skip(if: true) { trigger } sessions",
        "agent ...finer @include(if: false) sessions",
        "agent time(grain: DAY) @skip(if: true) sessions",
    ],
)
def test_a_dimension_that_is_skipped_does_not_group(api: Api, selection: str) -> None:
    fragment = "fragment finer on MetricsRow { trigger }" if "finer" in selection else ""
    assert api.data(f"{{ metrics {{ rows {{ {selection} }} }} }} {fragment}")["metrics"]["rows"] == BY_AGENT


def test_a_variable_decides_what_groups(api: Api) -> None:
    query = "query($finer: Boolean!) { metrics { rows { agent trigger @include(if: $finer) sessions } } }"
    assert api.data(query, {"finer": False})["metrics"]["rows"] == BY_AGENT
    assert len(api.data(query, {"finer": True})["metrics"]["rows"]) == 4


def test_duplicates_are_merged(api: Api) -> None:
    data = api.data("{ metrics { rows { agent } rows { sessions agent } } metrics { rows { sessions } } }")
    assert data == {"metrics": {"rows": BY_AGENT}}


def test_two_questions_in_one_operation_are_answered_apart(api: Api) -> None:
    data = api.data("{ a: metrics { rows { sessions } } b: metrics { rows { agent sessions } } }")
    assert data == {"a": {"rows": [{"sessions": 4}]}, "b": {"rows": BY_AGENT}}


def test_rows_that_are_selected_twice_are_refused(api: Api) -> None:
    query = "{ metrics { a: rows { agent sessions } b: rows { model sessions } } }"
    assert api.codes(query) == ["ROWS_TWICE"]
    assert api.message(query) == "rows are selected twice; ask for metrics twice, each under a name of its own"


def test_totals_may_be_selected_twice(api: Api) -> None:
    assert api.data("{ metrics { a: totals { sessions } b: totals { requests } } }") == {
        "metrics": {"a": {"sessions": 4}, "b": {"requests": 4}}
    }


@pytest.mark.parametrize("selection", ["agent", "__typename", "sessions @skip(if: true)", "time(grain: DAY)", ""])
def test_rows_without_a_metric_are_refused(api: Api, selection: str) -> None:
    query = f"{{ metrics {{ rows {{ {selection} }} }} }}"
    assert api.ask(query)["data"] == {"metrics": None}
    assert api.codes(query) == ["NO_METRICS"]
    assert api.message(query) == "no metric is selected under rows; select at least one, such as requests"


def test_typename_beside_a_metric_changes_nothing(api: Api) -> None:
    assert api.rows("__typename sessions") == [{"__typename": "MetricsRow", "sessions": 4}]


def test_one_grain_may_be_selected_under_two_names(api: Api) -> None:
    march = 'time: {start: "2026-03-01T00:00:00Z", end: "2026-03-03T00:00:00Z"}'
    assert api.rows("a: time(grain: DAY) b: time(grain: DAY) sessions", march) == [
        {"a": "2026-03-01", "b": "2026-03-01", "sessions": 1},
        {"a": "2026-03-02", "b": "2026-03-02", "sessions": 2},
    ]


def test_two_grains_in_one_question_are_refused(api: Api) -> None:
    query = "{ metrics { rows { day: time(grain: DAY) month: time(grain: MONTH) sessions } } }"
    assert api.codes(query) == ["TWO_GRAINS"]
    assert api.message(query) == "rows are cut by DAY and MONTH at once; a question has one grain, so ask twice"


def test_evidence_computes_its_metric_without_selecting_it(api: Api) -> None:
    assert api.rows("evidence(metric: INFERENCE_COST) { status n unknown }") == [
        {"evidence": {"status": "LOWER_BOUND", "n": 4, "unknown": 1}}
    ]


def test_only_what_is_selected_is_computed(api: Api) -> None:
    explain = api.data("{ metrics { rows { agent sessions } explain { sql facts { model measures } } } }")["metrics"][
        "explain"
    ]
    assert explain["facts"] == [{"model": "sessions", "measures": ["sessions"]}]
    assert "request_facts" not in explain["sql"]
