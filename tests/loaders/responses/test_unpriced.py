"""What of an answer no price line can state: it is named, and what costs the same as text is not."""

import pytest

from loaders.openclaw.values import FieldError, Object
from loaders.responses.unpriced import unpriced_part

CHAT: Object = {"prompt_tokens": 50, "completion_tokens": 20, "total_tokens": 70}
RESPONSES: Object = {"input_tokens": 50, "output_tokens": 20, "total_tokens": 70}
GOOGLE: Object = {"promptTokenCount": 50, "candidatesTokenCount": 20, "totalTokenCount": 70}


def listed(*counts: tuple[str, object]) -> list[object]:
    return [{"modality": kind, "tokenCount": tokens} for kind, tokens in counts]


@pytest.mark.parametrize(
    ("usage", "part"),
    [
        (CHAT | {"prompt_tokens_details": {"audio_tokens": 3}}, "audio input"),
        (CHAT | {"completion_tokens_details": {"audio_tokens": 3}}, "audio output"),
        (CHAT | {"completion_tokens_details": {"image_tokens": 3}}, "image output"),
        (RESPONSES | {"input_token_details": {"audio_tokens": 3, "text_tokens": 47}}, "audio input"),
        (RESPONSES | {"input_tokens_details": {"image_tokens": 3}}, "image input"),
        (RESPONSES | {"output_tokens_details": {"image_tokens": 20}}, "image output"),
        (RESPONSES | {"output_token_details": {"audio_tokens": 20}}, "audio output"),
        (GOOGLE | {"promptTokensDetails": listed(("TEXT", 9), ("AUDIO", 41))}, "audio input"),
        (GOOGLE | {"cacheTokensDetails": listed(("AUDIO", "4"))}, "audio input"),
        (GOOGLE | {"candidatesTokensDetails": listed(("IMAGE", 20))}, "image output"),
        (
            GOOGLE
            | {
                "candidatesTokensDetails": listed(("AUDIO", 1), ("VIDEO", 2)),
                "promptTokensDetails": listed(("AUDIO", 2)),
            },
            "audio input, audio output, video output",
        ),
    ],
)
def test_a_part_that_has_tokens_and_another_price_is_named(usage: Object, part: str) -> None:
    assert unpriced_part({}, usage, "any") == part


@pytest.mark.parametrize(
    "usage",
    [
        CHAT,
        CHAT | {"prompt_tokens_details": {"audio_tokens": 0, "image_tokens": 4, "video_tokens": 9}},
        CHAT | {"prompt_tokens_details": None, "completion_tokens_details": {"audio_tokens": None}},
        CHAT | {"completion_tokens_details": {"reasoning_tokens": 9}},
        RESPONSES | {"input_tokens_details": {"cached_tokens": 9, "text_tokens": 41, "image_tokens": 0}},
        GOOGLE | {"promptTokensDetails": listed(("TEXT", 1), ("IMAGE", 2), ("VIDEO", 3), ("DOCUMENT", 4))},
        GOOGLE | {"promptTokensDetails": [{"modality": "AUDIO"}], "candidatesTokensDetails": None},
        GOOGLE | {"candidatesTokensDetails": listed(("TEXT", 20), ("IMAGE", 0), ("A KIND TO COME", 3))},
    ],
)
def test_what_costs_the_same_as_text_or_was_not_used_is_no_such_part(usage: Object) -> None:
    assert unpriced_part({}, usage, "any") is None


@pytest.mark.parametrize(
    ("provider", "body", "usage", "part"),
    [
        ("openai", {"service_tier": "flex"}, CHAT, "flex tier"),
        ("openai", {"service_tier": "priority"}, RESPONSES, "priority tier"),
        ("openai", {"service_tier": "scale"}, CHAT, "scale tier"),
        ("anthropic", {}, {"service_tier": "batch"}, "batch tier"),
        ("anthropic", {}, {"service_tier": "standard", "speed": "fast"}, "fast mode"),
        ("anthropic", {}, {"inference_geo": "us"}, "inference in the US only"),
        ("aws", {"serviceTier": {"type": "reserved"}}, {}, "reserved tier"),
        ("google", {}, GOOGLE | {"trafficType": "ON_DEMAND_FLEX", "serviceTier": "flex"}, "flex tier"),
        ("google", {}, GOOGLE | {"trafficType": "ON_DEMAND_PRIORITY"}, "priority tier"),
        ("google", {}, GOOGLE | {"trafficType": "PROVISIONED_THROUGHPUT"}, "provisioned throughput"),
        ("groq", {"service_tier": "performance"}, CHAT, "performance tier"),
        ("Groq", {"service_tier": "flex"}, CHAT, None),
        ("groq", {"service_tier": "on_demand"}, CHAT, None),
        ("openai", {"service_tier": "default"}, CHAT, None),
        ("openai", {"service_tier": "auto"}, CHAT, None),
        ("anthropic", {}, {"service_tier": "standard", "speed": "standard", "inference_geo": "not_available"}, None),
        ("anthropic", {}, {"service_tier": None, "inference_geo": "global"}, None),
        ("google", {}, GOOGLE | {"trafficType": "ON_DEMAND", "serviceTier": "standard"}, None),
        ("aws", {"serviceTier": {"type": "default"}}, {}, None),
        ("any", {"service_tier": 7, "serviceTier": ["flex"]}, {"service_tier": "a tier to come"}, None),
    ],
)
def test_terms_that_have_another_price_are_named(provider: str, body: Object, usage: Object, part: str | None) -> None:
    assert unpriced_part(body, usage, provider) == part


@pytest.mark.parametrize(
    ("usage", "reason"),
    [
        (CHAT | {"completion_tokens_details": 7}, "must be in an object"),
        (CHAT | {"prompt_tokens_details": {"audio_tokens": -1}}, "must be a whole number from 0 on"),
        (GOOGLE | {"promptTokensDetails": [7]}, "usage.promptTokensDetails must list counts by modality, got '7'"),
        (GOOGLE | {"promptTokensDetails": {"modality": "AUDIO", "tokenCount": True}}, "must be a whole number"),
    ],
)
def test_a_count_that_is_none_is_refused(usage: Object, reason: str) -> None:
    with pytest.raises(FieldError, match=reason):
        unpriced_part({}, usage, "any")
