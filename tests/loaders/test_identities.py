"""The names that loaders give a call, by which it is found to be the one that others saw."""

from datetime import UTC, datetime

import pytest

from loaders.claude_code.calls import read_call as read_claude_call
from loaders.openclaw.calls import Owner, is_telling, names_of_answer
from loaders.openclaw.calls import read_call as read_openclaw_call
from loaders.responses.line import requests_in

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ANSWER, ASKED = "msg_01XFDUDYJgAACzvnptvVoYEL", "req_011CSHoEeqs5C35K2UUqR7Fy"


def test_openclaw_names_the_answer() -> None:
    message = {"role": "assistant", "provider": "anthropic", "model": "m", "responseId": ANSWER, "usage": {}}
    entry = {"id": "e1", "timestamp": "2026-03-01T10:00:00Z"}
    call = read_openclaw_call(entry, message, Owner("s1", "main", None), NOW)
    assert (call.request_key, call.identities) == (f"anthropic:{ANSWER}", (f"response:{ANSWER}",))


def test_claude_code_names_the_answer_and_the_request() -> None:
    message = {"id": ANSWER, "model": "m", "usage": {"input_tokens": 1, "output_tokens": 1}}
    call = read_claude_call({"requestId": ASKED, "uuid": "u"}, message, "s1", NOW, NOW)
    assert call.identities == (f"response:{ANSWER}", f"request-id:{ASKED}")


def test_what_a_proxy_made_up_is_no_name_of_claude_codes_call() -> None:
    call = read_claude_call({"requestId": "1", "uuid": "u"}, {"id": "chatcmpl-1", "model": "m"}, "s1", NOW, NOW)
    assert call.identities == ()


def test_a_log_of_responses_names_both_and_calls_beside_the_answer_have_no_name_of_it() -> None:
    body = {
        "id": ANSWER,
        "type": "message",
        "model": "claude-opus-4-6",
        "usage": {
            "input_tokens": 10,
            "output_tokens": 2,
            "iterations": [
                {"type": "advisor_message", "model": "claude-opus-4-6", "input_tokens": 5, "output_tokens": 1},
                {"type": "message", "input_tokens": 10, "output_tokens": 2},
            ],
        },
    }
    line = {"provider": "anthropic", "at": "2026-03-01T10:00:00Z", "request_id": ASKED, "response": body}
    own, *beside = requests_in(line, NOW)
    assert own.identities == (f"response:{ANSWER}", f"request-id:{ASKED}")
    numbered = enumerate(beside, start=1)
    assert all(call.identities == (f"response:{ANSWER}#{number}",) for number, call in numbered)


@pytest.mark.parametrize("response_id", [None, "req_1", "chatcmpl-123"])
def test_an_id_that_another_provider_may_give_as_well_is_no_name(response_id: str | None) -> None:
    assert names_of_answer(response_id) == ()


@pytest.mark.parametrize("response_id", ["chatcmpl-7", "chatcmpl-998", "cmpl-7", "cmpl-998"])
def test_ids_that_ollama_draws_from_a_thousand_tell_no_call(response_id: str) -> None:
    assert not is_telling(response_id)
