"""`/budgets` and its gauges over real HTTP, and the command line that asks there."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

import pytest
from starlette.applications import Starlette

from semantic import load_catalog
from server.access import Principal, everybody
from server.alerts.actions import Actions
from server.alerts.routes import round_json
from server.alerts.watch import Watch
from server.app import create_app
from server.cli.budget import print_found
from server.metrics_page import metrics_route
from server.settings import Settings
from server.telemetry import Meters
from store import Store
from tests.server.alerts.acting import KEY, REPOSITORY
from tests.server.alerts.boxes import NOON, Box, alert, closed, standing
from tests.serving import running

METRICS = (REPOSITORY / "metrics.yaml").read_text(encoding="utf-8")
POLICY = """
policies:
  own_calls: {model: requests, rows: "agent = :caller.agent", unless: [operator]}
"""


@contextmanager
def served(box: Box) -> Iterator[str]:
    settings = Settings()
    with Store.open(None) as store:
        watch = Watch(Actions(box), lambda: NOON, store.data_version, 3600)
        with running(create_app(store, load_catalog(METRICS), settings, lambda: NOON, key=KEY, watch=watch)) as url:
            yield url


@pytest.fixture(scope="module")
def box() -> Box:
    return Box([standing(), closed(budget_id="each", scope="agent", member="[red]")])


@pytest.fixture(scope="module")
def url(box: Box) -> Iterator[str]:
    with served(box) as address:
        yield address


def ask(url: str, path: str, key: str = "", method: str = "GET") -> tuple[int, str, str]:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    request = Request(f"{url}{path}", headers=headers, method=method)
    try:
        with build_opener(ProxyHandler({})).open(request, timeout=20) as response:
            return response.status, str(response.headers["Content-Type"]), response.read().decode()
    except HTTPError as error:
        with error:
            return error.code, str(error.headers["Content-Type"]), error.read().decode()


def test_prometheus_scrapes_in_the_text_format(url: str) -> None:
    status, kind, body = ask(url, "/metrics")
    assert (status, kind) == (200, "text/plain; version=0.0.4; charset=utf-8")
    assert "openclaw_budget_exceeded 1" in body.splitlines()


def test_a_scrape_while_the_store_cannot_be_read_says_so(url: str, box: Box) -> None:
    box.is_broken = True
    try:
        status, _, body = ask(url, "/metrics")
        assert ask(url, "/budgets", KEY)[::2] == (503, '{"error":"the store is closed"}')
    finally:
        box.is_broken = False
    assert status == 200
    assert "clawback_budget_evaluation_success 0" in body.splitlines()
    assert "openclaw" not in body


@pytest.mark.parametrize(("path", "method"), [("/budgets", "GET"), ("/budgets/run", "POST")])
@pytest.mark.parametrize("key", ["", "another", "the key ", "ü"])
def test_budgets_are_run_by_the_owner_of_the_store_alone(url: str, path: str, method: str, key: str) -> None:
    status, _, body = ask(url, path, key.encode().decode("latin-1"), method)
    assert (status, "whoever owns the store" in body) == (401, True)


def test_a_round_tells_what_is_new(url: str, box: Box) -> None:
    box.coming.append(alert())
    status, _, body = ask(url, "/budgets/run", KEY, "POST")
    said = json.loads(body)
    assert (status, [one["alert_id"] for one in said["alerts"]]) == (200, ["daily/2026-02-20/1"])
    assert (said["is_flagged"], said["problems"], len(said["standings"])) == (None, [], 2)
    assert json.loads(ask(url, "/budgets/run", KEY, "POST")[2])["alerts"] == []
    assert ask(url, "/budgets/run", KEY, "GET")[0] == 405


@pytest.mark.parametrize(
    ("roles", "claims", "more", "is_shown"),
    [
        (None, {}, POLICY, True),
        (frozenset({"finance"}), {}, "", True),
        (frozenset({"finance", "operator"}), {}, POLICY, True),
        (frozenset({"finance"}), {"agent": "scout"}, POLICY, False),
        (frozenset({"finance"}), {}, POLICY, False),
        (frozenset[str](), {}, "", False),
    ],
)
def test_callers_who_do_not_see_all_spend_get_no_gauges_of_it(
    roles: frozenset[str] | None, claims: dict[str, str], more: str, is_shown: bool
) -> None:
    catalog, asking = load_catalog(METRICS + more), everybody(Principal("anybody", roles, claims))
    with Store.open(None) as store:
        route = metrics_route(Meters(), store, catalog, asking, lambda: NOON, Actions(Box([standing()])))
        with running(Starlette(routes=[route])) as url:
            status, _, body = ask(url, "/metrics")
    assert status == 200
    assert "# TYPE clawback_requests_total counter" in body
    shown = ("openclaw_budget_exceeded 1", "clawback_store_up 1.0")
    assert [line in body.splitlines() for line in shown] == [is_shown] * 2


def test_a_budget_is_shown_as_it_stands(capsys: pytest.CaptureFixture[str]) -> None:
    odd = closed(budget_id="each", scope="agent", member="[red]x\n", unpriced_requests=2, limit_usd=Decimal(0))
    found = Actions(Box([odd, standing()], [alert()])).run(NOON)
    print_found(round_json(found), "table")
    out = capsys.readouterr().out
    assert "agent [red]x\\n" in out
    assert "≥ $0.17" in out
    assert "alert: Clawback: budget daily has reached its limit" in out
    assert out.index("over, stops requests") < out.index("within")
