"""Turns that Claude Code or Codex ran for OpenClaw: whatever is loaded, and in whatever order, they count once."""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from itertools import permutations
from pathlib import Path

import pytest

from loaders import agent_json, claude_code, codex
from loaders.item import Item, Location, Parsed
from loaders.job import run_load
from store import Price, Session, Store
from tests.loaders.openclaw.conftest import (
    ANSWERED,
    NOW,
    OTHER,
    SESSION,
    Home,
    Json,
    answer,
    at,
    encoded,
    header,
    ms,
    reasons,
    requests,
    rules,
    sessions,
    user,
)
from tests.loaders.openclaw.databases import AgentDatabase
from tests.stores import new_store

CLAUDE = "c1a0de00-0000-4000-8000-000000000011"
CODEX = "019a0000-0000-7000-8000-000000000001"
KEY = "agent:main:cron:nightly"
OF_TURN: Json = {"input": 20, "output": 300, "cacheRead": 0, "cacheWrite": 1000, "totalTokens": 1320}
OF_SECOND: Json = {"input": 5, "output": 7, "cacheRead": 0, "cacheWrite": 0, "totalTokens": 12}
OF_CODEX: Json = {"input": 1100, "output": 150, "cacheRead": 1900, "cacheWrite": 0, "totalTokens": 3150}
BY_CLAUDE: Json = {"cliSessionBindings": {"claude-cli": {"sessionId": CLAUDE.upper()}}}
BY_CODEX: Json = {"agentHarnessId": "codex", "cliSessionBindings": {"codex": {"sessionId": CODEX}}}
PRICE = Price(
    price_id="claude",
    source="test",
    provider="anthropic",
    model="claude-demo-4",
    effective_from=at("2026-01-01T00:00:00Z"),
    input=Decimal(1),
    cache_read=Decimal(1),
    cache_write_5m=Decimal(1),
    cache_write_1h=Decimal(1),
    output=Decimal(1),
)
GPT = replace(PRICE, price_id="gpt", provider="openai", model="gpt-demo")


def turn(**message: object) -> Json:
    """What OpenClaw writes of a turn that Claude Code ran: the sum of two calls."""
    said = {"api": "cli", "provider": "claude-cli", "usage": OF_TURN} | message
    return answer(**said)  # type: ignore[arg-type]  # the first two may be named, too


def codex_turn(**message: object) -> Json:
    said = {"api": "openai-codex-responses", "provider": "openai", "model": "gpt-demo", "usage": OF_CODEX} | message
    return answer(**said)  # type: ignore[arg-type]  # the first two may be named, too


def entry(**more: object) -> Json:
    return {"sessionId": SESSION, "updatedAt": ms(ANSWERED), "status": "done"} | more


def in_files(home: Home, said: Json, *lines: Json) -> None:
    home.transcript(header(), user(), *lines)
    home.store({KEY: entry(**said)})


def in_database(home: Home, said: Json, *lines: Json, version: int = 19) -> None:
    database = AgentDatabase(home, version=version)
    database.session(KEY, entry(**said))
    database.events(header(), user(), *lines)
    database.close()


def in_older_database(home: Home, said: Json, *lines: Json) -> None:
    in_database(home, said, *lines, version=9)


@pytest.fixture
def store() -> Iterator[Store]:
    with new_store() as opened:
        run_load(opened, "prices", "p.csv", [Parsed(Location("p.csv"), (PRICE, GPT))], now=NOW)
        yield opened


@pytest.fixture
def claude_home(tmp_path: Path) -> Path:
    """Two calls, 300 tokens of output together."""
    path = tmp_path / "projects" / "srv" / f"{CLAUDE}.jsonl"
    path.parent.mkdir(parents=True)
    path.write_bytes(encoded(_claude_call("1", 100, 0), _claude_call("2", 200, 1000)))
    return tmp_path / "projects"


