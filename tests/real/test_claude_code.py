"""20 transcripts of Claude Code: 1,824 lines of answers are 899 calls, and their cost comes out to the last digit."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from loaders.claude_code import paths, read
from loaders.item import Parsed
from loaders.job import run_load
from store import LoadReport, Request, Store
from tests.stores import new_store

pytestmark = pytest.mark.real
NOW = datetime(2026, 7, 1, tzinfo=UTC)
NAME = "claude-code-spotter"
HOME = Path(__file__).parents[3] / "shared/real-data" / NAME


@pytest.fixture(autouse=True)
def here(shared: Callable[[str], Path]) -> None:
    shared(f"real-data/{NAME}")


@pytest.fixture
def expected(shared: Callable[[str], Path]) -> dict[str, Any]:
    stated: dict[str, Any] = json.loads(shared("real-data/EXPECTED.json").read_text())[NAME]
    return stated


@pytest.fixture(scope="module")
def store() -> Iterator[Store]:
    with new_store() as opened:
        if HOME.exists():
            assert load(opened).stored == 919  # 899 calls and 20 sessions
        yield opened


def load(store: Store) -> LoadReport:
    return run_load(store, "claude-code", str(HOME), read(HOME, now=NOW), now=NOW)


def test_the_bill_comes_out_and_a_second_load_changes_nothing(store: Store) -> None:
    bill = "SELECT count(*), sum(cost_usd), bool_and(cost_status = 'PRICED') FROM requests"
    assert store.read(bill).rows == [(899, Decimal("51.70441780"), True)]
    again = load(store)
    assert (again.stored, again.unchanged, again.rejected) == (0, 919, 0)
    assert again.read == again.unchanged + again.ignored
    assert store.read(bill).rows == [(899, Decimal("51.70441780"), True)]


def test_the_tokens_are_those_of_the_last_line_of_each_message(store: Store, expected: dict[str, Any]) -> None:
    stated = expected["last_line_per_message"]
    columns = {
        "input": "uncached_input_tokens",
        "output": "output_tokens",
        "cache_read": "cache_read_tokens",
        "cache_write_5m": "cache_write_5m_tokens",
        "cache_write_1h": "cache_write_1h_tokens",
    }
    sums = ", ".join(f"sum({column})" for column in columns.values())
    (row,) = store.read(f"SELECT {sums} FROM requests").rows
    assert dict(zip(columns, row, strict=True)) == {name: stated[name] for name in columns}
    assert stated["cache_write"] == stated["cache_write_5m"] + stated["cache_write_1h"]


def test_each_model_costs_what_was_computed_elsewhere(store: Store, expected: dict[str, Any]) -> None:
    found = store.read("SELECT model, count(*), sum(cost_usd) FROM requests GROUP BY model").rows
    assert {model: (calls, cost) for model, calls, cost in found} == {
        model: (stated["messages"], Decimal(stated["cost_usd"])) for model, stated in expected["by_model"].items()
    }


def test_each_day_costs_what_was_computed_elsewhere(store: Store, expected: dict[str, Any]) -> None:
    found = store.read("SELECT CAST(started_at AS DATE), sum(cost_usd) FROM requests GROUP BY 1").rows
    stated = {day: Decimal(cost) for day, cost in expected["by_day_usd"].items()}
    assert {str(day): cost for day, cost in found} == stated


def test_every_line_of_every_file_is_accounted_for(expected: dict[str, Any]) -> None:
    assert len(paths(HOME)) == expected["files"] == 20
    found = list(read(HOME, now=NOW))
    calls = [r for item in found if isinstance(item, Parsed) for r in item.records if isinstance(r, Request)]
    assert len(calls) == expected["assistant_lines"] == 1824
    assert len({call.request_key for call in calls}) == expected["messages"] == 899
    assert len(found) == 10_155 + 2  # its licence and its list of sources are no transcripts


def test_calls_that_progress_repeats_are_not_billed_again(store: Store, expected: dict[str, Any]) -> None:
    """The transcript of one sub-agent is missing: nine lines of progress begin its five calls."""
    ignored = dict(load(store).ignored_by_rule)
    repeated = ignored["progress: repeats a call that the sub-agent's own transcript has"]
    orphaned = ignored["progress: begins a call of a sub-agent whose transcript is missing"]
    assert (repeated, orphaned) == (112, 9)
    assert repeated + orphaned == expected["progress_nested_assistant"]


def test_sub_agents_are_sessions_below_theirs(store: Store) -> None:
    counts = "SELECT trigger, count(*), count(parent_session_id) FROM sessions GROUP BY trigger ORDER BY trigger"
    assert store.read(counts).rows == [("human", 8, 0), ("subagent", 12, 12)]
    of_one = """
        SELECT sessions.session_id, count(request_key), sum(cost_usd) FROM sessions JOIN requests USING (session_id)
        WHERE sessions.session_id LIKE '258c7280%' GROUP BY 1 ORDER BY 1"""
    session = "258c7280-ae70-4798-800f-63464d01a85d"
    assert store.read(of_one).rows == [
        (session, 152, Decimal("11.8539235")),
        (f"{session}/agent-a881341", 3, Decimal("0.2633937")),
        (f"{session}/agent-acompact-fffbd0", 1, Decimal("0.108414")),
    ]
