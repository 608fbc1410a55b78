"""How texts and branches name sessions."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loaders.github.cursor import Cursor, Mark, Revert, taken_back
from loaders.github.markers import MarkerError, Markers, reverted_by
from tests.loaders.github.stub import NOW

MARKERS = Markers.of()
UUID = "0e5f1a52-7f7a-4f0e-9d6e-1d2c3b4a5f60"


@pytest.mark.parametrize(
    ("text", "sessions"),
    [
        ("<!-- agent-session: s1 -->", ("s1",)),
        ("<!--Agent-Session:s1,s2;s3-->", ("s1", "s2", "s3")),
        ("Text <!-- agent-session:\ns1\ns2 --> text <!-- agent-session: s1 -->", ("s1", "s2")),
        ("Fix\n\nAgent-Session-Id: s1", ("s1",)),
        ("Fix\r\n\r\nSigned-off-by: A\r\nagent-session-id :  s1\r\nAgent-Session-Id: s2\r\n\r\n", ("s1", "s2")),
        ("Agent-Session-Id: s1\n\nThis is not the last paragraph", ()),
        ("Fix\n\n> Agent-Session-Id: s1", ()),
        ("<!-- agent-session s1 -->", ()),
        ("<!-- other: s1 -->", ()),
        ("<!-- agent-session: <id> -->", ()),
        ("agent:main:subagent/7f3a in a sentence", ()),
        ("x\n\nAgent-Session-Id: agent:main:subagent/7f3a", ("agent:main:subagent/7f3a",)),
        ("A\n\nClaude-Session: https://claude.ai/code/session_01AbC\n\nMore", ("session_01AbC",)),
        ("Claude-Session: https://evil.example/code/session_01AbC", ()),
        (f"Agent-Logs-Url: https://github.com/acme/shop/sessions/{UUID}", (UUID,)),
        ("Co-Authored-By: Claude <noreply@anthropic.com>", ()),
        ("", ()),
    ],
)
def test_a_text_names_the_sessions_behind_it(text: str, sessions: tuple[str, ...]) -> None:
    assert MARKERS.in_text(text) == sessions


@pytest.mark.parametrize(
    ("branch", "sessions"),
    [
        ("agent/sess-7f3a", ("sess-7f3a",)),
        ("agent/home/agent-1", ("home/agent-1",)),
        ("agent/", ()),
        ("agent/what ever", ()),
        ("my/agent/s1", ()),
        ("revert-17-agent/s1", ()),
        ("Agent/s1", ()),
    ],
)
def test_a_branch_names_a_session_after_its_first_slash(branch: str, sessions: tuple[str, ...]) -> None:
    assert MARKERS.in_branch(branch) == sessions


@pytest.mark.parametrize("value", ["", " ,; ", "$SESSION", "s1 {{id}}", "«s»", "s" * 201])
def test_a_marker_that_names_no_session_is_an_error(value: str) -> None:
    with pytest.raises(MarkerError, match="its marker agent-session "):
        MARKERS.in_text(f"<!-- agent-session:{value}-->")


@pytest.mark.parametrize(
    "text",
    [
        "<!-- agent-session:" * 200_000,
        "<!--" + " " * 2_000_000,
        "<!-- agent-session: s" + " " * 2_000_000,
        "\n \n" * 1_000_000,
        "\n" + " \t" * 2_000_000,
        "Agent-Session-Id" + " " * 2_000_000,
        "Reverts " * 500_000,
        "Reverts a" + "/a" * 1_000_000,
    ],
    ids=range(8),
)
def test_a_hostile_text_is_read_in_one_pass(text: str) -> None:
    began = time.process_time()

    assert MARKERS.in_text(text) == ()
    assert reverted_by(text, "", "acme/shop") == ()
    assert time.process_time() - began < 2, "4 MB take about a tenth of a second"


def test_a_revert_names_at_most_twenty_pull_requests() -> None:
    assert reverted_by("\n".join(f"Reverts #{n}" for n in range(1, 30)), "", "acme/shop") == tuple(range(1, 21))


@settings(max_examples=50, deadline=None)
@given(st.text(alphabet="<!- agent-session:Id\n\r\t,s1$/>", max_size=80))
def test_any_text_gives_sessions_or_says_what_is_wrong(text: str) -> None:
    try:
        sessions = MARKERS.in_text(text)
    except MarkerError:
        return
    assert all(session.isascii() and " " not in session for session in sessions)
    assert len(set(sessions)) == len(sessions)


@settings(max_examples=50, deadline=None)
@given(st.sets(st.tuples(st.integers(2, 12), st.integers(1, 11)).filter(lambda pair: pair[0] > pair[1])))
def test_what_is_taken_back_is_what_a_revert_in_force_names(pairs: set[tuple[int, int]]) -> None:
    reverts = [Revert(by, of, NOW) for by, of in pairs]

    void = taken_back(reverts)

    assert set(void) == {of for by, of in pairs if by not in void}


def test_a_chain_of_thousands_of_reverts_is_followed() -> None:
    assert len(taken_back([Revert(number + 1, number, NOW) for number in range(1, 10_001)])) == 5_000


def test_a_cursor_is_bounded_and_comes_back_as_it_was() -> None:
    mark = Mark(NOW, "https://api.github.com/x", 'W/"1"')
    cursor = Cursor("here", mark, Mark(), (Revert(20, 17, NOW),), (3, 2))
    assert Cursor.parse(cursor.dump(), "here") == cursor
    assert Cursor.parse(cursor.dump(), "elsewhere") == Cursor("elsewhere")

    large = Cursor(
        "here",
        Mark(NOW, "x", "e" * 5_000),
        mark,
        tuple(Revert(number + 1, number, NOW) for number in range(1, 9_000)),
        tuple(range(9_000)),
    ).dump()
    assert len(large) < 120_000
    assert Cursor.parse(large, "here").reverts[-1] == Revert(9_000, 8_999, NOW)
    assert Cursor.parse(large, "here").pulls.etag is None
