"""G14: a ratio over a period is the ratio of its totals: no mean of daily ratios, no sum of distinct counts.

The case's sessions are written as OpenClaw's transcripts, with output tokens that cost what the case says.
"""

from collections import defaultdict
from decimal import Decimal
from pathlib import Path
from shutil import rmtree
from types import ModuleType
from typing import Any

import pytest

from semantic import Catalog, Grain
from store import Store
from tests.golden.conftest import Case, Golden, answer, load, one, write_csv, write_jsonl

pytestmark = pytest.mark.golden
CASE = "G14_rollup"
USD_PER_OUTPUT_TOKEN = Decimal("0.000025")
PRICE = {
    "price_id": "early",
    "provider": "anthropic",
    "model": "claude-opus-4-6",
    "effective_from": "2026-01-01T00:00:00Z",
    "effective_to": "2026-02-05T00:00:00Z",
    "input": "5",
    "output": "25",
}
"""The fixture's price book begins after the days of this case."""
PERIOD = {
    "costUsd": "inference_cost",
    "sessions": "sessions",
    "successes": "scored_successes",
    "costPerSessionUsd": "cost_per_session",
    "successRate": "scored_success_rate",
    "roiSuccessesPerUsd": "roi",
}


def write_home(root: Path, case: Case) -> Path:
    calls = defaultdict(list)
    for row in case["inputs"]["session_days.csv"]:
        calls[row["session_id"]].append(row)
    for session, rows in calls.items():
        started_at = f"{rows[0]['spend_day']}T10:00:00Z"
        header = {"type": "session", "version": 3, "id": session, "timestamp": started_at, "cwd": "/srv"}
        lines = [header, *(message(session, row) for row in rows)]
        write_jsonl(root / "agents" / "main" / "sessions" / f"{session}.jsonl", lines)
    return root


def message(session: str, row: dict[str, Any]) -> dict[str, Any]:
    name = f"{session}-{row['spend_day']}"
    usage = {"input": 0, "output": int(Decimal(row["cost_usd"]) / USD_PER_OUTPUT_TOKEN), "cacheRead": 0}
    answer = {"role": "assistant", "content": [], "provider": "anthropic", "model": row["model"], "responseId": name}
    timestamp = f"{row['spend_day']}T10:00:01Z"
    return {
        "type": "message",
        "id": name,
        "timestamp": timestamp,
        "message": answer | {"usage": usage | {"cacheWrite": 0}, "stopReason": "stop"},
    }


@pytest.fixture
def home(store: Store, golden: Golden, tmp_path: Path) -> Path:
    case = golden(CASE)
    assert load(store, "prices", write_csv(tmp_path / "prices.csv", [PRICE])).stored == 1
    written = write_home(tmp_path / "home", case)
    assert load(store, "openclaw", written).rejected == 0
    first = {row["session_id"]: row for row in reversed(case["inputs"]["session_days.csv"])}
    outcomes = [
        {
            "session_id": f"main/{session}",
            "kind": "RUN",
            "is_success": "true" if row["success_on_cohort_day"] == "1" else "false",
        }
        for session, row in first.items()
    ]
    assert load(store, "outcomes", write_csv(tmp_path / "outcomes.csv", outcomes)).rejected == 0
    return written


def period(store: Store, catalog: Catalog) -> dict[str, Any]:
    values = one(store, catalog, *PERIOD.values()).values
    return {name: values[metric] for name, metric in PERIOD.items()}


@pytest.mark.usefixtures("home")
def test_every_day_has_its_own_totals(
    store: Store, catalog: Catalog, golden: Golden, golden_module: ModuleType
) -> None:
    asked = ("inference_cost", "active_sessions", "sessions", "scored_successes")
    names = ("costUsd", "sessionsActive", "sessionsStarted", "successes")
    actual = {
        str(row.keys["time"]): {name: row.values[metric] for name, metric in zip(names, asked, strict=True)}
        for row in answer(store, catalog, *asked, grain=Grain.DAY).rows
    }
    assert golden_module.differences(actual, golden(CASE)["expected"]["daily"]) == []


@pytest.mark.usefixtures("home")
def test_the_period_has_the_ratio_of_its_totals(
    store: Store, catalog: Catalog, golden: Golden, golden_module: ModuleType
) -> None:
    expected = golden(CASE)["expected"]
    found = period(store, catalog)
    assert golden_module.differences(found, expected["period"]) == []
    active = one(store, catalog, "active_sessions").values["active_sessions"]
    wrong = expected["mustNotEqual"]
    assert not golden_module.forbidden(found["roiSuccessesPerUsd"], wrong["meanOfDailyRoi"])
    assert not golden_module.forbidden(found["costPerSessionUsd"], wrong["meanOfDailyCostPerSession"])
    assert not golden_module.forbidden(active, wrong["sumOfDailyActiveSessions"])
    assert active == found["sessions"]


def test_the_numbers_stay_when_the_transcripts_are_deleted(
    home: Path, store: Store, catalog: Catalog, golden: Golden, golden_module: ModuleType
) -> None:
    for transcript in (home / "agents" / "main" / "sessions").iterdir():
        transcript.unlink()
    assert load(store, "openclaw", home).removed == 0
    kept = golden(CASE)["expected"]["afterRawDeletion"]
    assert "additive" in kept.pop("note")
    assert golden_module.differences(period(store, catalog), kept) == []
    rmtree(home)
    assert golden_module.differences(period(store, catalog), kept) == []
