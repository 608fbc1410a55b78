"""What questions answer: exact values, reasons for what is missing, and errors that say what is wrong and where."""

import logging
from pathlib import Path

import pytest
from graphql import get_introspection_query

from semantic import Catalog, load_catalog
from server.graphql.context import AnswerLimits, Deadline
from server.graphql.engine import Operation
from store import Store
from tests.server.conftest import NOW, REPOSITORY, Api, Json, call, load_into, session
from tests.stores import new_store

EXAMPLES = sorted((REPOSITORY / "examples" / "queries").glob("*.graphql"))
FEBRUARY_TO_APRIL = 'time: {start: "2026-02-01T00:00:00Z", end: "2026-04-01T00:00:00Z"}'


def test_money_is_exact_on_the_wire(api: Api) -> None:
    assert api.rows("agent inferenceCost", 'where: {agent: {eq: "main"}}') == [
        {"agent": "main", "inferenceCost": "1.850000000002"}
    ]
    assert api.rows("cash") == [{"cash": "1000000"}]


def test_counts_are_numbers_ratios_are_floats_and_days_are_text(api: Api) -> None:
    assert api.rows("sessions utilisation depletionDate") == [
        {"sessions": 4, "utilisation": pytest.approx(1 / 3), "depletionDate": None}
    ]


def test_a_value_that_is_not_known_is_null_and_has_a_reason(api: Api) -> None:
    rows = api.rows("agent costPerSession evidence(metric: COST_PER_SESSION) { status n unknown }")
    assert rows == [
        {"agent": "main", "costPerSession": "0.925000000001", "evidence": {"status": "OK", "n": 2, "unknown": 0}},
        {"agent": "scout", "costPerSession": None, "evidence": {"status": "UNPRICED", "n": 1, "unknown": 1}},
        {"agent": None, "costPerSession": "0", "evidence": {"status": "OK", "n": 1, "unknown": 0}},
    ]


def test_a_sum_with_an_unknown_member_says_that_it_is_a_lower_bound(api: Api) -> None:
    assert api.data("{ metrics { totals { inferenceCost evidence(metric: INFERENCE_COST) { status unknown } } } }") == {
        "metrics": {"totals": {"inferenceCost": "1.850000000002", "evidence": {"status": "LOWER_BOUND", "unknown": 1}}}
    }


def test_enums_are_written_in_capitals(api: Api) -> None:
    rows = api.rows("trigger sessions", "orderBy: [{by: SESSIONS, direction: DESC}, {by: TRIGGER}]")
    assert rows == [
        {"trigger": "CRON", "sessions": 2},
        {"trigger": "HUMAN", "sessions": 1},
        {"trigger": "UNKNOWN", "sessions": 1},
    ]


def test_totals_are_computed_anew_over_all_rows(api: Api) -> None:
    answer = api.data("{ metrics(limit: 1) { rows { agent sessions } totals { sessions utilisation } truncated } }")
    assert answer == {
        "metrics": {
            "rows": [{"agent": "main", "sessions": 2}],
            "totals": {"sessions": 4, "utilisation": pytest.approx(1 / 3)},
            "truncated": True,
        }
    }


def test_an_answer_that_a_limit_cuts_says_so(api: Api) -> None:
    assert api.data("{ metrics(limit: 3) { rows { agent sessions } truncated } }")["metrics"]["truncated"] is False
    assert api.data("{ metrics(limit: 2) { rows { agent sessions } truncated } }")["metrics"]["truncated"] is True


def test_a_question_without_a_limit_has_the_default_one(catalog: Catalog, store: Store) -> None:
    small = Api(catalog, store, AnswerLimits(rows=2, most_rows=3))
    assert small.data("{ metrics { rows { agent sessions } truncated } }") == {
        "metrics": {"rows": [{"agent": "main", "sessions": 2}, {"agent": "scout", "sessions": 1}], "truncated": True}
    }
    query = "{ metrics(limit: 4) { rows { agent sessions } } }"
    assert small.codes(query) == ["BAD_LIMIT"]
    assert small.message(query) == "a limit is from 1 to 3, this is 4"


