"""Forks and sub-agents begin with the history of another session: its calls count once, and belong to it."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loaders.codex.counter import EARLIER
from loaders.codex.transcript import COPIED
from store import Store
from tests.loaders.codex.conftest import (
    FORK,
    FORK_TURN,
    FORKED,
    LATER,
    SESSION,
    SIBLING,
    TURN,
    Json,
    Write,
    again,
    answer,
    at,
    context,
    conversation,
    counted,
    event,
    items,
    load,
    meta,
    record,
    requests,
    rules,
    sessions,
    tokens,
    user,
    uuid7,
)

COUNTED = "SELECT request_key, session_id, started_at FROM requests ORDER BY 1"
SPAWNED: Json = {"subagent": {"thread_spawn": {"parent_thread_id": SESSION, "depth": 1}}}


def own(turn: str = FORK_TURN, total: int = 950, last: int = 700) -> list[Json]:
    """What happened in the fork itself, after its history."""
    began = "2026-03-05T10:00:05Z"
    return [
        event("task_started", began, turn_id=turn),
        context(turn, timestamp=began),
        user("and now?", began),
        answer(LATER),
        counted(tokens(total, 80, 40), tokens(last), LATER),
        event("task_complete", LATER, turn_id=turn),
    ]


def fork(*own_entries: Json, session: str = FORK, history: list[Json] | None = None, **fields: object) -> list[Json]:
    copied = again(conversation() if history is None else history, FORKED)
    return [meta(session, FORKED, forked_from_id=SESSION, **fields), *copied, *own_entries]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_the_history_of_a_fork_stays_with_the_session_that_made_the_calls(
    write: Write, store: Store, order: tuple[int, int]
) -> None:
    paths = [write(*conversation()), write(*fork(*own()), session=FORK)]
    for index in order:
        load(store, paths[index])
    made, later = at("2026-03-04T09:00:09Z").replace(tzinfo=None), at(LATER).replace(tzinfo=None)
    assert store.read(COUNTED).rows == [
        (f"codex:{TURN}:100-0-10", SESSION, made),
        (f"codex:{TURN}:150-80-20", SESSION, made),
        (f"codex:{FORK_TURN}:700-0-10", FORK, later),
    ]
    starts = store.read("SELECT session_id, started_at FROM sessions ORDER BY 1").rows
    assert [(name, str(start)) for name, start in starts] == [
        (SESSION, "2026-03-04 09:00:00"),
        (FORK, "2026-03-05 10:00:00"),
    ]


def test_loading_a_fork_changes_nothing_of_its_parent(write: Write, store: Store) -> None:
    load(store, write(*conversation()))
    before = store.read("SELECT * FROM requests ORDER BY request_key").rows
    load(store, write(*fork(*own()), session=FORK))
    after = store.read("SELECT * FROM requests ORDER BY request_key").rows
    assert after[: len(before)] == before
    assert store.read("SELECT count(*) FROM conflicts").rows == [(0,)]


def test_a_fork_whose_parent_is_gone_says_whose_the_calls_were(write: Write) -> None:
    calls = requests(items(write(*fork(*own()), session=FORK)))
    assert [(call.request_key, call.session_id, call.started_at) for call in calls] == [
        (f"codex:{TURN}:100-0-10", SESSION, None),
        (f"codex:{TURN}:150-80-20", SESSION, None),
        (f"codex:{FORK_TURN}:700-0-10", FORK, at(LATER)),
    ]


def test_an_empty_fork_has_no_calls_and_is_no_session(write: Write) -> None:
    found = items(write(*fork(), session=FORK))
    assert {call.session_id for call in requests(found)} == {SESSION}
    assert sessions(found) == []


def test_copies_that_keep_their_times_are_copies_too(write: Write) -> None:
    entries = [meta(FORK, FORKED, forked_from_id=SESSION), *conversation(), *own()]
    calls = requests(items(write(*entries, session=FORK)))
    assert [(call.session_id, call.started_at) for call in calls] == [
        (SESSION, at("2026-03-04T09:00:09Z")),
        (SESSION, at("2026-03-04T09:00:09Z")),
        (FORK, at(LATER)),
    ]


def test_a_fork_of_a_fork_leaves_each_call_with_its_session(write: Write, store: Store) -> None:
    grandchild = uuid7("2026-03-06T10:00:00Z", 4)
    first = fork(*own())
    second = [
        meta(grandchild, "2026-03-06T10:00:00Z", forked_from_id=FORK),
        *again(first, "2026-03-06T10:00:00Z"),
    ]
    paths = [
        write(*conversation()),
        write(*first, session=FORK),
        write(*second, session=grandchild),
    ]
    for path in reversed(paths):
        load(store, path)
    assert [(key, session) for key, session, _ in store.read(COUNTED).rows] == [
        (f"codex:{TURN}:100-0-10", SESSION),
        (f"codex:{TURN}:150-80-20", SESSION),
        (f"codex:{FORK_TURN}:700-0-10", FORK),
    ]


def test_siblings_with_calls_of_one_size_have_calls_of_their_own(write: Write) -> None:
    turn = uuid7("2026-03-05T10:00:05Z", 14)
    one = requests(items(write(*fork(*own()), session=FORK)))
    other = requests(items(write(*fork(*own(turn), session=SIBLING), session=SIBLING)))
    assert [call.session_id for call in other] == [SESSION, SESSION, SIBLING]
    assert {call.request_key for call in one} & {call.request_key for call in other} == {
        f"codex:{TURN}:100-0-10",
        f"codex:{TURN}:150-80-20",
    }


def test_a_sub_agent_is_a_session_below_its_parent(write: Write) -> None:
    # It inherits what was said, and the line of its parent, but no counts.
    path = write(meta(FORK, FORKED, source=SPAWNED), meta(written=FORKED), *own(total=700), session=FORK)
    (child,) = sessions(items(path))
    assert (child.session_id, child.parent_session_id) == (FORK, SESSION)
    assert (child.trigger, child.trigger_confidence, child.started_at) == ("subagent", 80, at(FORKED))
    assert [(call.session_id, call.uncached_input_tokens) for call in requests(items(path))] == [(FORK, 700)]


def test_a_sub_agent_that_copied_counts_but_no_records_adds_nothing(write: Write, store: Store) -> None:
    first, second = tokens(100), tokens(150, 80, 20)
    parent = [meta(), context(), answer(), record(first), counted(first, first), record(second, response_id="r2")]
    parent.append(counted(tokens(250, 80, 30), second))
    inherited = [entry for entry in parent if entry["type"] != "token_usage_record"]
    load(store, write(*fork(*own(), history=inherited, source=SPAWNED), session=FORK))
    load(store, write(*parent))
    assert [(key, session) for key, session, _ in store.read(COUNTED).rows] == [
        (f"codex:{TURN}:100-0-10", SESSION),
        (f"codex:{TURN}:150-80-20", SESSION),
        (f"codex:{FORK_TURN}:700-0-10", FORK),
    ]


def test_a_history_that_begins_in_the_middle_does_not_count_the_call_before_it(write: Write) -> None:
    # The next turn begins with the count of the turn before it, which was not copied.
    turn = uuid7("2026-03-04T09:05:00Z", 12)
    history = [
        meta(),
        event("task_started", turn_id=turn),
        context(turn),
        counted(tokens(250, 80, 30), tokens(150, 80, 20)),
        answer(),
        counted(tokens(450, 80, 40), tokens(200)),
    ]
    found = items(write(*fork(*own(), history=history), session=FORK))
    assert [call.request_key for call in requests(found)] == [
        f"codex:{turn}:200-0-10",
        f"codex:{FORK_TURN}:700-0-10",
    ]
    assert rules(found).count(EARLIER) == 1


def test_before_turns_had_ids_what_was_copied_is_told_by_its_times(write: Write) -> None:
    history = [meta(), context(None), answer(), counted(tokens(100), tokens(100))]
    own_entries = [context(None, timestamp=LATER), answer(LATER), counted(tokens(800), tokens(700), LATER)]
    found = items(write(*fork(*own_entries, history=history), session=FORK))
    assert [(call.session_id, call.uncached_input_tokens) for call in requests(found)] == [(FORK, 700)]
    assert rules(found).count(COPIED) == 1


def test_lines_of_its_own_session_repeated_after_a_compaction_are_no_fork(write: Write) -> None:
    found = items(write(meta(), *conversation()))
    assert [call.session_id for call in requests(found)] == [SESSION, SESSION]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    used=st.lists(st.integers(1, 500), min_size=1, max_size=6),
    repeats=st.lists(st.integers(0, 2), min_size=6, max_size=6),
    cut=st.integers(0, 6),
)
def test_however_often_counts_are_written_and_copied_each_call_counts_once(
    write: Write, used: list[int], repeats: list[int], cut: int
) -> None:
    entries: list[Json] = [meta(), context(), user()]
    total, prompt = 0, 0
    for index, more in enumerate(used):
        prompt += more  # a prompt grows with every call of a turn
        total += prompt
        state = counted(tokens(total), tokens(prompt))
        entries += [answer(), *[state] * (1 + repeats[index])]
    child = [meta(FORK, FORKED, forked_from_id=SESSION), *again(entries[: 3 + cut], FORKED), *own(total=10**6)]
    paths = [write(*entries), write(*child, session=FORK)]
    made, inherited = ([*requests(items(path))] for path in paths)
    calls = {call.request_key: call.uncached_input_tokens for call in made}
    assert sum(tokens or 0 for tokens in calls.values()) == total
    own_calls = [call for call in inherited if call.request_key not in calls]
    assert [(call.session_id, call.uncached_input_tokens) for call in own_calls] == [(FORK, 700)]
    assert {call.session_id for call in inherited} <= {SESSION, FORK}
