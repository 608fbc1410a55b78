"""Databases of a state directory that a test writes row by row, in the shapes of several schema versions.

Each stays open in WAL mode without a checkpoint, as a running gateway has it, until the test closes it.
"""

import json
import sqlite3
from pathlib import Path

from tests.loaders.openclaw.conftest import SESSION, Home, Json

_EVENTS = """
CREATE TABLE transcript_events (
    session_id TEXT NOT NULL, seq INTEGER NOT NULL, event_json TEXT NOT NULL, created_at INTEGER NOT NULL,
    PRIMARY KEY (session_id, seq)
){strict};
CREATE TABLE transcript_event_identities (
    session_id TEXT NOT NULL, event_id TEXT NOT NULL, seq INTEGER NOT NULL, event_type TEXT, parent_id TEXT,
    message_idempotency_key TEXT, created_at INTEGER NOT NULL, PRIMARY KEY (session_id, event_id)
){strict};
CREATE TABLE session_transcript_archives (
    session_id TEXT NOT NULL, generation INTEGER NOT NULL, session_key TEXT, reason TEXT NOT NULL,
    encoding TEXT NOT NULL, archive_blob BLOB NOT NULL, archive_sha256 TEXT, archive_name TEXT,
    created_at INTEGER NOT NULL, PRIMARY KEY (session_id, generation)
){strict};
CREATE TABLE schema_meta (
    meta_key TEXT PRIMARY KEY, role TEXT, schema_version INTEGER, agent_id TEXT, app_version TEXT,
    created_at INTEGER, updated_at INTEGER
){strict};
"""
_ENTRIES = """
CREATE TABLE session_entries (
    session_key TEXT PRIMARY KEY, session_id TEXT NOT NULL, entry_json TEXT NOT NULL, updated_at INTEGER NOT NULL,
    status TEXT{provenance}
){strict};
CREATE TABLE sessions (
    session_id TEXT PRIMARY KEY, session_key TEXT, created_at INTEGER, updated_at INTEGER, started_at INTEGER,
    ended_at INTEGER, status TEXT
){strict};
"""
_PROVENANCE = ", created_via TEXT, created_actor_type TEXT, created_actor_id TEXT"
_ACTIVE = """
CREATE TABLE session_transcript_active_events (
    session_id TEXT NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (session_id, seq)
){strict};
"""
_OUTCOMES = """
CREATE TABLE heartbeat_outcomes (
    session_key TEXT NOT NULL, outcome TEXT NOT NULL, occurred_at INTEGER NOT NULL
){strict};
CREATE TABLE message_tool_run_outcomes (
    run_id TEXT PRIMARY KEY, session_key TEXT NOT NULL, agent_id TEXT, provider TEXT, model TEXT, outcome TEXT,
    run_status TEXT NOT NULL, occurred_at INTEGER NOT NULL
){strict};
"""
_NODES = """
CREATE TABLE session_nodes (
    session_key TEXT PRIMARY KEY, current_session_id TEXT, entry_json TEXT, entry_valid INTEGER NOT NULL DEFAULT 1,
    updated_at INTEGER, status TEXT, created_at INTEGER, created_via TEXT, created_actor_type TEXT,
    created_actor_id TEXT, project_id TEXT, parent_session_key TEXT, spawned_by TEXT, fork_source_session_key TEXT,
    fork_source_session_id TEXT, fork_source_entry_id TEXT, label TEXT, display_name TEXT, archived_at INTEGER,
    last_interaction_at INTEGER, last_activity_at INTEGER
) STRICT;
CREATE TABLE session_windows (
    session_id TEXT PRIMARY KEY, session_key TEXT NOT NULL, previous_session_id TEXT, reason TEXT, session_scope TEXT,
    created_at INTEGER, updated_at INTEGER, transcript_updated_at INTEGER, started_at INTEGER, ended_at INTEGER,
    status TEXT, chat_type TEXT, channel TEXT, model_provider TEXT, model TEXT, agent_harness_id TEXT,
    parent_session_key TEXT, spawned_by TEXT, acp_owned INTEGER, plugin_owner_id TEXT,
    hook_external_content_source TEXT
) STRICT;
"""


class Database:
    """One SQLite file in WAL mode, whose rows are in its `-wal` until it is closed."""

    def __init__(self, path: Path, version: int, schema: str = "") -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self.version = version
        self.connection = sqlite3.connect(path, isolation_level=None)
        self.connection.execute("PRAGMA journal_mode = WAL")
        self.connection.execute("PRAGMA wal_autocheckpoint = 0")
        self.connection.executescript(schema.replace("{strict}", " STRICT" if version >= 9 else ""))
        self.connection.execute(f"PRAGMA user_version = {version}")

    def add(self, table: str, **values: object) -> None:
        marks = ", ".join("?" for _ in values)
        written = [json.dumps(value) if isinstance(value, dict) else value for value in values.values()]
        self.connection.execute(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks})", written)

    def close(self) -> None:
        self.connection.close()


