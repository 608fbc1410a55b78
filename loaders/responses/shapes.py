"""The `usage` of a provider's answer -> disjoint token buckets: one function for each shape there is.

The fields tell the shape, never the provider's name: gateways and clouds answer in each other's shapes. The name is
asked only where two providers mean different things by one shape.
"""

from loaders.openclaw.usage import Buckets
from loaders.openclaw.values import FieldError, Object, object_in
from loaders.responses.fields import (
    UnknownShapeError,
    agreed,
    check_total,
    required,
    split_writes,
    stated,
    sum_of,
    without_cached,
)

_CHAT_READ = (
    ("prompt_tokens_details", "cached_tokens"),
    ("prompt_cache_hit_tokens",),  # DeepSeek
    ("cached_tokens",),  # Moonshot
    ("cached_prompt_text_tokens",),  # xAI, at first
    ("cache_read_input_tokens",),  # LiteLLM, which counts it within prompt_tokens
)
_CHAT_WRITTEN = (
    ("prompt_tokens_details", "cache_write_tokens"),
    ("prompt_tokens_details", "cache_creation_tokens"),
    ("cache_creation_input_tokens",),
)
_CACHED_BESIDE_INPUT = ("cache_read_input_tokens", "cache_creation_input_tokens", "cache_creation")
_DETAILS = ("input_tokens_details", "input_token_details")
_GOOGLE, _XAI = ("google", "gemini"), ("xai", "x-ai", "grok")
_KNOWN = "input_tokens, prompt_tokens, inputTokens, billed_units, or promptTokenCount under usageMetadata"


def read_buckets(usage: Object, provider: str) -> Buckets:
    """Raises `FieldError` where the counts contradict each other or the shape is not known."""
    if "promptTokenCount" in usage or "totalTokenCount" in usage:
        return _google(usage)
    if "prompt_tokens" in usage:
        return _chat(usage, provider.casefold())
    if "inputTokens" in usage:
        return _bedrock(usage)
    if "billed_units" in usage:
        return _cohere(usage)
    if "input_tokens" not in usage:
        raise UnknownShapeError(f"usage has {', '.join(sorted(usage)[:8]) or 'no fields'}; counts are in {_KNOWN}")
    beside = any(usage.get(name) for name in _CACHED_BESIDE_INPUT)
    within = any(usage.get(name) for name in _DETAILS)
    if beside and within and agreed(usage, *((name, "cached_tokens") for name in _DETAILS)):
        raise FieldError("usage says what was cached both beside input_tokens and within them: which cannot be told")
    return _responses(usage, provider.casefold()) if within else anthropic(usage)


def anthropic(usage: Object) -> Buckets:
    """Anthropic's Messages, wherever they are served: the input is without what was cached."""
    five_minutes = stated(usage, "cache_creation", "ephemeral_5m_input_tokens") or 0
    one_hour = stated(usage, "cache_creation", "ephemeral_1h_input_tokens") or 0
    written = stated(usage, "cache_creation_input_tokens")
    if written is None:
        written = five_minutes + one_hour
    return Buckets(
        required(usage, "input_tokens"),
        stated(usage, "cache_read_input_tokens") or 0,
        *split_writes(written, five_minutes, one_hour),
        required(usage, "output_tokens"),
    )


def _responses(usage: Object, provider: str) -> Buckets:
    """OpenAI's Responses and Realtime: the input contains what was cached, the output the reasoning."""
    read = agreed(usage, *((name, "cached_tokens") for name in _DETAILS))
    written = agreed(usage, *((name, "cache_write_tokens") for name in _DETAILS))
    prompt, output = required(usage, "input_tokens"), required(usage, "output_tokens")
    check_total(usage, "total_tokens", prompt + output)
    uncached = without_cached(prompt, read, written, may_exceed=provider == "openrouter")
    return Buckets(uncached, read, written, 0, output)


