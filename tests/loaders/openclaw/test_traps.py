"""The traps of OpenClaw's formats, by name: what readers of these homes got wrong, one test each.

A number says to which part of the format a trap belongs: 0 the home, 1 transcripts, 2 the session store, 3 cron and
tasks, 6 databases and what OpenClaw counts. Most are also tested where they are handled; this is the list.
"""

import shutil
from contextlib import closing
from datetime import timedelta
from decimal import Decimal

import pytest
import zstandard

from loaders.item import LoadError
from store import Request
from tests.loaders.openclaw.conftest import (
    NOTHING,
    NOW,
    OTHER,
    SESSION,
    Home,
    Json,
    answer,
    at,
    distinct_calls,
    encoded,
    header,
    ms,
    prompt_error,
    reasons,
    requests,
    rules,
    sessions,
    stored_calls,
    stored_sessions,
    user,
)
from tests.loaders.openclaw.databases import AgentDatabase, StateDatabase

STAMP = "2026-02-11T08-15-30.044Z"
ONE_CALL = [(SESSION, 85, 1)]
RUN = f"agent:main:cron:job-nightly:run:{SESSION}"
T0, T1 = ms("2026-03-04T09:00:00Z"), ms("2026-03-04T09:01:05Z")


def call_with(home: Home, usage: Json, **message: object) -> Request:
    home.transcript(header(), answer(usage=usage, **message))
    (found,) = requests(home.items())
    return found


def tokens(call: Request) -> tuple[int | None, int | None, int | None, int | None]:
    return call.uncached_input_tokens, call.cache_read_tokens, call.cache_write_5m_tokens, call.output_tokens


def told(home: Home, field: str) -> set[object]:
    """What the evidence about the only session says, where it says something."""
    return {getattr(session, field) for session in sessions(home.items())} - {None}


class TestStorageEras:
    def test_0_2_after_the_flip_a_reader_of_files_reports_zero(self, home: Home) -> None:
        with closing(AgentDatabase(home)) as database:
            database.events(header(), answer())
            assert distinct_calls(home.items()) == ONE_CALL

    def test_0_2_an_agent_database_that_cannot_be_read_is_not_zero(self, home: Home) -> None:
        home.write("agents/main/agent/openclaw-agent.sqlite", b"")
        with pytest.raises(LoadError, match=r"openclaw-agent\.sqlite is an empty file"):
            home.items()

    def test_0_2_the_old_sessions_json_is_left_in_place_and_goes_stale(self, home: Home) -> None:
        home.store({"agent:main:main": {"sessionId": SESSION, "status": "running", "updatedAt": T0}})
        with closing(AgentDatabase(home)) as database:
            database.session("agent:main:main", {"sessionId": SESSION, "status": "done", "updatedAt": T1})
            assert stored_sessions(home.items(), "termination") == {SESSION: ("success",)}

    def test_0_2_imported_files_stay_in_an_archive_beside_the_database(self, home: Home) -> None:
        home.transcript(header(), answer(), name=f"session-sqlite-import-archive/{SESSION}.jsonl")
        with closing(AgentDatabase(home)) as database:
            database.events(header(), answer())
            assert distinct_calls(home.items()) == ONE_CALL

    def test_0_2_the_import_archive_counts_where_no_database_has_it(self, home: Home) -> None:
        home.transcript(header(), answer(), name=f"session-sqlite-import-archive/{SESSION}.jsonl")
        assert distinct_calls(home.items()) == ONE_CALL

    def test_0_3_the_agent_is_not_always_main(self, home: Home) -> None:
        home.transcript(header(), answer(), agent="research")
        assert [call.agent for call in requests(home.items())] == ["research"]


