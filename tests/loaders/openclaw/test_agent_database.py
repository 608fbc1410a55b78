"""Homes whose sessions are in SQLite: every schema version, as a running gateway has it open."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import timedelta

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loaders.item import LoadError, Parsed, Rejected
from loaders.openclaw import paths, read
from loaders.source import total_bytes
from loaders.sqlite import SqliteLimits
from store import Request
from tests.loaders.openclaw.conftest import (
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
    stored_sessions,
    user,
)
from tests.loaders.openclaw.databases import AgentDatabase, Database

VERSIONS = (4, 8, 14, 17, 19)
LATER = ms("2026-03-04T10:00:00Z")
THIRD = "c0000000-0000-4000-8000-000000000003"


def entry(session: str = SESSION, **more: object) -> Json:
    return {"sessionId": session, "updatedAt": LATER, **more}


@pytest.fixture
def database(home: Home) -> Iterator[AgentDatabase]:
    found = AgentDatabase(home)
    yield found
    found.close()


@pytest.mark.parametrize("version", VERSIONS)
def test_every_schema_version_gives_what_the_same_lines_give_in_files(home: Home, version: int) -> None:
    lines = (header(), user(), answer("a1"), answer("a2", "2026-03-04T09:00:07Z"), {"type": "new", "id": "a3"})
    store: Json = {"agent:main:main": entry(status="done", startedAt=LATER - 9, endedAt=LATER)}
    transcript, written = home.transcript(*lines), home.store(store)
    from_files = home.items()
    transcript.unlink()
    written.unlink()
    with closing(AgentDatabase(home, version)) as database:
        database.events(*lines)
        for key, value in store.items():
            assert isinstance(value, dict)
            database.session(key, value)
        from_rows = home.items()
    records = [item.records for item in from_rows if isinstance(item, Parsed)]
    assert records == [item.records for item in from_files if isinstance(item, Parsed)]
    assert len(records) == 4
    copies = ["active path: a part of transcript_events"] if version >= 10 else []
    turns = ["heartbeats: turns of a session, whose transcript has them"] if version >= 11 else []
    assert rules(from_rows) == [*copies, *turns, "user message", "unknown entry type"]
    assert reasons(from_rows) == []


def test_a_row_is_named_by_its_database_table_session_and_number(home: Home, database: AgentDatabase) -> None:
    database.events(header(), "{")
    (broken,) = [item for item in home.items() if isinstance(item, Rejected)]
    assert str(broken.location) == f"{database.path}#transcript_events/{SESSION}:1"
    assert broken.reason.startswith("is not JSON")
    assert broken.raw == "{"


def test_every_agent_and_every_session_of_it_is_read(home: Home) -> None:
    with closing(AgentDatabase(home, agent="main")) as one, closing(AgentDatabase(home, agent="ops")) as two:
        one.events(header(), answer("a1"))
        one.events(header(session="daily"), answer("a2"), session="daily")
        two.events(header(session="daily"), answer("a3"), session="daily")
        calls = requests(home.items())
    assert [(call.session_id, call.agent) for call in calls] == [
        (SESSION, "main"),
        ("main/daily", "main"),
        ("ops/daily", "ops"),
    ]


def test_an_agent_database_that_only_the_state_database_lists_is_read(home: Home) -> None:
    (home.root / "agents" / "ops").mkdir()
    with (
        closing(
            Database(home.root / "state/openclaw.sqlite", 9, "CREATE TABLE agent_databases (agent_id, path);")
        ) as state,
        closing(AgentDatabase(home, agent="ops", path="elsewhere/ops.sqlite")) as moved,
    ):
        for agent, path in (
            ("ops", "elsewhere/ops.sqlite"),
            ("gone", "agents/gone/agent/openclaw-agent.sqlite"),
            ("out", "../../etc/passwd"),
            ("absolute", "/etc/passwd"),
            (5, "x"),
        ):
            state.add("agent_databases", agent_id=agent, path=path)
        moved.events(header(), answer())
        items = home.items()
    assert [call.agent for call in requests(items)] == ["ops"]
    assert "agent database that is listed and gone" in rules(items)
    assert [reason.partition(",")[0] for reason in reasons(items)][-1] == "agent_id must be a text"
    assert sum("links out of the directory are not followed" in reason for reason in reasons(items)) >= 1


def test_a_reset_keeps_the_old_session_under_its_key_and_ends_it(home: Home, database: AgentDatabase) -> None:
    young = (NOW - timedelta(minutes=5)).isoformat()
    database.session("agent:main:main", entry(OTHER), created_at=1)
    window = {"session_key": "agent:main:main", "status": "running", "updated_at": LATER}
    database.add("session_windows", session_id=SESSION, reason="initial", created_at=LATER - 10_000, **window)
    database.add(
        "session_windows", session_id=OTHER, previous_session_id=SESSION, reason="reset", created_at=LATER, **window
    )
    database.events(header(), user(), answer(timestamp=young))
    database.events(header(OTHER), answer("b1", young), session=OTHER)
    stored = stored_sessions(home.items(), "trigger, is_running, termination")
    assert stored == {SESSION: ("human", False, "success"), OTHER: ("human", True, None)}


def test_a_window_says_how_its_session_ended_and_what_sent_it(home: Home, database: AgentDatabase) -> None:
    database.add(
        "session_windows",
        session_id=SESSION,
        session_key="agent:main:gmail-inbox",
        created_at=LATER - 60_000,
        started_at=LATER - 50_000,
        ended_at=LATER,
        updated_at=LATER,
        status="timeout",
        model="claude-demo-4",
        hook_external_content_source="gmail",
    )
    (session,) = sessions(home.items())
    assert (session.trigger, session.trigger_rule) == ("webhook", "external content of a hook")
    assert (session.started_at, session.ended_at) == (at("2026-03-04T09:59:00Z"), at("2026-03-04T10:00:00Z"))
    assert (session.termination, session.termination_rule, session.termination_confidence) == (
        "timeout",
        "session window: timeout",
        60,
    )
    assert session.model == "claude-demo-4"


@pytest.mark.parametrize(
    ("via", "actor", "trigger"),
    [
        ("cron", "system", "cron"),
        ("spawn", "agent", "subagent"),
        ("operator", "human", "human"),
        ("channel", "human", "human"),
        ("talk", "human", "human"),
        ("run", "human", "api"),
        ("run", "agent", "subagent"),
        ("plugin", "system", "unknown"),
        ("internal", None, "unknown"),
        (None, None, "unknown"),
        ("something new", None, "unknown"),
    ],
)
def test_who_created_a_session_tells_where_its_key_does_not(
    home: Home, database: AgentDatabase, via: str | None, actor: str | None, trigger: str
) -> None:
    database.session("agent:main:odd-key", entry(), created_via=via, created_actor_type=actor)
    database.session("agent:main:cron:job-1", entry(OTHER), created_via=via, created_actor_type=actor)
    assert [session.trigger for session in sessions(home.items())] == [trigger, "cron"]


def test_the_columns_of_a_node_stand_in_for_an_entry_that_is_not_valid(home: Home, database: AgentDatabase) -> None:
    parent, child = "agent:main:main", "agent:main:subagent:5d0c9a1e-1111-4222-8333-444455556666"
    database.session(parent, entry())
    database.add(
        "session_nodes",
        session_key=child,
        current_session_id=OTHER,
        entry_json="{broken",
        entry_valid=0,
        updated_at=LATER,
        status="failed",
        spawned_by=parent,
    )
    (_, found) = sessions(home.items())
    assert (found.session_id, found.parent_session_id, found.termination) == (OTHER, SESSION, "error")


def test_the_parent_is_the_session_that_lived_at_its_key_when_the_child_began(
    home: Home, database: AgentDatabase
) -> None:
    child = "agent:main:subagent:5d0c9a1e-1111-4222-8333-444455556666"
    database.session("agent:main:main", entry(OTHER))
    for session, began in ((SESSION, LATER - 9000), (OTHER, LATER - 1000)):
        window = {"session_id": session, "session_key": "agent:main:main", "created_at": began}
        database.add("session_windows", **window)
    database.session(child, entry(THIRD, spawnedBy="agent:main:main", sessionStartedAt=LATER - 5000))
    parents = {session.session_id: session.parent_session_id for session in sessions(home.items())}
    assert parents[THIRD] == SESSION


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [("identity", bytes), ("zstd", zstandard.ZstdCompressor().compress)],
)
def test_the_archive_of_a_deleted_session_is_read_and_keeps_its_cause(
    home: Home, database: AgentDatabase, encoding: str, pack: type[bytes]
) -> None:
    young = (NOW - timedelta(minutes=5)).isoformat()
    lines = encoded(header(), user(), answer("a1"), "{", answer("a2", young))
    database.archive(pack(lines), encoding=encoding, session_key=f"agent:main:cron:job-1:run:{SESSION}")
    items = home.items()
    assert len(requests(items)) == 2
    (broken,) = [item for item in items if isinstance(item, Rejected)]
    assert str(broken.location) == f"{database.path}#session_transcript_archives/{SESSION}:4"
    assert stored_sessions(items, "trigger, is_running") == {SESSION: ("cron", False)}


def test_an_archive_that_cannot_be_unpacked_is_rejected_and_the_next_one_is_read(
    home: Home, database: AgentDatabase
) -> None:
    squeezed = zstandard.ZstdCompressor().compress(encoded(header(), answer("a1")))
    database.archive(squeezed, encoding="brotli")
    database.archive(squeezed[:-4], encoding="zstd", generation=2)
    database.archive(squeezed, session=OTHER, encoding="zstd")
    items = home.items()
    assert [reason.partition(";")[0] for reason in reasons(items)] == [
        "encoding must be one of identity, zstd, gzip, got 'brotli'",
        f"the archive is cut off after {len(squeezed) - 4} bytes",
    ]
    assert {call.session_id for call in requests(items)} == {OTHER}


def test_copied_history_without_a_header_is_told_by_the_birth_of_the_fork(home: Home, database: AgentDatabase) -> None:
    original = answer("a1", "2026-03-04T09:00:05Z")
    database.events(header(), user(), original)
    born = ms("2026-03-05T09:00:00Z")
    database.session("agent:main:thread", entry(OTHER), created_at=born, fork_source_session_id=SESSION)
    database.events(header(), original, answer("b1", "2026-03-05T09:01:00Z"), session=OTHER)
    calls = requests(home.items())
    assert [call.session_id for call in calls] == [SESSION, OTHER, OTHER]
    assert calls[0].request_key == calls[1].request_key != calls[2].request_key
    assert calls[1].owner_started_at == at("2026-03-05T09:00:00Z")
    assert stored_sessions(home.items(), "started_at")[OTHER] == (at("2026-03-05T09:00:00Z").replace(tzinfo=None),)


def test_an_event_that_is_no_json_text_is_rejected_and_its_neighbours_are_not(home: Home) -> None:
    with closing(AgentDatabase(home, 8)) as database:  # not STRICT
        database.events(header())
        for seq, event in enumerate((5, 1.5, b"\xff\xfe", "[]", "x" * 10_000_001, "é"), start=1):
            database.add("transcript_events", session_id=SESSION, seq=seq, event_json=event, created_at=1)
        database.events(answer(), first=7)
        database.add("transcript_events", session_id=b"\x00", seq=1, event_json="{}", created_at=1)
        database.add("transcript_events", session_id="", seq=1, event_json="{}", created_at=1)
        database.add("transcript_events", session_id="x" * 600, seq=1, event_json="{}", created_at=1)
        items = home.items()
    assert len(requests(items)) == 1
    assert sorted(reason.partition(",")[0].partition(":")[0] for reason in reasons(items)) == [
        "event_json is 10",
        "is not JSON",
        "is not UTF-8 text",
        "must be a JSON object like {...}",
        "must be a JSON object like {...}",
        "must be a JSON object like {...}",
        "session_id is missing; the events of this session are not read",
        "session_id must be a text",
        "session_id must be at most 500 characters without NUL",
    ]


def test_a_value_too_large_for_memory_is_passed_over(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(AgentDatabase(home)) as database:
        database.events(header(), answer("a1"), "x" * 2_000_000, answer("a2"), "y" * 2_000_000, answer("a3"))
        database.events("z" * 2_000_000, answer("b1"), session=OTHER)
        monkeypatch.setattr("loaders.openclaw.rows.LIMITS", SqliteLimits(value_bytes=1_000_000))
        items = home.items()
    assert len(requests(items)) == 4
    assert reasons(items) == ["holds a value that is too large to be read"] * 3
    lines = [item.location.line for item in items if isinstance(item, Rejected)]
    assert lines == [2, 4, 0]


def test_views_in_place_of_tables_are_not_read(home: Home) -> None:
    schema = "CREATE VIEW transcript_events AS SELECT 'a' AS session_id, 1 AS seq, '{}' AS event_json;"
    found = closing(Database(home.root / "agents/main/agent/openclaw-agent.sqlite", 14, schema))
    with found, pytest.raises(LoadError, match="has schema version 14 and no table transcript_events"):
        home.items()


def test_a_home_whose_only_database_is_none_is_refused_and_never_reported_as_empty(home: Home) -> None:
    home.transcript(header(), answer())
    broken = home.write("agents/main/agent/openclaw-agent.sqlite", b"not SQLite at all")
    with pytest.raises(LoadError, match="none can be read") as refused:
        home.items()
    assert str(broken) in str(refused.value)


def test_one_broken_database_is_named_and_the_others_are_read(home: Home) -> None:
    broken = home.write("agents/main/agent/openclaw-agent.sqlite", os.urandom(4096))
    with closing(AgentDatabase(home, agent="ops")) as database:
        database.events(header(), answer())
        items = home.items()
    assert len(requests(items)) == 1
    (rejected,) = [item for item in items if isinstance(item, Rejected)]
    assert rejected.location.path == str(broken)
    assert rejected.reason.startswith("is no SQLite database")
    assert rejected.reason.endswith("no session and no call in it is in this load")


def test_a_newer_database_of_an_unknown_shape_is_named_and_not_reported_as_empty(home: Home) -> None:
    schema = "CREATE TABLE transcript_lines (session TEXT, line TEXT);"
    found = closing(Database(home.root / "agents/main/agent/openclaw-agent.sqlite", 31, schema))
    with found, pytest.raises(LoadError, match="has schema version 31 and no table transcript_events"):
        home.items()


@pytest.mark.parametrize("version", [0, 1, 2])
def test_a_database_of_a_release_that_kept_sessions_in_files_is_left_by_a_rule(home: Home, version: int) -> None:
    home.transcript(header(), answer())
    schema = "CREATE TABLE memory_chunks (id INTEGER PRIMARY KEY);"
    with closing(Database(home.root / "agents/main/agent/openclaw-agent.sqlite", version, schema)):
        items = home.items()
    assert rules(items) == ["agent database of a release that keeps sessions in files"]
    assert len(requests(items)) == 1


def test_columns_that_are_added_change_nothing_and_missing_ones_are_done_without(home: Home) -> None:
    schema = """
        CREATE TABLE transcript_events (session_id TEXT, seq INTEGER, event_json TEXT, added REAL);
        CREATE TABLE session_nodes (session_key TEXT, current_session_id TEXT);
    """
    with closing(Database(home.root / "agents/main/agent/openclaw-agent.sqlite", 27, schema)) as database:
        database.add("session_nodes", session_key="agent:main:cron:job", current_session_id=SESSION)
        database.add("transcript_events", session_id=SESSION, seq=1, added=1.5, event_json=answer())
        items = home.items()
    assert reasons(items) == []
    assert next(session.trigger for session in sessions(items)) == "cron"
    assert len(requests(items)) == 1


def test_tables_without_row_numbers_are_read(home: Home) -> None:
    schema = """
        CREATE TABLE transcript_events (session_id TEXT, seq INTEGER, event_json TEXT, PRIMARY KEY (session_id, seq))
            WITHOUT ROWID;
        CREATE TABLE session_transcript_archives (session_id TEXT, generation INTEGER, encoding TEXT, archive_blob BLOB,
            PRIMARY KEY (session_id, generation)) WITHOUT ROWID;
    """
    with closing(Database(home.root / "agents/main/agent/openclaw-agent.sqlite", 19, schema)) as database:
        database.add("transcript_events", session_id=SESSION, seq=1, event_json=answer("a1"))
        for generation, call in ((7, "a2"), (9, "a3")):
            content = encoded(answer(call))
            row = {"session_id": OTHER, "generation": generation, "encoding": "identity", "archive_blob": content}
            database.add("session_transcript_archives", **row)
        assert len({call.request_key for call in requests(home.items())}) == 3


def test_progress_ends_at_the_size_of_the_files(home: Home, database: AgentDatabase) -> None:
    database.events(header(), *(answer(f"a{number}") for number in range(100)))
    home.transcript(header(), answer())
    steps: list[int] = []
    assert len(list(read(home.root, now=NOW, on_bytes=steps.append))) > 100
    assert sum(steps) == total_bytes(paths(home.root)) > 0


def test_reading_twice_gives_the_same_items_and_changes_nothing_in_the_home(home: Home) -> None:
    with closing(AgentDatabase(home)) as database:
        database.events(header(), answer())
        database.session("agent:main:main", entry())
    assert [path.name for path in database.path.parent.iterdir()] == ["openclaw-agent.sqlite"]
    before = database.path.read_bytes()
    assert home.items() == home.items()
    assert [path.name for path in database.path.parent.iterdir()] == ["openclaw-agent.sqlite"]
    assert database.path.read_bytes() == before


def test_an_index_that_lost_entries_is_noticed(home: Home) -> None:
    with closing(AgentDatabase(home)) as database:
        database.events(header(), *(answer(f"a{number}") for number in range(9)))
    content = bytearray(database.path.read_bytes())
    leaf_of_an_index = 10
    for page in range(4096, len(content), 4096):
        if content[page] == leaf_of_an_index and content.find(SESSION.encode(), page, page + 4096) > 0:
            cells = int.from_bytes(content[page + 3 : page + 5])
            content[page + 3 : page + 5] = (cells - 4).to_bytes(2)
    database.path.write_bytes(content)
    items = home.items()
    assert len(requests(items)) == 5
    assert reasons(items) == ["has 10 events, of which 6 can be found: its index is damaged; run `REINDEX` on it"]


def test_a_damaged_page_loses_what_is_on_it_and_says_so(home: Home) -> None:
    with closing(AgentDatabase(home)) as database:
        for number in range(20):
            session = f"{number:08x}-0000-4000-8000-000000000000"
            database.events(header(session), user("x" * 3000), answer("a1"), session=session)
    content = bytearray(database.path.read_bytes())
    leaf_of_a_table = 13
    pages = [page for page in range(4096, len(content), 4096) if content[page] == leaf_of_a_table]
    for page in pages[len(pages) // 2 :]:
        if b'"type": "message"' in content[page : page + 4096]:
            content[page : page + 4096] = bytes(4096)
            break
    database.path.write_bytes(content)
    items = home.items()
    assert 0 < len(requests(items)) < 20
    assert any("is damaged" in reason for reason in reasons(items))


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    hits=st.lists(st.tuples(st.integers(16, 10**6), st.integers(0, 255)), min_size=1, max_size=60),
    cut=st.one_of(st.none(), st.integers(0, 10**6)),
)
def test_whatever_is_wrong_with_a_file_it_ends_in_items_or_a_load_error(
    tmp_path_factory: pytest.TempPathFactory, hits: list[tuple[int, int]], cut: int | None
) -> None:
    home = Home(tmp_path_factory.mktemp("home") / ".openclaw")
    with closing(AgentDatabase(home)) as database:
        database.events(header(), user(), answer("a1"))
        database.archive(encoded(header(), answer("a2")), session=OTHER)
        database.session("agent:main:main", entry())
    content = bytearray(database.path.read_bytes())
    for place, value in hits:
        content[place % len(content)] = value
    database.path.write_bytes(content[: cut and cut % len(content)])
    with suppress(LoadError):
        assert all(item.location.path.startswith(str(home.root)) for item in home.items())


def test_a_database_that_is_checkpointed_while_it_is_read_at_rest_is_not_believed(home: Home) -> None:
    with closing(AgentDatabase(home)) as database:
        database.events(header(), *(answer(f"a{number}") for number in range(10)))
    items = read(home.root, now=NOW)
    assert any(isinstance(item, Parsed) and isinstance(item.records[-1], Request) for item in items)
    with closing(sqlite3.connect(database.path)) as other:
        other.execute("DELETE FROM transcript_events")
        other.commit()
    with pytest.raises(LoadError, match="was written to while it was read; load again"):
        list(items)


def test_a_row_of_a_session_table_that_cannot_be_read_is_rejected_and_its_neighbours_are_not(home: Home) -> None:
    with closing(AgentDatabase(home, 8)) as database:  # not STRICT
        for number, (key, written) in enumerate(
            [(None, "{}"), ("agent:main:a", "{"), ("agent:main:b", 5), ("agent:main:c", "x" * 10_000_001)]
        ):
            row = {"session_key": key, "session_id": f"s{number}", "entry_json": written, "updated_at": LATER}
            database.add("session_entries", **row)
        row = {"session_key": b"\xff\xfe", "session_id": "s9", "entry_json": "{}", "updated_at": LATER}
        database.add("session_entries", **row)
        database.session("agent:main:main", entry())
        database.add("sessions", session_id="old", session_key=None)
        database.add("sessions", session_id=None, session_key="agent:main:main")
        items = home.items()
    assert [session.session_id for session in sessions(items)] == [SESSION]
    assert rules(items) == ["session without a key"]
    assert [reason.partition(";")[0].partition(":")[0] for reason in reasons(items)] == [
        "session_key is missing",
        "is not JSON",
        "must be a JSON object like {...}, got 5",
        "entry_json is 10,000,001 bytes long",
        "session_key is not UTF-8 text",
        "sessionId is missing",
    ]


def test_a_large_archive_is_read_in_pieces(home: Home, database: AgentDatabase) -> None:
    lines = encoded(header(), *(answer(f"a{number}", content="x" * 5000) for number in range(400)))
    assert len(lines) > 2_000_000
    database.archive(lines)
    assert len(requests(home.items())) == 400


def test_a_table_that_breaks_in_its_middle_says_from_where_on_it_is_not_read(
    home: Home, database: AgentDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(4):
        more = {"label": "x" * 2_000_000} if number == 2 else {}
        database.session(f"agent:main:k{number}", entry(f"s{number}", **more))
    database.events(header(OTHER), answer(), session=OTHER)
    monkeypatch.setattr("loaders.openclaw.rows.LIMITS", SqliteLimits(value_bytes=1_000_000))
    items = home.items()
    assert [session.session_id for session in sessions(items)][:1] == ["main/s0"]
    assert reasons(items) == ["holds a value that is too large to be read; rows from number 2 on are not read"]
    assert len(requests(items)) == 1
