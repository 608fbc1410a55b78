"""What an answer says beside its counts: who it is, which other calls it stands for, what was charged."""

from decimal import Decimal

import pytest

from loaders.openclaw.usage import Buckets
from loaders.openclaw.values import FieldError, Object
from loaders.responses.answer import Use, read_answer


def iteration(kind: str, tokens: int, model: str | None = None) -> Object:
    named: Object = {} if model is None else {"model": model}
    return {"type": kind, "input_tokens": tokens, "output_tokens": 1} | named


def answer(usage: Object, **body: object) -> Object:
    return {"id": "msg_1", "model": "claude-sonnet-5", "usage": usage} | body


def test_the_model_is_the_one_that_served() -> None:
    google: Object = {
        "modelVersion": "models/gemini-2.5-pro",
        "responseId": "r1",
        "usageMetadata": {"promptTokenCount": 3},
    }
    found = read_answer(google, "google")
    assert (found.model, found.response_id) == ("gemini-2.5-pro", "r1")
    assert found.uses == (Use("gemini-2.5-pro", Buckets(3, 0, 0, 0, 0)),)


def test_a_compaction_is_a_call_beside_the_answer_of_the_same_model() -> None:
    listed = [iteration("compaction", 55_196), iteration("message", 220)]
    found = read_answer(answer({"input_tokens": 220, "output_tokens": 1, "iterations": listed}), "anthropic")
    assert found.uses == (
        Use("claude-sonnet-5", Buckets(220, 0, 0, 0, 1)),
        Use("claude-sonnet-5", Buckets(55_196, 0, 0, 0, 1)),
    )


def test_an_adviser_is_a_call_of_another_model() -> None:
    listed = [iteration("message", 10), iteration("advisor_message", 99, "claude-opus-4-8"), iteration("message", 20)]
    found = read_answer(answer({"input_tokens": 30, "output_tokens": 2, "iterations": listed}), "anthropic")
    assert found.uses[1:] == (Use("claude-opus-4-8", Buckets(99, 0, 0, 0, 1)),)


def test_iterations_that_the_totals_contain_are_not_counted_again() -> None:
    listed = [iteration("message", 10), iteration("message", 20)]
    found = read_answer(answer({"input_tokens": 30, "output_tokens": 2, "iterations": listed}), "anthropic")
    assert len(found.uses) == 1


def test_an_attempt_of_the_model_that_declined_is_a_call_beside() -> None:
    listed = [iteration("message", 12, "claude-fable-5"), iteration("fallback_message", 20)]
    found = read_answer(answer({"input_tokens": 20, "output_tokens": 1, "iterations": listed}), "anthropic")
    assert found.uses[1:] == (Use("claude-fable-5", Buckets(12, 0, 0, 0, 1)),)


def test_iterations_that_fit_no_total_are_refused() -> None:
    listed = [iteration("message", 10), iteration("compaction", 20)]
    with pytest.raises(FieldError, match="do not add up to the totals beside them"):
        read_answer(answer({"input_tokens": 11, "output_tokens": 1, "iterations": listed}), "anthropic")


@pytest.mark.parametrize("listed", ["message", [1], {"type": "message"}])
def test_iterations_of_another_type_are_refused(listed: object) -> None:
    with pytest.raises(FieldError):
        read_answer(answer({"input_tokens": 11, "output_tokens": 1, "iterations": listed}), "anthropic")


CHAT: Object = {"prompt_tokens": 5, "completion_tokens": 1}


@pytest.mark.parametrize(
    ("provider", "charged", "billed"),
    [
        ("openrouter", {"cost": Decimal("0.0043")}, "0.0043"),
        ("openrouter", {"cost": 0}, "0"),
        ("a gateway", {"cost": Decimal("0.0043"), "cost_details": {}}, "0.0043"),
        ("openrouter", {"cost": 1, "is_byok": True, "cost_details": {"upstream_inference_cost": 2}}, "3"),
        ("openrouter", {"cost": 1, "is_byok": True, "cost_details": {"upstream_inference_cost": None}}, None),
        ("openrouter", {"cost": 1, "is_byok": False, "cost_details": {"upstream_inference_cost": 2}}, "1"),
        ("xai", {"cost_in_usd_ticks": 165000000}, "0.0165"),
        ("a gateway", {"cost": Decimal("0.0043")}, None),
        ("openai", {}, None),
    ],
)
def test_what_the_provider_charged_is_kept(provider: str, charged: Object, billed: str | None) -> None:
    found = read_answer({"id": "1", "usage": CHAT | charged}, provider).billed_usd
    assert found == (None if billed is None else Decimal(billed))


@pytest.mark.parametrize("cost", [-1, "free", True, Decimal("1e30")])
def test_an_amount_that_is_none_is_refused(cost: object) -> None:
    with pytest.raises(FieldError, match="must be an amount from 0 on"):
        read_answer({"id": "1", "usage": CHAT | {"cost": cost}}, "openrouter")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"id": "1", "choices": []}, "response has choices, id, but no usage and no usageMetadata"),
        ({"usage": CHAT, "usageMetadata": {"promptTokenCount": 1}}, "has both usage and usageMetadata"),
        ({"usage": [1]}, "usage must be an object"),
        ({"usage": CHAT, "model": 7}, "model must be a text"),
        ({"meta": {"api_version": 2}}, "response has meta, but no usage"),
    ],
)
def test_a_body_that_is_no_answer_is_refused(body: Object, reason: str) -> None:
    with pytest.raises(FieldError, match=reason):
        read_answer(body, "any")


def test_an_answer_whose_usage_is_null_says_nothing_of_it() -> None:
    found = read_answer({"id": "resp_1", "model": "gpt-5.2", "usage": None}, "openai")
    assert (found.uses, found.response_id) == ((), "resp_1")