def _claude_call(number: str, output: int, written: int) -> Json:
    used = {"input_tokens": 10, "cache_creation_input_tokens": written, "output_tokens": output}
    message = {"id": f"msg_{number}", "role": "assistant", "model": "claude-demo-4", "usage": used}
    when = f"2026-03-04T09:00:0{number}Z"
    return {"type": "assistant", "uuid": number, "sessionId": CLAUDE, "timestamp": when, "message": message}


@pytest.fixture
def codex_home(tmp_path: Path) -> Path:
    """Two calls, 150 tokens of output together."""
    path = tmp_path / "codex" / "sessions" / "2026" / "03" / "04" / f"rollout-2026-03-04T09-00-00-{CODEX}.jsonl"
    path.parent.mkdir(parents=True)
    meta: Json = {"id": CODEX, "timestamp": "2026-03-04T09:00:00Z", "source": "appServer", "model_provider": "openai"}
    path.write_bytes(
        encoded(
            {"timestamp": "2026-03-04T09:00:00Z", "type": "session_meta", "payload": meta},
            _codex_line("turn_context", turn_id="t1", model="gpt-demo"),
            _codex_line("event_msg", type="user_message", message="hi"),
            _codex_count((1000, 400, 100), (1000, 400, 100)),
            _codex_count((3000, 1900, 150), (2000, 1500, 50)),
        )
    )
    return tmp_path / "codex"


def _codex_line(kind: str, **payload: object) -> Json:
    return {"timestamp": "2026-03-04T09:00:02Z", "type": kind, "payload": payload}


def _codex_count(*pair: tuple[int, int, int]) -> Json:
    total, last = (
        {"input_tokens": used, "cached_input_tokens": cached, "output_tokens": output} for used, cached, output in pair
    )
    info = {"total_token_usage": total, "last_token_usage": last, "model_context_window": 272000}
    return _codex_line("event_msg", type="token_count", info=info, rate_limits=None)


def captured(tmp_path: Path, **account: object) -> Path:
    """What `openclaw agent --json` printed of the turn."""
    used = OF_TURN | {"total": 300}
    said = {"sessionId": SESSION, "provider": "claude-cli", "model": "claude-demo-4", "usage": used} | account
    run = {"runId": "r-1", "status": "ok", "result": {"meta": {"durationMs": 5000, "agentMeta": said}}}
    path = tmp_path / "run.json"
    path.write_text(json.dumps(run))
    return path


def load(store: Store, **sources: Iterable[Item]) -> None:
    for source, items in sources.items():
        run_load(store, source, source, items, now=NOW)


def counted(store: Store) -> list[tuple[object, ...]]:
    """Session, calls, tokens of output, cost."""
    asked = """
        SELECT session_id, sum(request_count)::BIGINT, sum(output_tokens)::BIGINT, sum(cost_usd)
        FROM request_facts GROUP BY 1 ORDER BY 1"""
    return store.read(asked).rows


HOMES = pytest.mark.parametrize("write", [in_files, in_database, in_older_database])


@HOMES
@pytest.mark.parametrize("order", list(permutations(["openclaw", "claude-code"])))
def test_a_turn_that_claude_code_ran_adds_nothing_to_its_calls(
    home: Home, claude_home: Path, store: Store, write: Callable[..., None], order: tuple[str, ...]
) -> None:
    write(home, BY_CLAUDE, turn())
    found = {"openclaw": home.items(), "claude-code": list(claude_code.read(claude_home, now=NOW))}
    load(store, **{source: found[source] for source in order})
    assert counted(store) == [(CLAUDE, 2, 300, Decimal("0.00132"))]