class TestFileNames:
    @pytest.mark.parametrize(
        "name",
        [
            f"{SESSION}.checkpoint.5d0c9a1e-1111-4222-8333-444455556666.jsonl",
            f"{SESSION}.jsonl.bak.{STAMP}",
            f"{SESSION}.trajectory.jsonl",
            "sessions.json.bak.1772614800000",
        ],
    )
    def test_1_1_checkpoint_bak_and_trajectory_are_copies(self, home: Home, name: str) -> None:
        home.transcript(header(), answer())
        home.transcript(header(), answer("as if it were another"), name=name)
        assert distinct_calls(home.items()) == ONE_CALL

    @pytest.mark.parametrize("suffix", [f".reset.{STAMP}", f".deleted.{STAMP}", ".deleted.1770797730044"])
    def test_1_1_archives_hold_spend_that_is_nowhere_else(self, home: Home, suffix: str) -> None:
        home.transcript(header(), answer(), name=f"{SESSION}.jsonl{suffix}")
        assert distinct_calls(home.items()) == ONE_CALL

    @pytest.mark.parametrize("suffix", [f".deleted.{STAMP}.zst", f".deleted.{STAMP}.9f3a2c.zst"])
    def test_1_1_compressed_archives_have_two_forms_of_names(self, home: Home, suffix: str) -> None:
        packed = zstandard.ZstdCompressor().compress(encoded(header(), answer()))
        home.write(f"agents/main/sessions/{SESSION}.jsonl{suffix}", packed)
        assert distinct_calls(home.items()) == ONE_CALL

    def test_1_1_the_time_in_the_name_of_an_archive_is_not_the_time_of_use(self, home: Home) -> None:
        home.transcript(header(), answer(), name=f"{SESSION}.jsonl.deleted.2026-03-09T00-00-00.000Z")
        assert [call.ended_at for call in requests(home.items())] == [at("2026-03-04T09:00:05Z")]

    def test_1_1_topics_of_a_chat_share_its_session(self, home: Home) -> None:
        home.transcript(header(f"{SESSION}-topic-77"), answer(), name=f"{SESSION}-topic-77.jsonl")
        assert distinct_calls(home.items()) == ONE_CALL


