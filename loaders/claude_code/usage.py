"""The usage of an answer as Claude Code wrote it -> its tokens, or None where it does not say what was used.

Stricter than OpenClaw's, where a field that is absent stands for 0: here the provider's own object is copied, which has
the tokens in and out in every answer. One without them is no usage, and to count it as 0 would price it.
"""

from loaders.openclaw.usage import Buckets, read_usage
from loaders.openclaw.values import FieldError, Object, count, object_in

_REQUIRED = ("input_tokens", "output_tokens")
_WRITTEN = "cache_creation_input_tokens"
_LIFETIMES = ("ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens")


def read_buckets(usage: Object | None) -> Buckets | None:
    """Raises `FieldError` where a count is none, or where the lifetimes of the cache writes contradict their total."""
    if usage is None:
        return None
    buckets = read_usage(usage, "anthropic-messages").buckets
    _check_split(usage)
    return buckets if all(usage.get(name) is not None for name in _REQUIRED) else None


def _check_split(usage: Object) -> None:
    """Null or absent says nothing: then all was written for five minutes, as Anthropic does where nobody asks."""
    split = object_in(usage, "cache_creation") or {}
    written = count(usage.get(_WRITTEN), f"usage.{_WRITTEN}")
    lifetimes = [count(split.get(name), f"usage.cache_creation.{name}") for name in _LIFETIMES]
    if written is None or all(tokens is None for tokens in lifetimes):
        return
    five_minutes, one_hour = (tokens or 0 for tokens in lifetimes)
    if five_minutes + one_hour != written:
        raise FieldError(
            f"usage.cache_creation splits the cache writes into {five_minutes:,} for 5 minutes and {one_hour:,} for "
            f"1 hour, but usage.{_WRITTEN} is {written:,}; the two must add up to it, for they differ in price"
        )
