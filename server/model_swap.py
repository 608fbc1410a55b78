"""What the calls of a window would have cost on another model, by day: the price that is in force on one day.

The tokens are those that were used, times a multiplier, so the answer is a counterfactual: another model may need more
or fewer of them.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Any

from semantic import QueryError
from server.burn import Read, Window

_BUCKETS = ("uncached_input", "cache_read", "cache_write_5m", "cache_write_1h", "output")
_PRICES = ("input", "cache_read", "cache_write_5m", "cache_write_1h", "output")
_MILLION = Decimal(1_000_000)

_LINES = """
SELECT provider, price_id, tier_over, per_call_fee,
    input, cache_read, cache_write_5m, cache_write_1h, output,
    tier_input, tier_cache_read, tier_cache_write_5m, tier_cache_write_1h, tier_output
FROM newest_prices
WHERE model = $model AND effective_from < $at AND (effective_to IS NULL OR effective_to >= $at)
    AND ($provider::VARCHAR IS NULL OR provider = $provider)
ORDER BY provider, known_at DESC, effective_from DESC, price_id
"""
_TOKENS = """
SELECT started_at::DATE AS day,
    coalesce(
        (uncached_input_tokens + cache_read_tokens + cache_write_5m_tokens + cache_write_1h_tokens)
            * $multiplier::DECIMAL(18, 6) > $over::BIGINT,
        FALSE
    ) AS is_over,
    sum(uncached_input_tokens), sum(cache_read_tokens), sum(cache_write_5m_tokens), sum(cache_write_1h_tokens),
    sum(output_tokens), count(*), sum(cost_usd), count(cost_usd)
FROM request_facts
WHERE model = $model AND started_at >= $since AND started_at < $as_of AND total_tokens IS NOT NULL
    AND request_count = 1
GROUP BY ALL ORDER BY ALL
"""


@dataclass(frozen=True, slots=True)
class Swap:
    """Calls to one model go to another."""

    source: str
    target: str
    multiplier: Decimal = Decimal(1)
    provider: str | None = None
    """Of the target, where several sell it."""


def swapped(read: Read, window: Window, swap: Swap) -> tuple[Mapping[int, Decimal], Mapping[int, Decimal]]:
    """What the calls of a model cost and what they would have cost, in USD by the index of the day in the window.

    `QueryError` where the target has no price, or none for a bucket that was used, or the source has no calls.
    """
    line = _price_line(read, window, swap)
    was: dict[int, Decimal] = defaultdict(Decimal)
    becomes: dict[int, Decimal] = defaultdict(Decimal)
    asked = {"model": swap.source, "multiplier": swap.multiplier, "over": line["tier_over"], **window.params}
    found: list[Any] = list(read(_TOKENS, asked).rows)
    if not found:
        raise QueryError(
            "UNKNOWN_MODEL", f"no call to '{swap.source}' with known tokens is in the last {window.days} days"
        )
    for day, is_over, *counts, calls, cost, costed in found:
        if costed < calls:
            raise QueryError("UNPRICED", f"calls to '{swap.source}' have no known cost, so nothing can be swapped")
        index = (day - window.since).days
        was[index] += cost
        becomes[index] += _priced(line, counts, is_over, swap) + calls * line["per_call_fee"]
    return was, becomes


def _priced(line: Mapping[str, Any], counts: list[Any], is_over: bool, swap: Swap) -> Decimal:
    usd = Decimal(0)
    for bucket, name, tokens in zip(_BUCKETS, _PRICES, counts, strict=True):
        price = line[f"tier_{name}" if is_over else name]
        if price is None and tokens:
            raise QueryError(
                "UNPRICED", f"the price of '{swap.target}' says nothing of {bucket} tokens, which were used"
            )
        usd += Decimal(int(tokens)) * swap.multiplier * (price or Decimal(0)) / _MILLION
    return usd


def _price_line(read: Read, window: Window, swap: Swap) -> dict[str, Any]:
    at = datetime.combine(window.as_of + timedelta(days=1), time())
    found = read(_LINES, {"model": swap.target, "at": at, "provider": swap.provider})
    lines = [dict(zip(found.columns, row, strict=True)) for row in found.rows]
    providers = list(dict.fromkeys(str(line["provider"]) for line in lines))
    if not lines:
        raise QueryError("UNPRICED", f"no price of '{swap.target}' is in force; load one with `clawback load prices`")
    if len(providers) > 1:
        raise QueryError("AMBIGUOUS", f"'{swap.target}' is sold by {', '.join(providers)}; name the provider")
    return lines[0]