@HOMES
@pytest.mark.parametrize("order", list(permutations(["openclaw", "codex"])))
def test_a_turn_that_codex_ran_adds_nothing_to_its_calls(
    home: Home, codex_home: Path, store: Store, write: Callable[..., None], order: tuple[str, ...]
) -> None:
    write(home, BY_CODEX, codex_turn())
    found = {"openclaw": home.items(), "codex": list(codex.read(codex_home, now=NOW))}
    load(store, **{source: found[source] for source in order})
    assert counted(store) == [(CODEX, 2, 150, Decimal("0.00315"))]


@HOMES
def test_without_the_transcript_of_the_program_its_turns_add_up(
    home: Home, store: Store, write: Callable[..., None]
) -> None:
    write(home, BY_CLAUDE, turn(), turn(entry_id="a3", timestamp="2026-03-04T09:01:00Z", usage=OF_SECOND))
    load(store, openclaw=home.items())
    assert counted(store) == [(CLAUDE, 0, 307, Decimal("0.001332"))]


def test_a_turn_of_codex_counts_and_has_a_price_where_its_rollout_is_not_loaded(home: Home, store: Store) -> None:
    in_files(home, BY_CODEX, codex_turn())
    load(store, openclaw=home.items())
    assert counted(store) == [(CODEX, 0, 150, Decimal("0.00315"))]


@pytest.mark.parametrize(
    ("said", "line", "bound"),
    [
        (BY_CLAUDE, turn(), CLAUDE),
        ({"cliSessionIds": {"claude-cli": CLAUDE}}, turn(), CLAUDE),
        ({"claudeCliSessionId": CLAUDE}, turn(), CLAUDE),
        ({"claudeCliSessionId": OTHER} | BY_CLAUDE, turn(), CLAUDE),
        (BY_CLAUDE, turn(provider="anthropic"), CLAUDE),
        ({"cliSessionIds": {"codex-cli": CODEX}}, codex_turn(api="cli", provider="codex-cli"), CODEX),
        (BY_CODEX, codex_turn(provider="codex", api="openai-responses"), CODEX),
        (BY_CODEX, codex_turn(api="openai-chatgpt-responses"), CODEX),
        ({"cliSessionBindings": {"codex": {"sessionId": CODEX}}}, codex_turn(), CODEX),
        ({}, turn(), SESSION),
        ({"agentHarnessId": "codex"}, codex_turn(), SESSION),
        (BY_CODEX, turn(), SESSION),
        (BY_CLAUDE, codex_turn(), SESSION),
        (BY_CLAUDE, answer(), SESSION),
        (BY_CODEX, codex_turn(api="openai-responses"), SESSION),
        (BY_CODEX, codex_turn(responseId="resp_1"), SESSION),
        (BY_CODEX | {"agentHarnessId": "pi"}, codex_turn(), SESSION),
    ],
)
def test_a_message_is_a_turn_of_a_program_where_it_says_so_and_the_store_names_the_session(
    home: Home, said: Json, line: Json, bound: str
) -> None:
    in_files(home, said, line)
    [call] = requests(home.items())
    assert (call.session_id, call.scope) == (bound, "request" if bound == SESSION else "session")


def test_a_turn_keeps_its_key_so_that_a_load_that_knew_no_binding_is_corrected(home: Home, store: Store) -> None:
    in_files(home, {}, turn())
    before = home.items()
    in_files(home, BY_CLAUDE, turn())
    after = home.items()
    assert [call.request_key for call in requests(before)] == [call.request_key for call in requests(after)]
    load(store, openclaw=before)
    load(store, openclaw=after)
    assert store.read("SELECT session_id, scope FROM requests").rows == [(CLAUDE, "session")]