class TestLines:
    def test_1_2_a_header_without_a_version_is_the_first_version(self, home: Home) -> None:
        home.transcript(header(version=None), answer())
        assert distinct_calls(home.items()) == ONE_CALL

    def test_1_3_abandoned_branches_were_billed(self, home: Home) -> None:
        branch = answer("a2", "2026-03-04T09:00:06Z") | {"parentId": "a1"}
        other = answer("a3", "2026-03-04T09:00:07Z") | {"parentId": "a1"}
        home.transcript(header(), answer("a1"), branch, other)
        assert distinct_calls(home.items()) == [(SESSION, 255, 3)]

    def test_1_3_the_model_call_of_a_compaction_is_not_recorded_and_not_invented(self, home: Home) -> None:
        home.transcript(header(), {"type": "compaction", "id": "c1", "summary": "", "tokensBefore": 151200})
        items = home.items()
        assert requests(items) == []
        assert "compaction: the usage of its model call is not recorded" in rules(items)

    def test_1_4_the_time_of_a_message_is_its_start_and_that_of_its_entry_its_end(self, home: Home) -> None:
        call = call_with(home, {"input": 1, "output": 1})
        assert (call.started_at, call.ended_at) == (at("2026-03-04T09:00:04Z"), at("2026-03-04T09:00:05Z"))

    def test_1_4_the_model_that_served_is_not_always_the_one_asked_for(self, home: Home) -> None:
        assert call_with(home, {"input": 1}, responseModel="claude-demo-4-0101").model == "claude-demo-4-0101"

    @pytest.mark.parametrize(
        "usage",
        [
            {"inputTokens": 12, "outputTokens": 85, "cacheRead": 9000, "cacheWrite": 640},
            {"input_tokens": 12, "output_tokens": 85, "cache_read": 9000, "cache_write": 640},
            {
                "promptTokens": 12,
                "completionTokens": 85,
                "cache_read_input_tokens": 9000,
                "cache_creation_input_tokens": 640,
            },
        ],
    )
    def test_1_5_the_fields_of_usage_have_aliases(self, home: Home, usage: Json) -> None:
        assert tokens(call_with(home, usage)) == (12, 9000, 640, 85)

    @pytest.mark.parametrize(
        "cached",
        [
            {"cached_tokens": 40},
            {"input_tokens_details": {"cached_tokens": 40}},
            {"prompt_tokens_details": {"cached_tokens": 40}},
        ],
    )
    def test_1_5_the_cached_part_of_openai_is_inside_of_the_input(self, home: Home, cached: Json) -> None:
        assert tokens(call_with(home, {"prompt_tokens": 100, "completion_tokens": 5, **cached})) == (60, 40, 0, 5)

    def test_1_5_reasoning_is_a_part_of_output(self, home: Home) -> None:
        assert tokens(call_with(home, {"input": 10, "output": 50, "reasoningTokens": 30})) == (10, 0, 0, 50)

    def test_1_5_reasoning_was_added_to_output_by_the_chat_completions_reader(self, home: Home) -> None:
        usage: Json = {"input": 10, "output": 80, "reasoningTokens": 30, "totalTokens": 60}
        assert tokens(call_with(home, usage, api="openai-completions")) == (10, 0, 0, 50)

    def test_1_5_googles_input_contained_the_cached_part(self, home: Home) -> None:
        usage: Json = {"input": 100, "output": 5, "cacheRead": 40, "totalTokens": 105}
        assert tokens(call_with(home, usage, api="google-generative-ai")) == (60, 40, 0, 5)

    def test_1_5_a_provider_that_streams_no_usage_gives_zeros_that_are_no_truth(self, home: Home) -> None:
        assert call_with(home, NOTHING, provider="my-proxy").output_tokens is None

    def test_1_5_the_cost_is_an_estimate_of_openclaw_and_zero_prices_make_it_zero(self, home: Home) -> None:
        priced = call_with(home, {"input": 1, "output": 1, "cost": {"total": 0.006411}})
        assert (priced.billed_usd, priced.estimated_usd) == (None, Decimal("0.006411"))
        assert call_with(home, {"input": 1, "output": 1, "cost": {"total": 0}}).estimated_usd is None

    def test_1_5_usage_lay_on_the_entry_in_old_releases(self, home: Home) -> None:
        home.transcript(header(), answer(usage=None) | {"usage": {"input": 3, "output": 4}})
        assert [tokens(call) for call in requests(home.items())] == [(3, 0, 0, 4)]

    @pytest.mark.parametrize("model", ["delivery-mirror", "gateway-injected"])
    def test_1_6_synthetic_messages_are_no_calls(self, home: Home, model: str) -> None:
        home.transcript(header(), answer(provider="openclaw", model=model, usage=NOTHING))
        items = home.items()
        assert requests(items) == []
        assert "synthetic message" in rules(items)

    def test_1_7_a_prompt_error_is_a_failed_run_without_an_answer(self, home: Home) -> None:
        home.transcript(header(), user(), prompt_error("no api key"))
        assert told(home, "termination") == {"error"}

    def test_1_8_a_failure_before_the_first_answer_has_no_transcript_and_is_known_to_the_store(
        self, home: Home
    ) -> None:
        home.store({"agent:main:main": {"sessionId": SESSION, "status": "failed", "updatedAt": T1}})
        assert told(home, "termination") == {"error"}

    def test_1_8_runs_through_an_external_harness_have_an_empty_transcript_and_no_invented_calls(
        self, home: Home
    ) -> None:
        home.store({"agent:main:main": {"sessionId": SESSION, "claudeCliSessionId": OTHER, "inputTokens": 99999}})
        home.transcript(header())
        items = home.items()
        assert requests(items) == []
        assert list(stored_sessions(items, "model")) == [SESSION]