def test_an_answer_of_too_many_values_is_refused(catalog: Catalog, store: Store) -> None:
    small = Api(catalog, store, AnswerLimits(rows=10, most_rows=10, most_values=5))
    assert small.message("{ metrics { rows { agent sessions } } }") == (
        "3 rows of 2 values are more than 5 values; ask for fewer rows (limit) or select less"
    )


def test_a_range_is_half_open_and_its_instants_may_have_any_offset(api: Api) -> None:
    assert api.rows("sessions", 'time: {start: "2026-03-01T10:00:00Z", end: "2026-03-02T10:00:00Z"}') == [
        {"sessions": 1}
    ]
    assert api.rows("sessions", 'time: {start: "2026-03-01T11:00:00+01:00"}') == [{"sessions": 4}]
    assert api.rows("sessions", "time: {start: null}") == [{"sessions": 4}]


def test_days_are_cut_in_the_asked_zone(api: Api) -> None:
    assert api.rows("time(grain: DAY) sessions", 'where: {agent: {eq: "scout"}}') == [
        {"time": "2026-03-02", "sessions": 1}
    ]
    assert api.rows("time(grain: DAY) sessions", 'where: {agent: {eq: "scout"}}, zone: "Asia/Tokyo"') == [
        {"time": "2026-03-03", "sessions": 1}
    ]


def test_months_without_rows_are_there(api: Api) -> None:
    assert api.rows("time(grain: MONTH) sessions", FEBRUARY_TO_APRIL) == [
        {"time": "2026-02-01", "sessions": 0},
        {"time": "2026-03-01", "sessions": 4},
    ]


def test_trailing_windows_end_on_the_day_before_the_question(api: Api) -> None:
    # 90 USD over the 30 days from 1 February are 3 a day; 30.4375 days make a month
    burn = "{ metrics(asOf: %s) { totals { burnRate cash } asOf } }"
    assert api.data(burn % '"2026-03-01"')["metrics"]["totals"] == {"burnRate": "91.3125", "cash": "1000000"}
    today = api.data("{ metrics { totals { burnRate } asOf } }")["metrics"]
    assert today["asOf"] == "2026-03-10T12:00:00Z"
    assert today == api.data(burn.replace("cash", "") % '"2026-03-10"')["metrics"]


def test_a_day_to_come_is_refused_because_windows_would_count_days_without_spend(api: Api) -> None:
    asked = '{ metrics(asOf: "2026-03-11"%s) { totals { burnRate } } }'
    assert api.codes(asked % "") == ["BAD_TIME"]
    assert "errors" not in api.ask(asked % ', zone: "Pacific/Kiritimati"'), "it is that day there already"


def test_rows_and_totals_are_of_one_version_of_the_data(catalog: Catalog) -> None:
    with new_store() as store:
        api = Api(catalog, store)
        assert api.data("{ metrics { rows { sessions } dataVersion } }")["metrics"]["dataVersion"] == 0
        load_into(store, [session("s1", "main", "human", "2026-03-01T10:00")])
        assert api.data("{ metrics { rows { sessions } totals { sessions } dataVersion } }") == {
            "metrics": {"rows": [{"sessions": 1}], "totals": {"sessions": 1}, "dataVersion": 1}
        }


def test_the_catalog_tells_what_is_said_about_a_metric(store: Store) -> None:
    text = NARROW + (
        "  old: {count: runs, deprecated: ask for runs}\n"
        "  told: {count: runs, format: '0,0', owner: finance, target: below 10, label: Told}\n"
        "  seen: {count_distinct: runs.session_id, approximate: true}\n"
        "  place: {metric: runs, rank: highest}\n"
    )
    fields = "name format owner target deprecated isApproximate kind"
    metrics = Api(load_catalog(text), store).data(f"{{ catalog {{ metrics {{ {fields} }} }} }}")["catalog"]["metrics"]
    plain = {"format": "", "owner": "", "target": "", "deprecated": None, "isApproximate": False, "kind": "MEASURE"}
    assert metrics[-4:] == [
        {**plain, "name": "old", "deprecated": "ask for runs"},
        {**plain, "name": "told", "format": "0,0", "owner": "finance", "target": "below 10"},
        {**plain, "name": "seen", "isApproximate": True},
        {**plain, "name": "place", "kind": "RANK"},
    ]