def _chat(usage: Object, provider: str) -> Buckets:
    """Chat completions, and embeddings, which have no completion: the prompt contains what was cached."""
    read, written = agreed(usage, *_CHAT_READ), agreed(usage, *_CHAT_WRITTEN)
    lifetimes = "prompt_tokens_details", "cache_creation_token_details"
    five_minutes = stated(usage, *lifetimes, "ephemeral_5m_input_tokens") or 0
    one_hour = stated(usage, *lifetimes, "ephemeral_1h_input_tokens") or 0
    prompt = required(usage, "prompt_tokens")
    uncached = without_cached(prompt, read, written, may_exceed=provider == "openrouter")
    writes = split_writes(written, five_minutes, one_hour)
    return Buckets(uncached, read, *writes, _completion(usage, prompt, provider))


def _completion(usage: Object, prompt: int, provider: str) -> int:
    """All output. xAI, and Google's imitation of this shape, leave the reasoning out of it but not of the total."""
    completion, total = stated(usage, "completion_tokens"), stated(usage, "total_tokens")
    reasoning = agreed(usage, ("completion_tokens_details", "reasoning_tokens"), ("reasoning_tokens",))
    if completion is None:
        if total != prompt:
            raise UnknownShapeError("usage.completion_tokens is missing, and total_tokens does not say that it is 0")
        return 0
    if total is None:
        return completion + (reasoning if provider in _XAI else 0)
    left_out = total - prompt - completion
    if left_out != 0 and left_out != reasoning and not (left_out > 0 and provider.startswith(_GOOGLE)):
        check_total(usage, "total_tokens", prompt + completion)
    return completion + left_out


def _google(usage: Object) -> Buckets:
    """Gemini and Vertex: thoughts are beside the candidates, prompts of tools beside the prompt. 0 is left out."""
    prompt, read = stated(usage, "promptTokenCount") or 0, stated(usage, "cachedContentTokenCount") or 0
    tools = stated(usage, "toolUsePromptTokenCount") or 0
    output = (stated(usage, "candidatesTokenCount") or 0) + (stated(usage, "thoughtsTokenCount") or 0)
    check_total(usage, "totalTokenCount", prompt + tools + output)
    return Buckets(without_cached(prompt, read, 0) + tools, read, 0, 0, output)


def _bedrock(usage: Object) -> Buckets:
    """Bedrock's Converse: the input is without what was cached."""
    written = stated(usage, "cacheWriteInputTokens") or 0
    buckets = Buckets(
        required(usage, "inputTokens"),
        stated(usage, "cacheReadInputTokens") or 0,
        *split_writes(written, *_bedrock_lifetimes(usage)),
        required(usage, "outputTokens"),
    )
    check_total(usage, "totalTokens", sum_of(buckets))
    return buckets


def _bedrock_lifetimes(usage: Object) -> tuple[int, int]:
    kept = {"5m": 0, "1h": 0}
    listed = usage.get("cacheDetails") or []
    for write in listed if isinstance(listed, list) else [listed]:
        lifetime = write.get("ttl") if isinstance(write, dict) else None
        if not isinstance(write, dict) or not isinstance(lifetime, str) or lifetime not in kept:
            raise FieldError(f"usage.cacheDetails must list writes with a ttl of 5m or 1h, got {str(write)[:60]!r}")
        kept[lifetime] += required(write, "inputTokens")
    return kept["5m"], kept["1h"]


def _cohere(usage: Object) -> Buckets:
    """Cohere charges fewer tokens than it processes: what is billed counts, and of that nothing is cached."""
    billed = object_in(usage, "billed_units")
    if billed is None or "input_tokens" not in billed or stated(billed, "image_tokens"):
        units = ", ".join(sorted(billed or {})) or "nothing"
        raise UnknownShapeError(f"usage.billed_units has {units}; only input_tokens and output_tokens can be priced")
    return Buckets(required(billed, "input_tokens"), 0, 0, 0, stated(billed, "output_tokens") or 0)