class TestCopiedHistory:
    @pytest.mark.parametrize("response", [{}, {"responseId": "resp-1"}])
    @pytest.mark.parametrize("is_in_database", [False, True])
    def test_1_9_a_fork_copies_calls_with_their_usage_and_the_oldest_session_owns_them(
        self, home: Home, response: Json, is_in_database: bool
    ) -> None:
        original = [header(), user(), answer("a1", **response)]
        fork = [header(OTHER, "2026-03-05T09:00:00Z", parentSession=SESSION), *original[1:]]
        fork.append(answer("b1", "2026-03-05T09:01:00Z"))
        if is_in_database:
            with closing(AgentDatabase(home)) as database:
                database.events(*original)
                database.events(*fork, session=OTHER)
                items = home.items()
        else:
            home.transcript(*original)
            home.transcript(*fork, name=f"{OTHER}.jsonl")
            items = home.items()
        assert stored_calls(items) == [(SESSION, 85, 1), (OTHER, 85, 1)]

    def test_1_9_the_header_may_be_copied_with_the_history(self, home: Home) -> None:
        original = [header(), user(), answer("a1")]
        with closing(AgentDatabase(home)) as database:
            database.events(*original)
            database.events(*original, answer("b1", "2026-03-05T09:01:00Z"), session=OTHER)
            window = {"session_id": OTHER, "session_key": "agent:main:main", "previous_session_id": SESSION}
            database.add("session_windows", reason="fork", created_at=ms("2026-03-05T09:00:00Z"), **window)
            assert stored_calls(home.items()) == [(SESSION, 85, 1), (OTHER, 85, 1)]

    def test_1_9_two_calls_with_the_same_numbers_are_two(self, home: Home) -> None:
        home.transcript(header(), answer("a1"), answer("a2"))
        assert stored_calls(home.items()) == [(SESSION, 170, 2)]


class TestSessionStore:
    def test_2_1_input_and_output_tokens_are_those_of_the_last_run_only(self, home: Home) -> None:
        self._store_alone(home, inputTokens=40, outputTokens=310)

    def test_2_1_cache_tokens_are_those_of_the_last_call_only(self, home: Home) -> None:
        self._store_alone(home, cacheRead=9000, cacheWrite=640)

    def test_2_1_the_total_is_a_snapshot_of_the_last_prompt(self, home: Home) -> None:
        self._store_alone(home, totalTokens=18_800, totalTokensFresh=True, contextTokens=200_000)

    def test_2_1_the_estimated_cost_was_inflated_up_to_72_times(self, home: Home) -> None:
        self._store_alone(home, estimatedCostUsd=72.5)

    def _store_alone(self, home: Home, **fields: object) -> None:
        home.store({"agent:main:main": {"sessionId": SESSION, "updatedAt": T1, **fields}})
        home.transcript(header(), answer())
        assert distinct_calls(home.items()) == ONE_CALL

    def test_2_2_keys_are_compared_without_regard_to_case(self, home: Home) -> None:
        child: Json = {"sessionId": OTHER, "spawnedBy": "Agent:Main:MAIN"}
        home.store({"agent:main:main": {"sessionId": SESSION}, "agent:main:SubAgent:x": child})
        found = stored_sessions(home.items(), "trigger, parent_session_id")
        assert found[OTHER] == ("subagent", SESSION)

    def test_2_2_a_cron_run_has_two_keys_for_one_session(self, home: Home) -> None:
        entry: Json = {"sessionId": SESSION, "updatedAt": T1}
        home.store({"agent:main:cron:job-nightly": entry, RUN: entry})
        assert told(home, "trigger") == {"cron"}

    def test_2_2_a_key_outlives_the_sessions_that_it_had(self, home: Home) -> None:
        family = [SESSION, OTHER]
        home.store({"agent:main:cron:job": {"sessionId": OTHER, "usageFamilySessionIds": family}})
        assert stored_sessions(home.items(), "trigger") == {SESSION: ("cron",), OTHER: ("cron",)}

    @pytest.mark.parametrize(("key", "trigger"), [("main", "human"), ("cron:x", "cron"), ("hook:x", "webhook")])
    def test_2_2_bare_keys_of_early_releases(self, home: Home, key: str, trigger: str) -> None:
        home.store({key: {"sessionId": SESSION}})
        assert told(home, "trigger") == {trigger}

    def test_2_3_a_heartbeat_runs_in_the_main_session_whose_key_says_a_person(self, home: Home) -> None:
        home.store({"agent:main:main": {"sessionId": SESSION}})
        home.transcript(header(), user("Read HEARTBEAT.md if it exists."), answer())
        assert stored_sessions(home.items(), "trigger") == {SESSION: ("heartbeat",)}

    def test_2_3_a_heartbeat_key_is_one_only_where_the_entry_says_so(self, home: Home) -> None:
        said: Json = {"sessionId": SESSION, "heartbeatIsolatedBaseSessionKey": "agent:main:main"}
        home.store({"agent:main:main:heartbeat": said, "agent:main:room:heartbeat": {"sessionId": OTHER}})
        found = stored_sessions(home.items(), "trigger")
        assert found == {SESSION: ("heartbeat",), OTHER: ("human",)}

    def test_2_3_a_hook_runs_in_the_cron_runner_with_a_job_that_nobody_knows(self, home: Home) -> None:
        home.store({"agent:main:hook:5d0c9a1e": {"sessionId": SESSION}})
        assert stored_sessions(home.items(), "trigger, task_class") == {SESSION: ("webhook", None)}

    def test_2_4_a_crash_leaves_running_behind(self, home: Home) -> None:
        old, young = ({"status": "running", "updatedAt": T0}, {"status": "running", "updatedAt": T0 + 6 * 86_400_000})
        home.store({"agent:main:a": {"sessionId": SESSION, **old}, "agent:main:b": {"sessionId": OTHER, **young}})
        assert stored_sessions(home.items(), "termination, is_running") == {
            SESSION: ("lost", False),
            OTHER: (None, True),
        }

    def test_2_4_the_store_knows_only_the_last_run_and_the_audit_log_all(self, home: Home) -> None:
        home.store({"agent:main:main": {"sessionId": SESSION, "status": "done", "updatedAt": T1}})
        with closing(StateDatabase(home)) as state:
            event = {"kind": "agent_run", "agent_id": "main", "session_id": SESSION}
            state.add("audit_events", occurred_at=T1, status="timed_out", run_id="r-1", **event)
            assert stored_sessions(home.items(), "termination") == {SESSION: ("timeout",)}

    def test_2_5_a_killed_child_has_an_outcome_that_calls_it_an_error(self, home: Home) -> None:
        home.store({"agent:main:subagent:x": {"sessionId": SESSION}})
        run: Json = {"childSessionKey": "agent:main:subagent:x", "endedAt": T1, "endedReason": "subagent-killed"}
        home.registry({"r-1": run | {"outcome": {"status": "error"}}})
        assert told(home, "termination") == {"aborted"}