def test_the_catalog_tells_what_can_be_asked(api: Api) -> None:
    catalog = api.data(
        "{ catalog { timeZone metrics { name graphqlName label unit type better kind definition dimensions { name } }"
        " dimensions { name graphqlName type values description } } }"
    )["catalog"]
    assert catalog["timeZone"] == "UTC"
    roi = next(m for m in catalog["metrics"] if m["name"] == "roi")
    assert {key: value for key, value in roi.items() if key != "dimensions"} == {
        "name": "roi",
        "graphqlName": "roi",
        "label": "ROI",
        "unit": "successes/USD",
        "type": "NUMBER",
        "better": "HIGHER",
        "kind": "FORMULA",
        "definition": "scored_success_rate / cost_per_scored_task",
    }
    assert {"name": "task_class"} in roi["dimensions"]
    assert {"name": "vendor"} not in roi["dimensions"]
    trigger = next(d for d in catalog["dimensions"] if d["name"] == "trigger")
    assert (trigger["graphqlName"], trigger["type"], trigger["values"][:2]) == ("trigger", "ENUM", ["human", "cron"])


def test_sources_tell_the_last_load_of_each_place(catalog: Catalog) -> None:
    with new_store() as store:
        first = [session("s1", "main", "human", "2026-03-01T10:00")]
        load_into(store, first, now=NOW.replace(hour=9))
        load_into(store, [*first, call("r1", "s1", "big", "2026-03-01T10:01", "1")], now=NOW.replace(hour=11))
        sources = Api(catalog, store).data(
            "{ sources { source location loads lastLoadAt ageSeconds dataVersion"
            " read stored unchanged ignored rejected } }"
        )["sources"]
    assert sources == [
        {
            "source": "test",
            "location": "records",
            "loads": 2,
            "lastLoadAt": "2026-03-10T11:00:00Z",
            "ageSeconds": 3600,
            "dataVersion": 2,
            "read": 2,
            "stored": 1,
            "unchanged": 1,
            "ignored": 0,
            "rejected": 0,
        }
    ]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: str(path.stem))
