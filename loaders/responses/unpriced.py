"""What of an answer is sold at a price that no line of a price book states.

A line has one price for all input and one for all output, on the usual terms. Sound, pictures that a model made and
calls on other terms are sold at other prices: at the line's they would get a cost that is wrong and looks right. Where
the answer says that it has such a part, the call is marked with it. Pictures and films that Gemini and Grok are shown
cost what text costs, so they are no such part; of OpenAI only the shape of its picture and realtime models counts them.
"""

import re
from collections.abc import Iterator

from loaders.openclaw.values import FieldError, Object
from loaders.responses.fields import stated

_COUNTED = (
    ("audio input", "prompt_tokens_details", "audio_tokens"),
    ("audio input", "input_tokens_details", "audio_tokens"),
    ("audio input", "input_token_details", "audio_tokens"),
    ("image input", "input_tokens_details", "image_tokens"),
    ("image input", "input_token_details", "image_tokens"),
    ("audio output", "completion_tokens_details", "audio_tokens"),
    ("audio output", "output_tokens_details", "audio_tokens"),
    ("audio output", "output_token_details", "audio_tokens"),
    ("image output", "completion_tokens_details", "image_tokens"),
    ("image output", "output_tokens_details", "image_tokens"),
    ("image output", "output_token_details", "image_tokens"),
)
_LISTED = {
    "promptTokensDetails": {"AUDIO": "audio input"},
    "promptTokenDetails": {"AUDIO": "audio input"},  # so named by some versions
    "cacheTokensDetails": {"AUDIO": "audio input"},
    "toolUsePromptTokensDetails": {"AUDIO": "audio input"},
    "candidatesTokensDetails": {"AUDIO": "audio output", "IMAGE": "image output", "VIDEO": "video output"},
}
"""Google's lists by kind -> the kinds in it that are sold at another price than text."""
_TIER_FIELDS = ("service_tier", "serviceTier", "trafficType")
_TIERS = {
    "flex": "flex tier",
    "batch": "batch tier",
    "priority": "priority tier",
    "performance": "performance tier",  # Groq
    # Capacity that is paid for by time, whatever goes through it:
    "scale": "scale tier",  # OpenAI
    "reserved": "reserved tier",  # Bedrock
    "provisioned": "provisioned throughput",  # Vertex
}
_AS_ON_DEMAND = {("groq", "flex")}
"""Groq's flex tier has other limits and the same price."""


def unpriced_part(body: Object, usage: Object, provider: str) -> str | None:
    """A few words, such as 'audio input, flex tier'; None where a price line can state all of it.

    Raises `FieldError` where a count is none.
    """
    found = [*_kinds(usage), *_terms(body, usage, provider.casefold())]
    return ", ".join(dict.fromkeys(found)) or None


def _kinds(usage: Object) -> Iterator[str]:
    for part, details, field in _COUNTED:
        if stated(usage, details, field):
            yield part
    for field, parts in _LISTED.items():
        listed = usage.get(field) or []
        for counted in listed if isinstance(listed, list) else [listed]:
            if not isinstance(counted, dict):
                raise FieldError(f"usage.{field} must list counts by modality, got {str(counted)[:60]!r}")
            kind = counted.get("modality")
            if isinstance(kind, str) and kind in parts and stated(counted, "tokenCount"):
                yield parts[kind]


def _terms(body: Object, usage: Object, provider: str) -> Iterator[str]:
    """A tier that is not known by name is taken for the usual one, as are `standard`, `default` and on demand."""
    for holder in (body, usage):
        for field in _TIER_FIELDS:
            words = _words(holder.get(field))
            yield from (_TIERS[word] for word in words if word in _TIERS and (provider, word) not in _AS_ON_DEMAND)
    if "fast" in _words(usage.get("speed")):
        yield "fast mode"  # Anthropic
    if "us" in _words(usage.get("inference_geo")):
        yield "inference in the US only"  # Anthropic


def _words(term: object) -> list[str]:
    """`ON_DEMAND_FLEX` -> on, demand, flex. Bedrock has the name of its tier in an object."""
    name = term.get("type") if isinstance(term, dict) else term
    return re.findall("[a-z]+", name.casefold()) if isinstance(name, str) else []