class TestCron:
    def test_3_1_jobs_are_renamed_by_the_migration_and_still_name_their_runs(self, home: Home) -> None:
        home.write("cron/jobs.json.migrated", b'{"version": 1, "jobs": [{"id": "job-nightly", "name": "Digest"}]}')
        home.store({RUN: {"sessionId": SESSION}})
        assert told(home, "task_class") == {"Digest"}

    def test_3_2_the_usage_of_the_run_log_lacks_cache_tokens_and_is_never_spend(self, home: Home) -> None:
        usage = {"input_tokens": 5200, "output_tokens": 910, "total_tokens": 21400}
        home.cron_log({"action": "finished", "status": "ok", "sessionKey": RUN, "ts": T1, "usage": usage})
        home.transcript(header(), answer())
        assert distinct_calls(home.items()) == ONE_CALL

    def test_3_2_a_timeout_is_an_error_whose_text_says_so(self, home: Home) -> None:
        run: Json = {"action": "finished", "sessionKey": RUN, "ts": T1, "status": "error"}
        home.cron_log(run | {"error": "cron: job execution timed out"})
        assert told(home, "termination") == {"timeout"}

    def test_3_2_a_run_in_the_main_session_is_not_a_cron_session(self, home: Home) -> None:
        run: Json = {"action": "finished", "sessionId": SESSION, "sessionKey": "agent:main:main", "ts": T1}
        home.store({"agent:main:main": {"sessionId": SESSION}})
        home.cron_log(run | {"status": "ok"})
        assert stored_sessions(home.items(), "trigger") == {SESSION: ("human",)}

    def test_3_2_a_cron_session_is_deleted_after_a_day_and_its_archive_still_counts(self, home: Home) -> None:
        home.transcript(header(), answer(), name=f"{SESSION}.jsonl.deleted.{STAMP}")
        home.cron_log({"action": "finished", "status": "ok", "sessionKey": RUN, "ts": T1})
        assert stored_sessions(home.items(), "trigger") == {SESSION: ("cron",)}

    def test_3_3_cron_run_logs_were_retired_and_runs_are_tasks(self, home: Home) -> None:
        detail: Json = {"kind": "cron-run", "status": "ok", "sessionId": SESSION}
        with closing(StateDatabase(home)) as state:
            row = {"runtime": "cron", "source_id": "job-nightly", "child_session_key": RUN, "ended_at": T1}
            state.add("task_runs", task_id="t-1", status="succeeded", detail_json=detail, **row)
            assert stored_sessions(home.items(), "trigger, termination") == {SESSION: ("cron", "success")}

    def test_3_4_ordinary_turns_have_no_task_and_are_no_less_sessions(self, home: Home) -> None:
        home.transcript(header(), user(), answer())
        with closing(StateDatabase(home)):
            assert distinct_calls(home.items()) == ONE_CALL

    def test_3_4_a_queued_task_is_no_session(self, home: Home) -> None:
        with closing(StateDatabase(home)) as state:
            state.add("task_runs", task_id="t-1", runtime="cron", status="queued", child_session_key=RUN)
            assert sessions(home.items()) == []