def test_the_programs_session_is_one_that_the_session_of_openclaw_had_run(home: Home) -> None:
    in_files(home, BY_CLAUDE, turn(), turn(entry_id="a3", timestamp="2026-03-04T09:01:00Z", stopReason="error"))
    told = [session for session in sessions(home.items()) if session.session_id == CLAUDE]
    assert told == [
        Session(
            session_id=CLAUDE,
            source="openclaw",
            agent="main",
            parent_session_id=SESSION,
            trigger="cron",
            trigger_rule="session key: cron",
            trigger_confidence=90,
            model="claude-demo-4",
            started_at=at("2026-03-04T09:00:04Z"),
        ),
        Session(
            session_id=CLAUDE,
            source="openclaw",
            observed_at=at("2026-03-04T09:01:00Z"),
            ended_at=at("2026-03-04T09:01:00Z"),
            termination="error",
            termination_rule="transcript of OpenClaw: its last turn",
            termination_confidence=30,
        ),
    ]


@pytest.mark.parametrize("order", list(permutations(["openclaw", "claude-code"])))
def test_what_the_program_says_of_its_session_holds(
    home: Home, claude_home: Path, store: Store, order: tuple[str, ...]
) -> None:
    in_files(home, BY_CLAUDE, turn(stopReason="error"))
    found = {"openclaw": home.items(), "claude-code": list(claude_code.read(claude_home, now=NOW))}
    load(store, **{source: found[source] for source in order})
    asked = f"SELECT agent, parent_session_id, trigger, termination FROM sessions WHERE session_id = '{CLAUDE}'"
    assert store.read(asked).rows == [("claude-code", SESSION, "cron", "success")]


def test_a_turn_under_way_leaves_the_programs_session_running(home: Home, store: Store) -> None:
    in_files(home, BY_CLAUDE, turn())
    run_load(store, "openclaw", "", home.items(at(ANSWERED) + timedelta(minutes=5)), now=NOW)
    asked = f"SELECT is_running, termination FROM sessions WHERE session_id = '{CLAUDE}'"
    assert store.read(asked).rows == [(True, None)]


def test_a_turn_in_copied_history_stays_that_of_the_session_that_it_was_copied_from(home: Home, store: Store) -> None:
    in_files(home, BY_CLAUDE, turn())
    home.transcript(header(OTHER, "2026-03-05T09:00:00Z"), turn(), name=f"{OTHER}.jsonl")
    bound = {"claude-cli": "00000000-0000-4000-8000-00000000000f"}
    home.store({KEY: entry(**BY_CLAUDE), "agent:main:main": entry(sessionId=OTHER, cliSessionIds=bound)})
    load(store, openclaw=home.items())
    assert counted(store) == [(CLAUDE, 0, 300, Decimal("0.00132"))]


def test_what_lies_in_files_and_in_a_database_is_one_turn(home: Home, store: Store) -> None:
    in_files(home, {}, turn())
    in_database(home, BY_CLAUDE, turn())
    load(store, openclaw=home.items())
    assert counted(store) == [(CLAUDE, 0, 300, Decimal("0.00132"))]


@pytest.mark.parametrize("account", [{}, {"cliSessionBinding": {"sessionId": CLAUDE}}], ids=["unbound", "bound"])
@pytest.mark.parametrize("order", list(permutations(["openclaw", "claude-code", "agent-json"])))
def test_a_captured_run_adds_nothing_to_its_turn_or_to_the_calls(
    home: Home, claude_home: Path, tmp_path: Path, store: Store, order: tuple[str, ...], account: Json
) -> None:
    in_files(home, BY_CLAUDE, turn())
    found = {
        "openclaw": home.items(),
        "claude-code": list(claude_code.read(claude_home, now=NOW)),
        "agent-json": list(agent_json.read(captured(tmp_path, **account), now=NOW)),
    }
    load(store, **{source: found[source] for source in order})
    assert counted(store) == [(CLAUDE, 2, 300, Decimal("0.00132"))]


