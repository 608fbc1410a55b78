"""G19: the seed's daily summary, from eight OpenClaw sessions to three gauges over HTTP and a word on a terminal."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from semantic import Catalog
from server.settings import Settings
from tests.golden.conftest import Case, Golden, instant, one
from tests.loaders.openclaw.conftest import Home, answer, header, user
from tests.server.alerts.acting import Acting, Clock, acting
from tests.server.conftest import Run, run

pytestmark = pytest.mark.golden
CASE = "G19_seed_daily_gauge"
NOW = datetime(2026, 2, 2, 23, tzinfo=UTC)

__all__ = ["run"]


@pytest.fixture
def case(golden: Golden) -> Case:
    return golden(CASE)


@contextmanager
def served(case: Case, root: Path, price_book: Path) -> Iterator[Acting]:
    """The case's calls as transcripts of OpenClaw, loaded into a server whose settings are the environment's."""
    home = Home(root / ".openclaw")
    for row in case["inputs"]["requests.csv"]:
        _transcript(home, row)
    with acting(Settings(), Clock(NOW)) as server:
        server.load("prices", price_book)
        assert server.load("openclaw", home.root).rejected == 0
        yield server


def _transcript(home: Home, row: dict[str, Any]) -> None:
    started = instant(row["ts"])
    assert started is not None
    assert (row["accounting"], row["cache_write_1h_tokens"], row["status"]) == ("EXCLUSIVE", "0", "ok")
    stamp = [(started + timedelta(seconds=s)).isoformat().replace("+00:00", "Z") for s in (0, 1)]
    names = {"input": "input", "cacheRead": "cache_read", "cacheWrite": "cache_write_5m", "output": "output"}
    usage: dict[str, object] = {name: int(row[f"{column}_tokens"]) for name, column in names.items()}
    call = answer(timestamp=stamp[1], provider=row["provider"], model=row["model"], usage=usage)
    session = row["session_id"]
    home.transcript(
        header(session, stamp[0]), user("go", stamp[0]), call, name=f"{session}.jsonl", agent=row["agent_id"]
    )


def test_the_daily_summary(
    case: Case,
    catalog: Catalog,
    golden_module: ModuleType,
    shared: Callable[[str], Path],
    tmp_path: Path,
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    params, expected = case["inputs"]["params.json"], case["expected"]
    monkeypatch.setenv("CLAWBACK_DAILY_BUDGET_USD", params["budget_max_usd"])
    monkeypatch.setenv("CLAWBACK_BUDGET_ZONE", params["timezone"])
    asked = ("sessions", "inference_cost", "cache_read_cost", "cache_read_cost_share")
    with served(case, tmp_path, shared("golden/pricebook.csv")) as server:
        row = one(server.store, catalog, *asked, as_of=NOW.date(), zone=params["timezone"])
        page = server.get("/metrics")
        shown = run("budget", "show")
    gauges = {sample.name: sample.value for f in text_string_to_metric_families(page) for sample in f.samples}
    lines = page.splitlines()
    actual = {
        "runs": row.values["sessions"],
        "dailyCostUsd": row.values["inference_cost"],
        "display": next(word for word in shown.out.split() if word.startswith("$")),
        "cacheReadCostUsd": row.values["cache_read_cost"],
        "cacheReadShareOfCost": row.values["cache_read_cost_share"],
        "budgetMaxUsd": _value(lines, "openclaw_budget_max_usd"),
        "budgetExceeded": _value(lines, "openclaw_budget_exceeded"),
        "budgetUsedShare": gauges["clawback_budget_used_share"],
        "prometheus": [line for line in lines if line.startswith("openclaw_")],
    }
    assert golden_module.differences(actual, expected) == []
    assert set(actual) == set(expected) - {"mustNotEqual"}
    assert {e.status for e in row.evidence.values()} == {"OK"}
    for wrong in expected["mustNotEqual"].values():
        for cost in (actual["dailyCostUsd"], _value(lines, "openclaw_daily_cost_usd")):
            assert not golden_module.forbidden(cost, wrong)
    assert params["day"] in shown.out.split()


def _value(lines: list[str], name: str) -> str:
    (line,) = [line for line in lines if line.startswith(f"{name} ")]
    return line.removeprefix(f"{name} ")