def test_every_example_is_answered(api: Api, path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.startswith("# ")
    assert all(value is not None for value in api.data(text).values())


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 7


def test_of_many_mistakes_the_first_two_say_what_may_have_been_meant(api: Api) -> None:
    errors = api.ask("{ metrics { rows { sesions modle agnt } } }")["errors"]
    assert [error["locations"][0]["column"] for error in errors] == [20, 28, 34]
    assert ["Did you mean" in error["message"] for error in errors] == [True, True, False]


@pytest.mark.parametrize(
    ("query", "message", "column"),
    [
        (
            "{ metrics { rows { costPerSesion } } }",
            "Cannot query field 'costPerSesion' on type 'MetricsRow'. Did you mean 'costPerSession'",
            20,
        ),
        ("{ metrics { totals { agent sessions } } }", "Cannot query field 'agent' on type 'MetricsTotals'.", 22),
        (
            "{ metrics { rows { evidence(metric: COSTS) { n } } } }",
            "Value 'COSTS' does not exist in 'MetricName' enum.",
            37,
        ),
        ("{ metrics(limit: 99999999999) { dataVersion } }", "Int cannot represent non 32-bit signed integer value", 18),
    ],
)
def test_what_the_schema_does_not_know_fails_with_its_place(api: Api, query: str, message: str, column: int) -> None:
    body = api.ask(query)
    assert "data" not in body
    (error,) = body["errors"]
    assert message in error["message"]
    assert error["locations"] == [{"line": 1, "column": column}]
    assert error["extensions"] == {"code": "INVALID_QUERY"}


@pytest.mark.parametrize(
    ("arguments", "selection", "code"),
    [
        ("", "category sessions", "UNREACHABLE_DIMENSION"),
        ("orderBy: [{by: ROI}]", "sessions", "BAD_ORDER"),
        ('zone: "Mars/Olympus"', "sessions", "UNKNOWN_ZONE"),
        ('zone: ""', "sessions", "UNKNOWN_ZONE"),
        ('zone: "../../etc/passwd"', "sessions", "UNKNOWN_ZONE"),
        ("limit: 0", "sessions", "BAD_LIMIT"),
        ("limit: -1", "sessions", "BAD_LIMIT"),
        ('time: {start: "2026-03-02T00:00:00Z", end: "2026-03-01T00:00:00Z"}', "sessions", "BAD_TIME"),
    ],
)
def test_a_question_that_has_no_right_answer_is_refused_with_a_code(
    api: Api, arguments: str, selection: str, code: str
) -> None:
    query = f"{{ metrics{f'({arguments})' if arguments else ''} {{ rows {{ {selection} }} }} }}"
    body = api.ask(query)
    assert body["data"] == {"metrics": None}
    (error,) = body["errors"]
    assert error["extensions"] == {"code": code}
    assert error["path"] == ["metrics"]


def test_one_question_that_is_refused_leaves_the_others_alone(api: Api) -> None:
    body = api.ask("{ good: metrics { totals { sessions } } bad: metrics(limit: 0) { totals { sessions } } }")
    assert body["data"] == {"good": {"totals": {"sessions": 4}}, "bad": None}
    assert [error["path"] for error in body["errors"]] == [["bad"]]


NARROW = """
models:
  runs:
    source: session_facts
    key: session_id
    dimensions: {trigger: {type: enum, values: [human]}, class: string}
  lost:
    source: no_such_table
    key: id
metrics:
  runs: {count: runs}
  lost: {count: lost}
"""


@pytest.fixture
def narrow(store: Store) -> Api:
    """A catalog that does not fit the store."""
    return Api(load_catalog(NARROW), store)


def test_a_stored_value_outside_of_its_enum_is_named_at_its_place(narrow: Api) -> None:
    body = narrow.ask("{ metrics { rows { trigger runs } } }")
    assert body["data"]["metrics"]["rows"] == [
        {"trigger": None, "runs": 2},
        {"trigger": "HUMAN", "runs": 1},
        {"trigger": None, "runs": 1},
    ]
    assert [(e["path"], e["message"], e["extensions"]) for e in body["errors"]] == [
        (
            ["metrics", "rows", i, "trigger"],
            f"Enum 'Trigger' cannot represent value: '{value}'",
            {"code": "INVALID_VALUE"},
        )
        for i, value in ((0, "cron"), (2, "unknown"))
    ]


def test_many_errors_are_counted_and_not_all_told() -> None:
    with new_store() as store:
        load_into(store, [session(f"s{i}", "main", "cron", "2026-03-01T10:00") for i in range(25)])
        narrow = Api(load_catalog(NARROW.replace("class: string", "session_id: string")), store)
        errors = narrow.ask("{ metrics { rows { sessionId trigger runs } } }")["errors"]
    assert len(errors) == 21
    assert errors[-1] == {"message": "and 5 more, not shown", "extensions": {"code": "INVALID_VALUE"}}


def test_a_dimension_with_a_name_of_python_is_answered(narrow: Api) -> None:
    assert narrow.rows("class runs", 'where: {class: {in: ["idle", "productive"]}}') == [
        {"class": "idle", "runs": 2},
        {"class": "productive", "runs": 1},
    ]


def test_what_goes_wrong_inside_is_logged_under_an_id_and_not_told(
    narrow: Api, caplog: pytest.LogCaptureFixture
) -> None:
    (error,) = narrow.ask("{ metrics { totals { lost } } }")["errors"]
    request_id = error["extensions"]["requestId"]
    assert error["extensions"]["code"] == "INTERNAL"
    assert error["message"] == f"Internal error; the server's log has the reason under {request_id}"
    assert "no_such_table" not in str(error)
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert record.getMessage() == f"request {request_id} failed at metrics"
    assert record.exc_info is not None
    assert "no_such_table" in str(record.exc_info[1])


@pytest.mark.parametrize(
    "query", ["{", "{ nothing }", "{ metrics(limit: 0) { totals { sessions } } }", "query($a: Int!) { __typename }"]
)
def test_mistakes_of_a_client_are_not_logged(api: Api, query: str, caplog: pytest.LogCaptureFixture) -> None:
    assert api.ask(query)["errors"]
    assert caplog.records == []


def test_a_question_whose_time_is_up_is_told_so(api: Api) -> None:
    response = api.engine.answer(Operation("{ metrics { totals { sessions } } }"), Deadline.after(0))
    (error,) = response.body["errors"]
    assert error["extensions"] == {"code": "TIMEOUT"}
    assert error["message"] == "the question took longer than 0 ms, waiting included"


def doubling(fragments: int) -> str:
    """Each fragment spreads the next one twice: short to write, and 2^n fields when spread out."""
    parts = [f"fragment f{i} on MetricsRow {{ ...f{i + 1} ...f{i + 1} }}" for i in range(fragments)]
    return f"{{ metrics {{ rows {{ ...f0 }} }} }} {' '.join(parts)} fragment f{fragments} on MetricsRow {{ sessions }}"


@pytest.mark.parametrize(
    ("query", "code", "message"),
    [
        ("{ " + "catalog { timeZone } " * 300 + "}", "SYNTAX_ERROR", "Document contains more than 1000 tokens"),
        ("#\n" * 300 + "{ __typename }", "SYNTAX_ERROR", "Document contains more than 200 comments"),
        ("{ a" * 50 + " }" * 50, "TOO_LARGE", "an operation has at most 12 levels of fields, this has 50"),
        ("{ ... " * 150 + "{ __typename }" + " }" * 150, "TOO_LARGE", "nested more than 100 times"),
        (doubling(40), "TOO_LARGE", "an operation has at most 1,000 fields, this has 1,099,511,627,778"),
        (
            "{ " + " ".join(f"m{i}: metrics {{ totals {{ sessions }} }}" for i in range(6)) + " }",
            "TOO_LARGE",
            "an operation has at most 5 fields at the top, this has 6",
        ),
        ("{ ...f } fragment f on Query { ...f }", "INVALID_QUERY", "Cannot spread fragment 'f' within itself."),
        ("mutation { a }", "INVALID_QUERY", "Cannot query field 'a' on type 'Mutation'."),
        ("subscription { a }", "INVALID_QUERY", "Cannot query field 'a' on type 'Subscription'."),
    ],
)
def test_a_document_beyond_the_limits_is_refused_before_anything_runs(
    api: Api, query: str, code: str, message: str
) -> None:
    body = api.ask(query)
    assert "data" not in body
    assert body["errors"][0]["extensions"] == {"code": code}
    assert message in body["errors"][0]["message"]


def test_a_flood_of_mistakes_is_cut(api: Api) -> None:
    errors = api.ask("{ catalog { " + " ".join(f"x{i}" for i in range(300)) + " } }")["errors"]
    assert len(errors) == 11
    assert errors[-1]["message"] == "Too many validation errors, error limit reached. Validation aborted."


def test_introspection_is_within_the_limits(api: Api) -> None:
    schema: Json = api.data(get_introspection_query(input_value_deprecation=True))["__schema"]
    assert schema["queryType"] == {"name": "Query", "kind": "OBJECT"}


def test_several_operations_need_a_name(api: Api) -> None:
    text = "query A { a: __typename } query B { b: __typename }"
    assert api.ask(text, name="B") == {"data": {"b": "Query"}}
    for name in (None, "C"):
        body = api.ask(text, name=name)
        assert "data" not in body
        assert body["errors"][0]["extensions"] == {"code": "BAD_REQUEST"}


def test_variables_of_the_wrong_type_are_refused_before_anything_runs(api: Api) -> None:
    body = api.ask("query($n: Int!) { metrics(limit: $n) { dataVersion } }", {"n": "five"})
    assert "data" not in body
    (error,) = body["errors"]
    assert error["extensions"] == {"code": "INVALID_VARIABLES"}
    assert error["locations"] == [{"line": 1, "column": 7}]
