"""What a caller sees: his schema, his rows, and no name that his roles do not open to him."""

import json
from pathlib import Path

import pytest

from semantic import Caller, Catalog, CatalogError, load_catalog
from server.app import create_app
from server.graphql import build_schema
from server.settings import Settings
from server.withheld import hidden_names, mentions
from store import Store
from tests.server.conftest import NOW, Api, Run
from tests.server.test_app import Client
from tests.serving import running

FILE = """
models:
  sessions:
    source: session_facts
    key: session_id
    time: started_at
    dimensions:
      agent: string
      trigger: {type: string, access: [staff]}
  charges: {source: charge_days, key: [charge_id, day], time: {column: day, grain: day}}
metrics:
  sessions: {count: sessions}
  cost: {sum: sessions.known_cost_usd, unit: USD, access: [finance]}
  mean_cost: {expr: cost / sessions, unit: USD}
  bills: {sum: charges.amount_usd, unit: USD, access: [finance]}
  bills_per_session: {expr: bills / sessions, unit: USD}
policies:
  own_agents: {model: sessions, rows: "agent in :caller.agents", unless: [finance]}
"""
GUEST = Caller(frozenset(), {"agents": ("main",)})


@pytest.fixture(scope="module")
def guarded() -> Catalog:
    return load_catalog(FILE)


@pytest.fixture(scope="module")
def guest(guarded: Catalog, store: Store) -> Api:
    return Api(guarded, store, caller=GUEST)


def test_the_operator_sees_everything(guarded: Catalog, store: Store) -> None:
    assert Api(guarded, store).rows("sessions cost") == [{"sessions": 4, "cost": "1.850000000002"}]


def test_a_caller_counts_the_rows_that_are_his(guest: Api) -> None:
    assert guest.rows("agent sessions") == [{"agent": "main", "sessions": 2}]
    assert guest.data("{ metrics { totals { sessions } } }") == {"metrics": {"totals": {"sessions": 2}}}


def test_a_role_may_lift_a_policy(guarded: Catalog, store: Store) -> None:
    finance = Api(guarded, store, caller=Caller(frozenset({"finance"})))
    assert finance.rows("sessions cost") == [{"sessions": 4, "cost": "1.850000000002"}]


def test_a_caller_of_whom_too_little_is_known_is_refused(guarded: Catalog, store: Store) -> None:
    nobody = Api(guarded, store, caller=Caller())
    assert nobody.codes("{ metrics { totals { sessions } } }") == ["NO_CLAIM"]


def test_what_a_caller_may_not_see_is_not_in_his_schema(guarded: Catalog) -> None:
    schema = build_schema(guarded, GUEST).as_str()
    for name in ("  cost: Decimal", "  COST\n", "trigger", "TRIGGER", "Trigger"):
        assert name not in schema
    assert "meanCost: Decimal" in schema
    assert "trigger: String" in build_schema(guarded, Caller(frozenset({"staff"}))).as_str()


def test_a_hidden_name_is_as_unknown_as_any(guest: Api) -> None:
    query = "{ metrics { totals { cost } } }"
    assert guest.message(query) == "Cannot query field 'cost' on type 'MetricsTotals'."
    assert guest.codes("{ metrics { rows { trigger sessions } } }") == ["INVALID_QUERY"]


def test_a_metric_that_rests_on_a_hidden_one_is_answered_and_not_explained(guest: Api) -> None:
    assert guest.rows("meanCost") == [{"meanCost": "0.925000000001"}]
    query = "{ metrics { rows { meanCost } explain { sql } } }"
    assert guest.codes(query) == ["NOT_EXPLAINED"]
    assert "cost" not in guest.message(query)
    explain = guest.data("{ metrics { rows { sessions } explain { sql lineage { metric } } } }")["metrics"]["explain"]
    assert explain["lineage"] == [{"metric": "sessions"}]


def test_no_refusal_tells_a_hidden_name(guest: Api, guarded: Catalog, store: Store) -> None:
    query = "{ metrics { rows { agent billsPerSession } } }"
    assert "'bills' cannot be cut by 'agent'" in Api(guarded, store).message(query)
    assert guest.codes(query) == ["UNREACHABLE_DIMENSION"]
    assert guest.message(query) == "this cannot be answered, for a reason that names what the caller may not see"


