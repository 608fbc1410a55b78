"""Whatever an answer says, a line can be written of it: a call never fails because of what is read from its copy."""

import json
from decimal import Decimal
from pathlib import Path

import pytest

from server.proxy.attribution import Attribution
from server.proxy.bodies import word
from server.proxy.calls import Call
from server.proxy.once import Once
from server.proxy.reading import Allowance, AnswerReader, Seen
from server.proxy.upstreams import Upstream


def read(answer: str) -> Seen:
    reader = AnswerReader("openai", "application/json", "", most_bytes=10**6, allowance=Allowance(10**7))
    reader.feed(answer.encode())
    return reader.seen(is_cut=False)


STRANGE = [
    ('{"id":"\\u0000","model":"m","usage":{"prompt_tokens":1,"completion_tokens":2}}', None),
    ('{"id":"\\ud800","model":"\\udfff","usage":{"prompt_tokens":1,"completion_tokens":2}}', None),
    ('{"model":"m","usage":{"prompt_tokens":1,"completion_tokens":2,"\\ud800":"\\ud800","kinds":["\\ud800"]}}', None),
    ('{"model":"m","usage":{"prompt_tokens":1000000000000000000000000}}', "unreadable"),
    ('{"model":"m","usage":{"prompt_tokens":1,"completion_tokens":2,"cost":1e9999999}}', "unreadable"),
    ('{"model":"m","usage":{"prompt_tokens":1,"completion_tokens":2,"cost":0e9999999}}', "unreadable"),
    ('{"model":"m","usage":{"prompt_tokens":1,"completion_tokens":2,"cost":1e-9999999}}', "unreadable"),
    ('{"error":{"type":"\\ud800","code":"\\u0000","status":1e9999999}}', "not in the answer"),
]


@pytest.mark.parametrize(("answer", "unknown"), STRANGE)
def test_a_line_can_be_written_whatever_an_answer_says(tmp_path: Path, answer: str, unknown: str | None) -> None:
    names = Once(tmp_path / "names")
    names.open()
    seen = read(answer)
    call = Call(Upstream("u", "openai", b"https", b"h", None), Attribution(), "/v1/responses", True, True)
    line = json.loads(call.line(seen, "whole", names))
    names.close()
    assert seen.unknown == unknown
    assert len(json.dumps(line)) < 1_000
    if unknown is None:
        usage = line["response"]["usage"]
        assert (usage["prompt_tokens"], usage["completion_tokens"]) == (1, 2)


def test_an_amount_keeps_its_digits() -> None:
    seen = read('{"model":"m","usage":{"prompt_tokens":1,"completion_tokens":2,"cost":0.000000123456789}}')
    assert seen.response is not None
    assert seen.response["usage"] == {"prompt_tokens": 1, "completion_tokens": 2, "cost": Decimal("1.23456789E-7")}


@pytest.mark.parametrize("model", ["\ud800", "a\x00b", "", "m" * 201])
def test_what_cannot_be_written_is_no_name_of_a_model(model: str) -> None:
    assert word({"model": model}, "model") is None