class TestDatabases:
    def test_6_1_rows_that_were_not_checkpointed_are_in_the_wal_only(self, home: Home) -> None:
        with closing(AgentDatabase(home)) as database:
            database.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            database.events(header(), answer("only in the wal"))
            assert b"only in the wal" not in database.path.read_bytes()
            assert distinct_calls(home.items()) == ONE_CALL

    def test_6_1_a_backup_of_the_database_and_its_wal_is_whole(self, home: Home) -> None:
        with closing(AgentDatabase(home, agent="live")) as database:
            database.events(header(), answer())
            (home.root / "agents/main/agent").mkdir(parents=True)
            for suffix in ("", "-wal"):
                name = f"openclaw-agent.sqlite{suffix}"
                shutil.copy(database.path.with_name(name), home.root / "agents/main/agent" / name)
        shutil.rmtree(home.root / "agents/live")
        assert distinct_calls(home.items()) == ONE_CALL

    def test_6_1_one_version_number_has_several_shapes(self, home: Home) -> None:
        with closing(AgentDatabase(home, 14)) as database:
            database.connection.execute("ALTER TABLE transcript_events ADD COLUMN shard INTEGER")
            database.connection.execute("ALTER TABLE session_nodes DROP COLUMN created_via")
            database.session("agent:main:main", {"sessionId": SESSION, "updatedAt": T1})
            database.events(header(), answer())
            items = home.items()
        assert distinct_calls(items) == ONE_CALL
        assert reasons(items) == []

    def test_6_2_the_table_of_active_events_leaves_out_abandoned_branches(self, home: Home) -> None:
        with closing(AgentDatabase(home)) as database:
            database.events(header(), answer("abandoned"), answer("kept"))
            for seq in (0, 2):
                database.add("session_transcript_active_events", session_id=SESSION, seq=seq)
            assert distinct_calls(home.items()) == [(SESSION, 170, 2)]

    @pytest.mark.parametrize("encoding", ["identity", "zstd"])
    def test_6_2_the_rows_of_a_deleted_session_move_into_an_archive(self, home: Home, encoding: str) -> None:
        lines = encoded(header(), answer())
        with closing(AgentDatabase(home)) as database:
            packed = zstandard.ZstdCompressor().compress(lines) if encoding == "zstd" else lines
            database.archive(packed, encoding=encoding, session_key=RUN)
            items = home.items()
        assert distinct_calls(items) == ONE_CALL
        assert stored_sessions(items, "trigger") == {SESSION: ("cron",)}

    def test_6_2_a_reset_keeps_the_rows_and_the_session_is_over(self, home: Home) -> None:
        young = (NOW - timedelta(minutes=1)).isoformat()
        with closing(AgentDatabase(home)) as database:
            database.events(header(), answer(timestamp=young))
            database.session("agent:main:main", {"sessionId": OTHER, "updatedAt": T1})
            database.add("session_windows", session_id=SESSION, session_key="agent:main:main", status="running")
            assert stored_sessions(home.items(), "is_running")[SESSION] == (False,)

    def test_6_2_a_deleted_session_lies_in_the_database_and_in_a_file(self, home: Home) -> None:
        lines = encoded(header(), answer())
        home.write(f"agents/main/sessions/{SESSION}.jsonl.deleted.{STAMP}", lines)
        with closing(AgentDatabase(home)) as database:
            database.archive(lines)
            assert distinct_calls(home.items()) == ONE_CALL

    @pytest.mark.parametrize("is_absolute", [False, True])
    def test_6_3_the_path_of_an_agent_database_became_relative(self, home: Home, is_absolute: bool) -> None:
        with closing(AgentDatabase(home, path="moved/ops.sqlite")) as database, closing(StateDatabase(home)) as state:
            database.events(header(), answer())
            path = str(database.path) if is_absolute else "moved/ops.sqlite"
            state.add("agent_databases", agent_id="ops", path=path)
            assert [call.agent for call in requests(home.items())] == ["ops"]

    def test_6_6_openclaw_counts_copied_calls_again_and_its_sum_is_only_a_check(self, home: Home) -> None:
        home.transcript(header(), answer())
        home.transcript(header(OTHER, "2026-03-05T09:00:00Z"), answer(), name=f"{OTHER}.jsonl")
        home.write("usage-check/a.json", b'{"daily": [{"date": "2026-03-04", "output": 170, "totalTokens": 9}]}')
        items = home.items()
        assert stored_calls(items) == ONE_CALL
        assert "usage check: all that OpenClaw counted was read" in rules(items)

    def test_6_7_usage_is_null_while_a_cache_is_refreshed(self, home: Home) -> None:
        home.write("usage-check/a.json", b'{"sessions": [{"key": "agent:main:main", "usage": null}]}')
        assert rules(home.items()) == ["usage check: OpenClaw has not counted this session yet"]