def test_no_definition_tells_a_hidden_name(guest: Api, guarded: Catalog, store: Store) -> None:
    query = "{ catalog { metrics { name definition } dimensions { name } } }"
    catalog = guest.data(query)["catalog"]
    assert catalog["metrics"] == [
        {"name": "sessions", "definition": "count: sessions"},
        {"name": "mean_cost", "definition": ""},
        {"name": "bills_per_session", "definition": ""},
    ]
    assert "trigger" not in [d["name"] for d in catalog["dimensions"]]
    assert Api(guarded, store).data(query)["catalog"]["metrics"][2]["definition"] == "cost / sessions"


def test_a_caller_who_sees_no_metric_has_no_schema() -> None:
    with pytest.raises(CatalogError, match="there is no metric that the caller's roles open to him"):
        build_schema(
            load_catalog(FILE[: FILE.index("  sessions: {count")] + "  a: {count: sessions, access: [x]}\n"), GUEST
        )


def test_hidden_names_are_found_as_words_and_as_parts(guarded: Catalog) -> None:
    hidden = hidden_names(guarded, GUEST)
    assert hidden == {"bills", "cost", "trigger"}
    assert hidden_names(guarded, None) == frozenset()
    assert mentions("SELECT mean__cost", hidden)
    assert not mentions("SELECT cost_usd", hidden)


def test_the_settings_name_the_caller_of_every_request(guarded: Catalog, store: Store) -> None:
    settings = Settings(roles="", claims='{"agents": ["scout", "main"]}')
    with running(create_app(store, guarded, settings, lambda: NOW)) as url:
        client = Client(url)
        assert client.post({"query": "{ metrics { totals { sessions } } }"}).json["data"] == {
            "metrics": {"totals": {"sessions": 3}}
        }
        assert b"trigger" not in client.send("GET", "/schema.graphql").body


@pytest.fixture
def guarded_run(loaded: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    (tmp_path / "guarded.yaml").write_text(FILE)
    monkeypatch.setenv("CLAWBACK_METRICS", "guarded.yaml")
    return loaded


@pytest.mark.parametrize(
    ("options", "sessions"),
    [
        ((), 4),
        (("--role", "finance"), 4),
        (("--claim", 'agents=["scout"]'), 1),
        (("--claim", 'agents=["scout", "main"]', "--role", "staff"), 4),
        (("--claim", "agents=main"), 3),
    ],
)
def test_the_command_line_asks_as_whom_it_is_told(guarded_run: Run, options: tuple[str, ...], sessions: int) -> None:
    shown = guarded_run("query", "sessions", *options, "--format", "json")
    assert (shown.code, shown.err) == (0, "")
    assert json.loads(shown.out)["rows"][0]["sessions"] == sessions


def test_the_command_line_asks_as_the_settings_say_where_it_is_told_nothing(
    guarded_run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLAWBACK_ROLES", "guest, staff")
    monkeypatch.setenv("CLAWBACK_CLAIMS", '{"agents": ["scout"]}')
    assert guarded_run("query", "sessions", "--by", "trigger", "--format", "csv").out.splitlines()[1].endswith(",1,OK")
    shown = guarded_run("query", "cost")
    assert (shown.code, shown.err) == (1, "error: there is no metric 'cost'; did you mean 'mean_cost'?\n")
    assert "cost: Decimal" not in guarded_run("schema").out.replace("meanCost: Decimal", "")
    assert "## cost" not in guarded_run("schema", "--format", "markdown").out


def test_sql_and_explain_tell_no_hidden_name(guarded_run: Run) -> None:
    for command in ("sql", "explain"):
        shown = guarded_run(command, "mean_cost", "--claim", 'agents=["main"]')
        assert (shown.code, "is not explained" in shown.err) == (1, True)
        assert guarded_run(command, "sessions", "--claim", 'agents=["main"]').code == 0


@pytest.mark.parametrize(
    ("option", "message"), [("agents", "'agents' is not NAME=VALUE"), ("a={}", "'{}' is neither text, a number")]
)
def test_a_claim_that_says_nothing_is_refused(guarded_run: Run, option: str, message: str) -> None:
    shown = guarded_run("query", "sessions", "--claim", option)
    assert shown.code == 2
    assert message in shown.err
