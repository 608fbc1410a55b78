"""What the calls of a window would have cost on another model, by day: the price that is in force on one day.

The tokens are those that were used, times a multiplier, so the answer is a counterfactual: another model may need more
or fewer of them.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Any, cast

from finance.pricing import PriceBook, rounded_usd
from finance.what_if import Calls, Rate, cost_of_calls, rates_of_line
from semantic import QueryError
from server.burn import Read, Window
from server.price_lines import lines_by
from store import Price

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
    rates = rates_of_line(_price_line(read, window, swap))
    was: dict[int, Decimal] = defaultdict(Decimal)
    becomes: dict[int, Decimal] = defaultdict(Decimal)
    asked = {"model": swap.source, "multiplier": swap.multiplier, "over": rates[0].prompt_up_to, **window.params}
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
        becomes[index] += _priced(rates[is_over], Calls(calls, tuple(map(int, counts))), swap)
    return was, becomes


def _priced(rate: Rate, calls: Calls, swap: Swap) -> Decimal:
    try:
        return rounded_usd(cost_of_calls(rate, calls, swap.multiplier))
    except ValueError as error:
        raise QueryError("UNPRICED", f"'{swap.target}' cannot take these calls: {error}, which was used") from error


def _price_line(read: Read, window: Window, swap: Swap) -> Price:
    """The line that counts at the end of the day of the question, by the rules of the book."""
    at = datetime.combine(window.as_of + timedelta(days=1), time(), UTC) - timedelta.resolution
    lines = lines_by(read)
    book = PriceBook(lines)
    of_target = [line for line in lines if line.model.casefold() == swap.target.casefold()]
    sellers = {line.provider.casefold(): line.provider for line in of_target}
    asked = [swap.provider] if swap.provider is not None else [sellers[name] for name in sorted(sellers)]
    found = {provider: line for provider in asked if (line := book.in_force(provider, swap.target, at)) is not None}
    if not found:
        raise QueryError("UNPRICED", f"no price of '{swap.target}' is in force; load one with `clawback load prices`")
    if len(found) > 1:
        raise QueryError("AMBIGUOUS", f"'{swap.target}' is sold by {', '.join(found)}; name the provider")
    (line,) = found.values()
    return cast(Price, line)