@pytest.mark.parametrize("account", [{}, {"cliSessionBinding": {"sessionId": CLAUDE}}], ids=["unbound", "bound"])
@pytest.mark.parametrize("order", list(permutations(["openclaw", "agent-json"])))
def test_a_captured_run_adds_nothing_to_its_turn_alone(
    home: Home, tmp_path: Path, store: Store, order: tuple[str, ...], account: Json
) -> None:
    in_files(home, BY_CLAUDE, turn())
    found = {"openclaw": home.items(), "agent-json": agent_json.read(captured(tmp_path, **account), now=NOW)}
    load(store, **{source: found[source] for source in order})
    assert counted(store) == [(CLAUDE, 0, 300, Decimal("0.00132"))]


def test_a_captured_run_of_a_program_has_the_price_of_its_model(tmp_path: Path, store: Store) -> None:
    bound = captured(tmp_path, cliSessionBinding={"sessionId": CLAUDE})
    load(store, **{"agent-json": agent_json.read(bound, now=NOW)})
    assert counted(store) == [(CLAUDE, 0, 300, Decimal("0.00132"))]


def test_a_captured_run_counts_beside_the_calls_of_a_sub_agent(home: Home, tmp_path: Path, store: Store) -> None:
    home.transcript(header(OTHER), user(), answer(), name=f"{OTHER}.jsonl")
    home.store({"agent:main:subagent:x": entry(sessionId=OTHER, parentSessionId=SESSION)})
    run = captured(tmp_path, provider="anthropic")
    load(store, **{"openclaw": home.items(), "agent-json": agent_json.read(run, now=NOW)})
    assert counted(store) == [
        (SESSION, 0, 300, Decimal("0.00132")),
        (OTHER, 1, 85, Decimal("0.009737")),
    ]


@pytest.mark.parametrize("ending", ["", ".migrated"])
def test_the_file_of_codex_beside_a_transcript_names_the_session(home: Home, ending: str) -> None:
    in_files(home, {"agentHarnessId": "codex"}, codex_turn())
    beside = json.dumps({"schemaVersion": 2, "threadId": CODEX, "cwd": "/srv"}).encode()
    home.write(f"agents/main/sessions/{SESSION}.jsonl.codex-app-server.json{ending}", beside)
    found = home.items()
    assert [call.session_id for call in requests(found)] == [CODEX]
    assert "codex binding: says whose calls a transcript totals" in rules(found)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"{}", "threadId is missing; it is the session of Codex that runs the turns of this transcript"),
        (b'{"threadId": 7}', "threadId must be a text, got 7"),
    ],
)
def test_a_file_of_codex_that_names_none_is_rejected_and_the_turn_is_a_call(
    home: Home, content: bytes, reason: str
) -> None:
    in_files(home, {"agentHarnessId": "codex"}, codex_turn())
    home.write(f"agents/main/sessions/{SESSION}.jsonl.codex-app-server.json", content)
    found = home.items()
    assert reasons(found) == [reason]
    assert [call.session_id for call in requests(found)] == [SESSION]


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"cliSessionBindings": []}, "cliSessionBindings must be an object, got []"),
        ({"cliSessionBindings": {"codex": "x"}}, 'codex must be an object, got "x"'),
        ({"cliSessionIds": {"claude-cli": 7}}, "claude-cli must be a text, got 7"),
        ({"claudeCliSessionId": 7}, "claudeCliSessionId must be a text, got 7"),
    ],
)
def test_a_binding_of_another_form_is_rejected_with_its_entry(home: Home, said: Json, reason: str) -> None:
    in_files(home, said, turn())
    assert reasons(home.items()) == [reason]


def test_the_check_of_usage_finds_the_turns_of_a_session(home: Home) -> None:
    in_files(home, BY_CLAUDE, turn())
    used = {"input": 20, "output": 300, "cacheRead": 0, "cacheWrite": 1000}
    output = {"sessions": [{"key": KEY, "sessionId": SESSION, "agentId": "main", "usage": used}]}
    home.write("usage-check/sessions.json", json.dumps(output).encode())
    found = home.items()
    assert reasons(found) == []
    assert "usage check: all that OpenClaw counted was read" in rules(found)