class AgentDatabase(Database):
    """`agents/<agent>/agent/openclaw-agent.sqlite` of a schema version from 4 on."""

    def __init__(self, home: Home, version: int = 19, agent: str = "main", path: str | None = None) -> None:
        schema = _EVENTS
        schema += _NODES if version >= 14 else _ENTRIES.replace("{provenance}", _PROVENANCE if version >= 8 else "")
        schema += _ACTIVE if version >= 10 else ""
        schema += _OUTCOMES if version >= 11 else ""
        super().__init__(home.root / (path or f"agents/{agent}/agent/openclaw-agent.sqlite"), version, schema)
        self.agent = agent
        self.add("schema_meta", meta_key="primary", role="agent", schema_version=version, agent_id=agent)

    def events(self, *entries: Json | str, session: str = SESSION, first: int = 0) -> None:
        for seq, entry in enumerate(entries, start=first):
            event = entry if isinstance(entry, str) else json.dumps(entry)
            self.add("transcript_events", session_id=session, seq=seq, event_json=event, created_at=1)

    def session(self, key: str, entry: Json, **columns: object) -> None:
        """What the gateway knows of a key, in the table that this version has for it."""
        session_id, updated_at = entry.get("sessionId"), entry.get("updatedAt")
        table, column = (
            ("session_nodes", "current_session_id") if self.version >= 14 else ("session_entries", "session_id")
        )
        self.add(
            table,
            session_key=key,
            entry_json=entry,
            updated_at=updated_at or 1,
            **{column: session_id, "status": entry.get("status"), **columns},
        )

    def archive(self, content: bytes, session: str = SESSION, encoding: str = "identity", **columns: object) -> None:
        whole = {"generation": 1, "reason": "deleted", "created_at": 1, **columns}
        self.add("session_transcript_archives", session_id=session, encoding=encoding, archive_blob=content, **whole)


_STATE = """
CREATE TABLE agent_databases (
    agent_id TEXT PRIMARY KEY, path TEXT NOT NULL, schema_version INTEGER, last_seen_at INTEGER, size_bytes INTEGER
){strict};
CREATE TABLE cron_jobs (
    store_key TEXT NOT NULL, job_id TEXT NOT NULL, job_json TEXT NOT NULL, state_json TEXT,
    PRIMARY KEY (store_key, job_id)
){strict};
CREATE TABLE cron_run_logs (
    store_key TEXT NOT NULL, job_id TEXT NOT NULL, seq INTEGER NOT NULL, ts INTEGER NOT NULL, status TEXT, error TEXT,
    summary TEXT, session_id TEXT, session_key TEXT, run_id TEXT, run_at_ms INTEGER, duration_ms INTEGER, model TEXT,
    provider TEXT, total_tokens INTEGER, entry_json TEXT, created_at INTEGER, PRIMARY KEY (store_key, job_id, seq)
){strict};
CREATE TABLE cron_run_receipts (
    receipt_id TEXT PRIMARY KEY, store_key TEXT, job_id TEXT, status TEXT, started_at_ms INTEGER
){strict};
CREATE TABLE task_runs (
    task_id TEXT PRIMARY KEY, runtime TEXT NOT NULL, task_kind TEXT, source_id TEXT, requester_session_key TEXT,
    owner_key TEXT, scope_kind TEXT, child_session_key TEXT, parent_task_id TEXT, agent_id TEXT, run_id TEXT,
    label TEXT, task TEXT, status TEXT NOT NULL, created_at INTEGER, started_at INTEGER, ended_at INTEGER,
    last_event_at INTEGER, error TEXT, terminal_outcome TEXT, detail_json TEXT
){strict};
CREATE TABLE audit_events (
    sequence INTEGER PRIMARY KEY, event_id TEXT, occurred_at INTEGER NOT NULL, kind TEXT NOT NULL, action TEXT,
    status TEXT NOT NULL, error_code TEXT, actor_type TEXT, agent_id TEXT, session_key TEXT, session_id TEXT,
    run_id TEXT, tool_name TEXT, duration_ms INTEGER
){strict};
CREATE TABLE session_state_events (
    sequence INTEGER PRIMARY KEY, dedupe_key TEXT, session_key TEXT, session_id TEXT, agent_id TEXT,
    kind TEXT NOT NULL, run_id TEXT, occurred_at INTEGER NOT NULL, summary TEXT, payload_json TEXT
){strict};
"""
_WIDE = """
CREATE TABLE subagent_runs (
    run_id TEXT PRIMARY KEY, child_session_key TEXT NOT NULL, requester_session_key TEXT, task TEXT, label TEXT,
    model TEXT, created_at INTEGER, started_at INTEGER, session_started_at INTEGER, ended_at INTEGER,
    outcome_status TEXT, outcome_error TEXT, ended_reason TEXT
){strict};
"""
_COMPACT = """
CREATE TABLE subagent_runs (
    run_id TEXT PRIMARY KEY, child_session_key TEXT NOT NULL, controller_session_key TEXT, controller_store_path TEXT,
    requester_session_key TEXT, requester_store_path TEXT, created_at INTEGER, payload_json TEXT NOT NULL
){strict};
"""


class StateDatabase(Database):
    """`state/openclaw.sqlite`; until version 8 sub-agent runs have a column for everything."""

    def __init__(self, home: Home, version: int = 9, path: str = "state/openclaw.sqlite") -> None:
        super().__init__(home.root / path, version, _STATE + (_COMPACT if version >= 9 else _WIDE))