class TestWrongCosts:
    """6.9: what OpenClaw or its readers have computed wrongly."""

    def test_a_plan_shown_as_metered_or_as_free_is_only_an_estimate(self, home: Home) -> None:
        call = call_with(home, {"input": 1, "output": 1, "cost": {"total": 0}}, provider="openai-codex")
        assert (call.billed_usd, call.estimated_usd, call.reported_usd) == (None, None, None)

    def test_cached_tokens_counted_twice_are_taken_out_only_where_the_total_proves_it(self, home: Home) -> None:
        unproven: Json = {"input": 100, "output": 5, "cacheRead": 40}
        assert tokens(call_with(home, unproven, api="google-generative-ai")) == (100, 40, 0, 5)

    def test_a_total_summed_over_turns_is_never_spend(self, home: Home) -> None:
        assert call_with(home, {"totalTokens": 1_000_000}).output_tokens is None

    def test_archives_that_were_not_counted_are(self, home: Home) -> None:
        home.transcript(header(), answer("a1"), name=f"{SESSION}.jsonl.reset.{STAMP}")
        home.transcript(header(), answer("a2"), name=f"{SESSION}.jsonl.deleted.{STAMP}")
        assert distinct_calls(home.items()) == [(SESSION, 170, 2)]

    def test_checkpoints_that_were_counted_are_not(self, home: Home) -> None:
        home.transcript(header(), answer(), name=f"{SESSION}.checkpoint.5d0c9a1e-1111-4222-8333-444455556666.jsonl")
        assert distinct_calls(home.items()) == []

    def test_zero_usage_with_text_is_missing_and_not_free(self, home: Home) -> None:
        home.transcript(header(), answer(usage=NOTHING, provider="my-proxy", model="m"))
        assert distinct_calls(home.items()) == [(SESSION, None, 1)]

    def test_a_refused_call_used_nothing(self, home: Home) -> None:
        failed = {"stopReason": "error", "errorMessage": "529 overloaded"}
        assert tokens(call_with(home, NOTHING, **failed)) == (0, 0, 0, 0)

    def test_the_spend_of_a_child_is_in_its_own_transcript_and_its_parent_is_known(self, home: Home) -> None:
        child = "agent:main:subagent:x"
        home.store(
            {"agent:main:main": {"sessionId": SESSION}, child: {"sessionId": OTHER, "spawnedBy": "agent:main:main"}}
        )
        home.transcript(header(OTHER), answer(), name=f"{OTHER}.jsonl")
        items = home.items()
        assert distinct_calls(items) == [(OTHER, 85, 1)]
        assert stored_sessions(items, "parent_session_id")[OTHER] == (SESSION,)
