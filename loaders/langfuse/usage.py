"""The `usageDetails` of a generation -> disjoint token buckets.

Its keys are whatever the one who traced the call has written. Those that are documented, and that the known
integrations write, are read; what the total beside them says decides whether they are parts or contain each other.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

from loaders.openclaw.usage import Buckets
from loaders.openclaw.values import FieldError, count
from loaders.responses.fields import sum_of, without_cached
from loaders.service import Object

_Bucket = Literal["uncached_input", "cache_read", "cache_write_5m", "cache_write_1h", "output"]
_KEYS: Final[Mapping[str, _Bucket]] = MappingProxyType(
    {
        "input": "uncached_input",
        "prompt_tokens": "uncached_input",
        "input_tokens": "uncached_input",
        "input_cached_tokens": "cache_read",
        "input_cache_read": "cache_read",
        "input_cached": "cache_read",
        "cache_read_input_tokens": "cache_read",
        "cached_input_tokens": "cache_read",
        "cache_creation_input_tokens": "cache_write_5m",
        "input_cache_creation": "cache_write_5m",
        "input_cache_creation_5m": "cache_write_5m",
        "input_cache_creation_1h": "cache_write_1h",
        "output": "output",
        "completion_tokens": "output",
        "output_tokens": "output",
        "output_reasoning_tokens": "output",
        "output_reasoning": "output",
    }
)
_REASONING = frozenset({"output_reasoning_tokens", "output_reasoning"})
_TOTALS = ("total", "total_tokens")


@dataclass(frozen=True, slots=True)
class Usage:
    buckets: Buckets | None
    """None where nothing is said."""
    unpriced_part: str | None = None
    """Kinds of tokens that no price line states, such as 'input_audio_tokens'."""


def read_usage(details: Object) -> Usage:
    """Raises `FieldError` where the counts do not add up, or one is of nobody knows what."""
    counts = {name: count(value, f"usageDetails.{name}") or 0 for name, value in details.items()}
    totals = {name: counts.pop(name) for name in _TOTALS if name in counts}
    told = {name: value for name, value in counts.items() if value}
    if not told:
        if any(totals.values()):
            raise FieldError(f"usageDetails has a total of {max(totals.values()):,} and does not say of what")
        return Usage(None)
    stated = {_KEYS.get(name) or _side(name) for name, value in details.items() if name in counts and value is not None}
    if not totals and ("output" not in stated or stated == {"output"}):
        # As of a stream that was cut: to price the other half as 0 would be a guess, unless a total says that it is 0.
        return Usage(None)
    others = [name for name in told if name not in _KEYS]
    buckets, parts = _buckets(told, others), sum(told.values())
    total = max(totals.values(), default=parts)
    if total == parts:
        return Usage(buckets, ", ".join(others) or None)
    return _with_parts_inside(told, buckets, total, others)


def _buckets(told: Mapping[str, int], others: list[str]) -> Buckets:
    found: dict[str, int] = dict.fromkeys(_KEYS.values(), 0)
    for name, value in told.items():
        found[_KEYS[name] if name not in others else _side(name)] += value
    return Buckets(**found)


def _side(name: str) -> _Bucket:
    """Tokens of a kind of their own: audio, images. They count, and have no price that a line could state."""
    if name.startswith("input"):
        return "uncached_input"
    if name.startswith("output"):
        return "output"
    raise FieldError(
        f"usageDetails.{name} is no count that is known; those that are begin with input or output, or are "
        f"{', '.join(sorted(_KEYS))}"
    )


def _with_parts_inside(told: Mapping[str, int], buckets: Buckets, total: int, others: list[str]) -> Usage:
    """Where input and output alone make the total, the other counts are parts of these two."""
    outside = [name for name in told if name in _KEYS and _KEYS[name] in ("uncached_input", "output")]
    outside = [name for name in outside if name not in _REASONING]
    if others or sum(told[name] for name in outside) != total:
        said = ", ".join(f"{name} {value:,}" for name, value in told.items())
        raise FieldError(
            f"usageDetails ({said}) make {sum_of(buckets):,}, and the total beside them is {total:,}: what was counted "
            "twice or not at all cannot be told"
        )
    output = buckets.output - sum(told.get(name, 0) for name in _REASONING)
    written = buckets.cache_write_5m + buckets.cache_write_1h
    uncached = without_cached(buckets.uncached_input, buckets.cache_read, written)
    return Usage(Buckets(uncached, buckets.cache_read, buckets.cache_write_5m, buckets.cache_write_1h, output))
