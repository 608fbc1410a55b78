"""The `usage` object of a call -> disjoint token buckets, as OpenClaw and the libraries below it have written it.

Two libraries recorded some providers wrongly for months. A correction is made only where the recorded total proves
it: a guess would trade a known error for an unknown one.
"""

from dataclasses import dataclass, replace
from decimal import Decimal
from functools import lru_cache
from itertools import chain

from loaders.openclaw.values import Object, count, object_in

_INPUT = ("input", "inputTokens", "input_tokens", "promptTokens", "prompt_tokens")
_OUTPUT = ("output", "outputTokens", "output_tokens", "completionTokens", "completion_tokens")
_CACHED_WITHIN_INPUT = ("cached_tokens", "input_tokens_details.cached_tokens", "prompt_tokens_details.cached_tokens")
_CACHE_READ = ("cacheRead", "cache_read", "cache_read_input_tokens", *_CACHED_WITHIN_INPUT)
_CACHE_WRITE = ("cacheWrite", "cache_write", "cache_creation_input_tokens")
_CACHE_WRITE_5M = ("cacheWrite5m", "cache_write_5m", "cache_creation.ephemeral_5m_input_tokens")
_CACHE_WRITE_1H = ("cacheWrite1h", "cache_write_1h", "cache_creation.ephemeral_1h_input_tokens")
_REASONING = ("reasoningTokens", "reasoning", "reasoning_tokens")
_TOTAL = ("total", "totalTokens", "total_tokens")
_GROUPS = (
    _INPUT,
    _OUTPUT,
    _CACHE_READ,
    _CACHE_WRITE,
    _CACHE_WRITE_5M,
    _CACHE_WRITE_1H,
    _CACHED_WITHIN_INPUT,
    _REASONING,
    _TOTAL,
)
"""In the order of `_Named`."""
_KNOWN = frozenset(chain.from_iterable(_GROUPS))
_INNER_OBJECTS = ("input_tokens_details", "prompt_tokens_details", "cache_creation")
_LEAST_USD, _MOST_USD = Decimal("1e-12"), Decimal("1e9")
"""Of one call: below is no money, above no call."""


@dataclass(frozen=True, slots=True)
class _Named:
    """The fields of one usage object, by what they count, the one to be believed first."""

    input: tuple[str, ...]
    output: tuple[str, ...]
    cache_read: tuple[str, ...]
    cache_write: tuple[str, ...]
    write_5m: tuple[str, ...]
    write_1h: tuple[str, ...]
    cached_within_input: tuple[str, ...]
    reasoning: tuple[str, ...]
    total: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Buckets:
    """Disjoint tokens of one call; reasoning is part of output."""

    uncached_input: int
    cache_read: int
    cache_write_5m: int
    cache_write_1h: int
    output: int


NOTHING_SERVED = Buckets(0, 0, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Usage:
    recorded: tuple[int | None, int | None, int | None, int | None] = (None, None, None, None)
    """Input, output, cache read and cache write as they were written: part of a call's identity, so never corrected."""
    buckets: Buckets | None = None
    """None where the source has no usage: none was written, or only zeros, which no call can have used, or a null in
    the place of the tokens in or out."""
    estimated_usd: Decimal | None = None


NO_USAGE = Usage()


def read_usage(written: Object | None, api: str) -> Usage:
    """`api` is the wire protocol, or the provider where the protocol was not written."""
    if written is None:
        return NO_USAGE
    usage = _flat(written)
    named = _named(tuple(filter(_KNOWN.__contains__, usage)))
    cache_read, cache_write = _first(usage, named.cache_read), _first(usage, named.cache_write)
    recorded = (_first(usage, named.input), _first(usage, named.output), cache_read, cache_write)
    write_5m, write_1h = _split_writes(_first(usage, named.write_5m), _first(usage, named.write_1h), cache_write)
    buckets = Buckets(recorded[0] or 0, cache_read or 0, write_5m, write_1h, recorded[1] or 0)
    if not _sum(buckets) or _is_null(recorded[0], named.input) or _is_null(recorded[1], named.output):
        return Usage(recorded)
    total = _first(usage, named.total)
    says_within = _first(usage, named.cached_within_input) is not None
    buckets = _without_cached_input(buckets, total, says_within, api)
    buckets = _without_doubled_reasoning(buckets, total, _first(usage, named.reasoning) or 0, api)
    return Usage(recorded, buckets, _estimate(usage))


def _is_null(value: int | None, names: tuple[str, ...]) -> bool:
    """Whether a count was written, and says nothing: what is left out was not used, but a null is what becomes of NaN.

    The counts of the cache are not asked: providers write null there where nothing was cached.
    """
    return value is None and bool(names)


def _without_cached_input(buckets: Buckets, total: int | None, says_within: bool, api: str) -> Buckets:
    """Google's input was recorded with the cached part in it, as OpenAI's own field names say that it is."""
    is_disjoint = total == _sum(buckets)
    is_proven = api.startswith("google") and total == buckets.uncached_input + buckets.output
    if not buckets.cache_read or is_disjoint or not (says_within or is_proven):
        return buckets
    return replace(buckets, uncached_input=max(0, buckets.uncached_input - buckets.cache_read))


def _without_doubled_reasoning(buckets: Buckets, total: int | None, reasoning: int, api: str) -> Buckets:
    """The chat-completions reader added reasoning to an output that already contained it."""
    if not 0 < reasoning <= buckets.output or api != "openai-completions" or total != _sum(buckets) - reasoning:
        return buckets
    return replace(buckets, output=buckets.output - reasoning)


def _split_writes(five_minutes: int | None, one_hour: int | None, written: int | None) -> tuple[int, int]:
    """The one-hour part lies within the written total; what no field assigns was written for five minutes."""
    return max(five_minutes or 0, (written or 0) - (one_hour or 0)), one_hour or 0


def _estimate(usage: Object) -> Decimal | None:
    """OpenClaw's own estimate. It writes 0 for a model without a price, so 0 says nothing."""
    cost = usage.get("cost")
    total = cost.get("total") if isinstance(cost, dict) else None
    if isinstance(total, bool) or not isinstance(total, int | Decimal) or not _LEAST_USD <= total <= _MOST_USD:
        return None
    return Decimal(total)


def _sum(buckets: Buckets) -> int:
    writes = buckets.cache_write_5m + buckets.cache_write_1h
    return buckets.uncached_input + buckets.cache_read + writes + buckets.output


def _first(usage: Object, names: tuple[str, ...]) -> int | None:
    """The first of these fields that says something."""
    for name in names:
        value = usage[name]
        if value is not None:
            return count(value, f"usage.{name}")
    return None


def _flat(usage: Object) -> Object:
    """With the fields of the inner objects beside the others, as `outer.inner`."""
    flat = dict(usage)
    for outer in _INNER_OBJECTS:
        if outer in usage:
            inner = object_in(usage, outer)
            flat |= {f"{outer}.{name}": value for name, value in (inner or {}).items()}
    return flat


@lru_cache(maxsize=256)
def _named(names: tuple[str, ...]) -> _Named:
    """Every program writes one set of fields in one order, millions of times."""
    return _Named(*(tuple(name for name in known if name in names) for known in _GROUPS))
