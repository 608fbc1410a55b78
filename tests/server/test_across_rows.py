"""A caller who sees the sessions of one agent is told nothing of those of another, above his or below."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from semantic import Caller, load_catalog
from store import StagedRecord, Store
from tests.server.conftest import REPOSITORY, Api, Run, call, load_into, session
from tests.stores import new_store

POLICIES = """
policies:
  own_sessions: {model: sessions, rows: "agent = :caller.agent", unless: [finance]}
  own_requests: {model: requests, rows: "agent = :caller.agent", unless: [finance]}
"""
FILE = (REPOSITORY / "metrics.yaml").read_text(encoding="utf-8") + POLICIES
MAIN = Caller(frozenset({"dashboard"}), {"agent": "main"})
# main starts a session of its own, and one of scout; scout's costs 2.
RECORDS: tuple[StagedRecord, ...] = (
    session("top", "main", "human", "2026-03-01T10:00"),
    session("own", "main", "subagent", "2026-03-01T10:00", parent_session_id="top"),
    session("other", "scout", "subagent", "2026-03-01T10:00", parent_session_id="top"),
    session("below", "main", "subagent", "2026-03-01T10:00", parent_session_id="other"),
    call("r1", "top", "big", "2026-03-01T10:01", "0.50"),
    call("r2", "own", "big", "2026-03-01T10:02", "0.25"),
    call("r3", "other", "big", "2026-03-01T10:03", "2"),
    call("r4", "below", "big", "2026-03-01T10:04", "1"),
)
REFUSED = (
    "{ metrics { totals { subtreeCost } } }",
    "{ metrics { totals { subtreeCostAtLeast } } }",
    "{ metrics { totals { subtreeSessions } } }",
    "{ metrics { totals { rootSessionCost } } }",
    "{ metrics { totals { rootSessions } } }",
    "{ metrics { totals { costedRootSessions } } }",
    "{ metrics { totals { costPerRootSession } } }",
    "{ metrics { totals { deepestSession } } }",
    "{ metrics { rows { sessionId subtreeCost } } }",
    "{ metrics { rows { rootSession sessions } } }",
    "{ metrics { rows { rootTrigger sessionCost } } }",
    "{ metrics { rows { ancestry sessions } } }",
    "{ metrics { rows { isRoot sessions } } }",
    "{ metrics { rows { rootSession requests } } }",
    '{ metrics(where: { rootSession: { eq: "other" } }) { totals { sessions } } }',
    "{ metrics(where: { ancestry: { isNull: true } }) { totals { inferenceCost } } }",
    '{ roi(where: { rootSession: { eq: "other" } }) { rows { sessions } } }',
    "{ metrics { rows { sessionId subtreeCost } explain { sql } } }",
)


@pytest.fixture(scope="module")
def tree() -> Iterator[Store]:
    with new_store() as opened:
        load_into(opened, RECORDS)
        yield opened


@pytest.fixture(scope="module")
def main_only(tree: Store) -> Api:
    return Api(load_catalog(FILE), tree, caller=MAIN)


@pytest.mark.parametrize("query", REFUSED)
def test_what_lies_above_and_below_is_refused(main_only: Api, query: str) -> None:
    assert main_only.codes(query) == ["NOT_ALLOWED"]
    assert "other'" not in main_only.message(query).replace("rootSession", "")
    assert "scout" not in main_only.message(query)


def test_what_his_own_sessions_cost_is_answered(main_only: Api) -> None:
    assert main_only.rows("sessionId sessionCost", "orderBy: [{ by: SESSION_ID }]") == [
        {"sessionId": "below", "sessionCost": "1"},
        {"sessionId": "own", "sessionCost": "0.25"},
        {"sessionId": "top", "sessionCost": "0.5"},
    ]


def test_the_operator_and_who_is_not_restricted_see_whole_trees(tree: Store) -> None:
    for caller in (None, Caller(frozenset({"finance"}))):
        api = Api(load_catalog(FILE), tree, caller=caller)
        assert api.rows("rootSession subtreeSessions rootSessionCost deepestSession") == [
            {"rootSession": "top", "subtreeSessions": 8, "rootSessionCost": "3.75", "deepestSession": 2}
        ]


def test_the_command_line_refuses_them_too(loaded: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "guarded.yaml").write_text(FILE, encoding="utf-8")
    monkeypatch.setenv("CLAWBACK_METRICS", "guarded.yaml")
    told = "tells of other rows of sessions than its own, some of which may be hidden from the caller"
    for command in ("query", "sql", "explain"):
        shown = loaded(command, "subtree_cost", "--role", "dashboard", "--claim", "agent=main")
        assert (shown.code, shown.out, shown.err) == (1, "", f"error: 'subtree_cost' {told}\n")
    cut = loaded("query", "sessions", "--by", "root_session", "--role", "dashboard", "--claim", "agent=main")
    assert (cut.code, "'root_session' tells of other rows" in cut.err) == (1, True)
