"""What OpenClaw counted, held against what was read."""

import json

import pytest

from tests.loaders.openclaw.conftest import OTHER, SESSION, Home, Json, answer, header, reasons, requests, rules

AGREES = "usage check: all that OpenClaw counted was read"


def check(home: Home, output: object) -> None:
    home.write("usage-check/march.json", json.dumps(output).encode())


def usage(output: int = 85) -> Json:
    """The tokens of one answer, and a total that is not to be believed."""
    return {"input": 12, "output": output, "cacheRead": 9000, "cacheWrite": 640, "totalTokens": 1, "totalCost": 0.5}


def session(session_id: str = SESSION, **more: object) -> Json:
    return {"key": "agent:main:main", "sessionId": session_id, "agentId": "main", "usage": usage(), **more}


def of_march(*entries: Json) -> Json:
    return {"startDate": "2026-03-01", "endDate": "2026-03-31", "sessions": list(entries)}


def test_a_session_of_which_everything_was_read_is_an_ignored_item_that_says_so(home: Home) -> None:
    home.transcript(header(), answer())
    check(home, of_march(session()))
    items = home.items()
    assert rules(items) == [AGREES]
    assert len(requests(items)) == 1


def test_a_session_of_which_less_was_read_is_a_rejection_with_both_numbers_and_adds_nothing(home: Home) -> None:
    home.transcript(header(), answer())
    check(home, of_march(session(usage=usage(output=100)), session(OTHER)))
    items = home.items()
    assert reasons(items) == [
        f"usage check: OpenClaw counted 9,752 tokens for session {SESSION}, and 9,737 were read: calls are missing",
        f"usage check: OpenClaw counted 9,737 tokens for session {OTHER}, and 0 were read: calls are missing",
    ]
    assert len(requests(items)) == 1


def test_openclaw_may_count_less_because_it_leaves_out_archives(home: Home) -> None:
    home.transcript(header(), answer("a1"))
    home.transcript(header(), answer("a2"), name=f"{SESSION}.jsonl.reset.2026-03-04T10-00-00.000Z")
    check(home, of_march(session()))
    assert rules(home.items()) == [AGREES]


def test_copies_count_in_each_session_as_openclaw_counts_them(home: Home) -> None:
    home.transcript(header(), answer())
    home.transcript(header(OTHER, "2026-03-05T09:00:00Z"), answer(), name=f"{OTHER}.jsonl")
    check(home, of_march(session(), session(OTHER)))
    assert rules(home.items()) == [AGREES, AGREES]


def test_calls_outside_of_the_days_are_not_held_against_them(home: Home) -> None:
    home.transcript(header(), answer("a1"), answer("a2", "2026-03-09T09:00:00Z"))
    days = {"startDate": "2026-03-08", "endDate": "2026-03-10", "sessions": [session(usage=usage(output=86))]}
    check(home, days)
    assert reasons(home.items()) == [
        f"usage check: OpenClaw counted 9,738 tokens for session {SESSION}, and 9,737 were read: calls are missing"
    ]


def test_a_family_is_the_sum_of_its_sessions(home: Home) -> None:
    home.transcript(header(), answer("a1"))
    home.transcript(header(OTHER), answer("a2"), name=f"{OTHER}.jsonl")
    double = {kind: 2 * tokens for kind, tokens in usage().items() if isinstance(tokens, int)}
    check(home, of_march(session(usage=double, scope="family", includedSessionIds=[SESSION, OTHER])))
    assert rules(home.items()) == [AGREES]


def test_days_of_usage_cost_are_held_against_all_sessions(home: Home) -> None:
    home.transcript(header(), answer())
    check(home, {"payload": {"daily": [{"date": "2026-03-04", **usage()}, {"date": "2026-03-07", **usage()}]}})
    items = home.items()
    assert rules(items) == [AGREES]
    assert reasons(items) == [
        "usage check: OpenClaw counted 9,737 tokens for day 2026-03-07, and 0 were read: calls are missing"
    ]


def test_a_session_that_is_not_counted_yet_or_has_no_id_is_ignored(home: Home) -> None:
    check(home, of_march(session(usage=None), session(sessionId=None)))
    assert rules(home.items()) == [
        "usage check: OpenClaw has not counted this session yet",
        "usage check: a session without an id",
    ]


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        ({"totals": {}}, "must be the output of sessions.usage or usage-cost"),
        ([], "must be a JSON object"),
        ({"sessions": [5]}, "must be a JSON object"),
        ({"daily": [{"date": "yesterday"}]}, "date must be a day like 2026-03-04"),
        ({"daily": [{"input": 5}]}, "date is missing"),
        ({"daily": [{"date": "2026-03-04", "input": -5}]}, "input must be a whole number"),
    ],
)
def test_what_is_no_such_output_is_rejected_with_the_reason(home: Home, output: object, reason: str) -> None:
    check(home, output)
    (found,) = reasons(home.items())
    assert found.startswith(reason)


def test_another_file_beside_it_is_left(home: Home) -> None:
    home.write("usage-check/notes.txt", b"")
    assert rules(home.items()) == ["not a usage check"]
