"""G16, its waste: calls that failed, sessions that failed, what the cache saved and what was written for nothing."""

from dataclasses import replace
from types import ModuleType
from typing import Any, cast

import pytest

from semantic import Catalog
from store import Record, Request, Session, Store
from tests.golden.conftest import Case, Golden, answer, instant, load_records, one, requests_of

pytestmark = pytest.mark.golden
CASE = "G16_what_if"


@pytest.fixture
def loaded(store: Store, golden: Golden) -> Store:
    rows = golden(CASE)["inputs"]["requests.csv"]
    calls = [
        replace(call, status=cast(Any, row["status"]))
        for call, row in zip(requests_of(rows), rows, strict=True)
        if isinstance(call, Request)
    ]
    assert load_records(store, [*sessions_of_calls(rows), *calls]).rejected == 0
    return store


def sessions_of_calls(rows: list[dict[str, Any]]) -> list[Record]:
    """A session for each id in the table of calls, which says whether it failed."""
    return [
        Session(
            session_id=row["session_id"],
            source="case",
            agent=row["agent_id"],
            trigger=row["trigger"],
            started_at=instant(row["ts"]),
            termination="error" if row["session_failed"] == "1" else "success",
        )
        for row in {row["session_id"]: row for row in rows}.values()
    ]


def known(golden: Golden) -> Case:
    expected: Case = golden(CASE)["expected"]
    return expected


def test_failed_calls_and_failed_sessions_have_a_cost(
    loaded: Store, catalog: Catalog, golden: Golden, golden_module: ModuleType
) -> None:
    row = one(loaded, catalog, "retry_waste", "failed_cost", "failed_cost_share")
    actual = {
        "retryWasteUsd": row.values["retry_waste"],
        "costOfFailedSessionsUsd": row.values["failed_cost"],
        "costOfFailureShare": row.values["failed_cost_share"],
    }
    assert golden_module.differences(actual, {name: known(golden)[name] for name in actual}) == []


def test_the_cache_saves_more_than_it_costs(
    loaded: Store, catalog: Catalog, golden: Golden, golden_module: ModuleType
) -> None:
    names = {
        "readTokens": "cache_read_tokens",
        "writeTokens": "cache_write_tokens",
        "uncachedTokens": "input_tokens",
        "hitRate": "cache_hit_rate",
        "readSavingUsd": "cache_read_saving",
        "writePremiumUsd": "cache_write_premium",
        "netSavingUsd": "cache_net_saving",
        "costWithoutCacheUsd": "cost_without_cache",
    }
    row = one(loaded, catalog, *names.values())
    actual = {name: row.values[metric] for name, metric in names.items()}
    assert golden_module.differences(actual, known(golden)["cache"]) == []


def test_a_cache_that_was_written_and_never_read_is_paid_for_nothing(
    loaded: Store, catalog: Catalog, golden: Golden, golden_module: ModuleType
) -> None:
    rows = answer(loaded, catalog, "unread_cache_premium", by=("request_key",)).rows
    (found,) = (row for row in rows if row.values["unread_cache_premium"])
    actual = {"request": found.keys["request_key"], "wastedPremiumUsd": found.values["unread_cache_premium"]}
    assert golden_module.differences(actual, known(golden)["cacheWrittenNeverRead"]) == []
