"""How an answer came about: the statement, where each metric comes from and how each dimension is reached."""

from semantic import load_catalog
from store import Store
from tests.server.conftest import Api


def test_explain_shows_the_statement_that_ran(api: Api) -> None:
    explain = api.data(
        "{ metrics(where: {trigger: {eq: CRON}}) { rows { agent inferenceCost } explain { sql sqlWithValues zone "
        "parameters { name value } facts { model measures dimensions { dimension joins } } } } }"
    )["metrics"]["explain"]
    assert "$p1" in explain["sql"]
    assert "'cron'" in explain["sqlWithValues"]
    assert explain["zone"] == "UTC"
    assert explain["parameters"] == [{"name": "p1", "value": "cron"}]
    assert explain["facts"] == [
        {
            "model": "requests",
            "measures": ["inference_cost"],
            "dimensions": [{"dimension": "agent", "joins": []}, {"dimension": "trigger", "joins": ["session"]}],
        }
    ]


def test_the_statement_is_shown_in_the_words_of_another_database(api: Api) -> None:
    shown = "postgres: sqlWithValues(dialect: POSTGRES) duckdb: sqlWithValues(dialect: DUCKDB) sqlWithValues"
    answer = api.data(f"{{ metrics {{ rows {{ agent sessions }} explain {{ {shown} }} }} }}")["metrics"]["explain"]
    assert '"session_facts"' in answer["postgres"]
    assert answer["duckdb"] == answer["sqlWithValues"]
    assert "SELECT" in answer["duckdb"]


def test_explain_tells_where_each_metric_comes_from_and_why_each_way_is_taken(api: Api) -> None:
    explain = api.data(
        "{ metrics(where: {trigger: {eq: CRON}}) { rows { agent attributedShare } explain { "
        "facts { source scan conditions dimensions { dimension why } } "
        "lineage { metric definition place inputs reads { source column } steps } } } }"
    )["metrics"]["explain"]
    assert explain["facts"] == [
        {
            "source": "request_facts",
            "scan": "rows of the range, grouped by the keys",
            "conditions": [],
            "dimensions": [
                {"dimension": "agent", "why": "a dimension of requests itself"},
                {
                    "dimension": "trigger",
                    "why": "through session (request_facts.session_id = session_facts.session_id), "
                    "the only way of joins that leads to it",
                },
            ],
        }
    ]
    first, *_, last = explain["lineage"]
    assert first["metric"] == "attributed_cost"
    assert first["steps"] == ["where attribution = 'ATTRIBUTED'", "sum of cost_usd in requests"]
    assert last["metric"] == "attributed_share"
    assert last["definition"] == "attributed_cost / inference_cost"
    assert last["place"].startswith("metrics.yaml:")
    assert last["inputs"] == ["attributed_cost", "inference_cost"]
    assert {"source": "request_facts", "column": "cost_usd"} in last["reads"]


def test_explaining_nothing_is_refused(api: Api) -> None:
    assert api.codes("{ metrics { explain { sql } } }") == ["NO_METRICS"]


def test_a_question_inside_a_question_is_explained_as_well(store: Store) -> None:
    text = (
        "models:\n"
        "  runs: {source: session_facts, key: session_id, time: started_at, dimensions: {agent: string}}\n"
        "metrics:\n"
        "  runs: {count: runs}\n"
        "  mean_runs: {metric: runs, each: {by: [agent], take: avg}}\n"
        "  place: {metric: runs, rank: highest}\n"
    )
    question = "{ metrics { rows { runs meanRuns place } explain { facts { measures } lineage { metric inputs } } } }"
    explain = Api(load_catalog(text), store).data(question)["metrics"]["explain"]
    assert explain["facts"] == [{"measures": ["runs"]}, {"measures": ["runs"]}]
    assert explain["lineage"] == [
        {"metric": "runs", "inputs": []},
        {"metric": "mean_runs", "inputs": ["runs"]},
        {"metric": "place", "inputs": ["runs"]},
    ]
