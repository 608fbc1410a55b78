import os
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from semantic import Caller
from server.settings import Settings, shipped
from tests.server.conftest import REPOSITORY


@pytest.fixture(autouse=True)
def _elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An empty directory and no setting from the machine that the tests run on."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("CLAWBACK_")]:
        monkeypatch.delenv(name)


def test_the_defaults() -> None:
    settings = Settings()
    assert settings.store == Path("clawback.duckdb")
    assert (settings.host, settings.port) == ("127.0.0.1", 8321)
    assert (settings.default_rows, settings.max_rows, settings.query_timeout_ms) == (1_000, 10_000, 10_000)
    assert (settings.threads, settings.memory_limit, settings.capacity_slots) == (4, "1GB", 1)


def test_the_environment_sets_what_it_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLAWBACK_STORE", "/srv/costs.duckdb")
    monkeypatch.setenv("CLAWBACK_PORT", "9000")
    monkeypatch.setenv("CLAWBACK_MAX_ROWS", "5000")
    settings = Settings()
    assert (settings.store, settings.port, settings.max_rows) == (Path("/srv/costs.duckdb"), 9000, 5000)


def test_the_metrics_are_those_of_the_working_directory_else_the_shipped_ones(tmp_path: Path) -> None:
    assert Settings().metrics == REPOSITORY / "metrics.yaml"
    (tmp_path / "metrics.yaml").touch()
    assert Settings().metrics == Path("metrics.yaml")


def test_what_is_shipped_is_found() -> None:
    assert shipped("metrics.yaml").is_file()
    assert shipped("examples/queries").is_dir()


def test_a_day_may_cost_five_dollars_unless_something_else_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    cap = Settings().default_budget
    assert cap is not None
    assert (cap.budget_id, cap.limit_usd, cap.zone, cap.blocks) == ("daily", Decimal("5.00"), "UTC", True)
    monkeypatch.setenv("CLAWBACK_DAILY_BUDGET_USD", "0")
    monkeypatch.setenv("CLAWBACK_BUDGET_ZONE", "America/New_York")
    cap = Settings().default_budget
    assert cap is not None
    assert (cap.limit_usd, cap.zone) == (0, "America/New_York")
    monkeypatch.setenv("CLAWBACK_DAILY_BUDGET_USD", "")
    assert Settings().default_budget is None


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("DAILY_BUDGET_USD", "-1", "greater than or equal to 0"),
        ("DAILY_BUDGET_USD", "NaN", "finite number"),
        ("DAILY_BUDGET_USD", "five", "valid decimal"),
        ("BUDGET_ZONE", "New York", "there is no time zone 'New York'; name one like America/New_York"),
    ],
)
def test_a_cap_that_cannot_be_is_refused(monkeypatch: pytest.MonkeyPatch, name: str, value: str, message: str) -> None:
    monkeypatch.setenv(f"CLAWBACK_{name}", value)
    with pytest.raises(ValidationError, match=message):
        Settings()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_it_listens_on_this_machine(host: str) -> None:
    assert Settings(host=host).host == host


def test_an_open_server_listens_on_this_machine_alone() -> None:
    assert Settings(open=True).open
    with pytest.raises(ValidationError, match="open lets in whoever reaches the server"):
        Settings(open=True, host="0.0.0.0")
    with pytest.raises(ValidationError, match="name the hosts"):
        Settings(open=True, hosts="*")
    with pytest.raises(ValidationError, match="host"):
        Settings(host="")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"jwt_issuer": "https://id.example.org"}, "need jwt_issuer, jwt_audience and jwt_keys, all three"),
        ({"jwt_keys": "http://id.example.org/keys"}, "use https, or a file"),
        ({"jwt_algorithms": "RS256,HS256"}, "HS256 is not taken"),
        ({"jwt_algorithms": "none"}, "none is not taken"),
        ({"proxy_peers": "10.0.0.7, proxy"}, "'proxy' is neither an address nor a network"),
        ({"role_map": "{finance}"}, "is not JSON"),
    ],
)
def test_a_way_to_show_who_asks_that_shows_nothing_is_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Settings(**given)


def test_the_audit_is_beside_the_store_until_something_else_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Settings().audit_file(Path("/srv/a.duckdb")) == Path("/srv/a.duckdb.audit.jsonl")
    monkeypatch.setenv("CLAWBACK_AUDIT_LOG", "/var/log/clawback.jsonl")
    assert Settings().audit_file(Path("/srv/a.duckdb")) == Path("/var/log/clawback.jsonl")
    monkeypatch.setenv("CLAWBACK_AUDIT_LOG", "")
    assert Settings().audit_file(Path("/srv/a.duckdb")) is None


@pytest.mark.parametrize(
    ("name", "value"), [("PORT", "70000"), ("MAX_ROWS", "0"), ("QUERY_TIMEOUT_MS", "0"), ("THREADS", "many")]
)
def test_a_setting_that_makes_no_sense_is_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(f"CLAWBACK_{name}", value)
    with pytest.raises(ValidationError, match=name.lower()):
        Settings()


def test_the_default_limit_is_within_the_largest() -> None:
    with pytest.raises(ValidationError, match=r"default_rows \(1,000\) is above max_rows \(10\)"):
        Settings(max_rows=10)


def test_whoever_asks_is_the_operator_until_roles_are_set(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Settings().caller is None
    monkeypatch.setenv("CLAWBACK_ROLES", "")
    assert Settings().caller == Caller(frozenset(), {})
    monkeypatch.setenv("CLAWBACK_ROLES", "finance, staff,")
    monkeypatch.setenv("CLAWBACK_CLAIMS", '{"team": "search", "level": 3, "share": 0.1, "in": ["a", true]}')
    assert Settings().caller == Caller(
        frozenset({"finance", "staff"}), {"team": "search", "level": 3, "share": Decimal("0.1"), "in": ("a", True)}
    )


@pytest.mark.parametrize(
    ("claims", "message"),
    [("{team: search}", "is not JSON"), ("[1]", "valid dictionary"), ('{"a": null}', "a"), ('{"a": {"b": 1}}', "a")],
)
def test_claims_that_cannot_be_read_are_refused(monkeypatch: pytest.MonkeyPatch, claims: str, message: str) -> None:
    monkeypatch.setenv("CLAWBACK_ROLES", "staff")
    monkeypatch.setenv("CLAWBACK_CLAIMS", claims)
    with pytest.raises(ValidationError, match=message):
        Settings()


def test_claims_are_of_a_caller_and_not_of_the_operator(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLAWBACK_CLAIMS", '{"team": "search"}')
    with pytest.raises(ValidationError, match="claims are set without roles, and the operator has no claims"):
        Settings()


def test_every_setting_says_what_it_is_for() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []
