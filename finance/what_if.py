"""The calls of a slice priced on another model: which price holds for which of them, and what sums of them cost.

A price is a straight line of tokens as long as one line of the book is in force and the prompt stays on one side of its
tier. Such a stretch is a `Rate`. Calls of one rate may be added up before they are priced: the sum costs what they cost
one by one, to the last digit. So a million calls are a few groups.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Context, Decimal, localcontext
from itertools import pairwise
from typing import Literal

from finance.pricing import PriceBook, PriceLine

LABEL = "counterfactual: same tokens, same outcome assumed; list prices of the day; not a forecast"
"""Stands beside every number of a what-if."""

BUCKETS = ("input", "cache_read", "cache_write_5m", "cache_write_1h", "output")
"""As price lines name them, in the order in which a rate and a group of calls list them; output is no prompt."""

MOST_ROUNDS = 12
_EXACT = Context(prec=200, rounding=ROUND_HALF_EVEN)
_PER_MILLION = 6
_PLACES = Decimal("1e-12")

BreakEven = Literal["OK", "FREE", "NOTHING_TO_COMPARE", "FEES_ALONE_COST_MORE", "TIER_STEP"]


@dataclass(frozen=True, slots=True)
class Rate:
    """What a token of each bucket costs, in USD per million, for some time and some size of prompt."""

    number: int
    provider: str
    model: str
    price_id: str
    starts_at: datetime | None
    """None with `ends_at` None: for calls whose instant is unknown."""
    ends_at: datetime | None
    """Exclusive; None: open."""
    prompt_over: int | None
    """Prompts of more tokens than this; None: of any size."""
    prompt_up_to: int | None
    prices: tuple[Decimal | None, ...]
    """In the order of `BUCKETS`; None where the line has no price, which is not free."""
    fee: Decimal
    """Of one call."""

    @property
    def has_tier(self) -> bool:
        return self.prompt_over is not None or self.prompt_up_to is not None


@dataclass(frozen=True, slots=True)
class Calls:
    """Calls of one rate, added up."""

    count: int
    tokens: tuple[int, ...]
    """In the order of `BUCKETS`."""


@dataclass(frozen=True, slots=True)
class Group:
    """Calls that have one rate on both sides, of their own model and of the other."""

    own: int
    target: int
    calls: Calls
    paid_usd: Decimal
    """Their effective cost: billed, 0 under a plan, else priced."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Both sides over one and the same calls, at 12 places."""

    calls: int
    paid_usd: Decimal
    list_usd: Decimal
    """At the list price of their own model on their own day."""
    what_if_usd: Decimal
    """At the list price of the other model on that day."""

    @property
    def saving_usd(self) -> Decimal:
        """List price against list price; below 0 where the other model costs more."""
        return self.list_usd - self.what_if_usd


def rates_of(book: PriceBook, lines: Iterable[PriceLine], names: Iterable[tuple[str, str]]) -> list[Rate]:
    """Every rate of some (provider, model), numbered from 0. `lines` are those of the book."""
    by_name: dict[tuple[str, str], set[datetime]] = {}
    for line in lines:
        bounds = by_name.setdefault((line.provider.casefold(), line.model.casefold()), set())
        bounds |= {bound for bound in (line.effective_from, line.effective_to) if bound is not None}
    rates: list[Rate] = []
    for provider, model in names:
        stretches = sorted(by_name.get((provider.casefold(), model.casefold()), ()))
        spans: list[tuple[datetime | None, datetime | None]] = [*pairwise([*stretches, None]), (None, None)]
        for starts_at, ends_at in spans:
            line_then = book.in_force(provider, model, starts_at)
            if line_then is not None:
                made = rates_of_line(line_then, starts_at, ends_at)
                rates += [
                    replace(rate, number=number, provider=provider, model=model)
                    for number, rate in enumerate(made, start=len(rates))
                ]
    return rates


def rates_of_line(line: PriceLine, starts_at: datetime | None = None, ends_at: datetime | None = None) -> list[Rate]:
    """What one line says for some time: for prompts up to its tier, then (where it has one) for those over it."""
    return [
        Rate(
            number, line.provider, line.model, line.price_id, starts_at, ends_at, over, up_to,
            _prices(line, tier), line.per_call_fee,
        )
        for number, (over, up_to, tier) in enumerate(_sides(line))
    ]  # fmt: skip


def cost_of_calls(rate: Rate, calls: Calls, multiplier: Decimal = Decimal(1)) -> Decimal:
    """Exact and not rounded; `ValueError` where a bucket that is used has no price."""
    usd = Decimal(0)
    with localcontext(_EXACT):
        for bucket, price, count in zip(BUCKETS, rate.prices, calls.tokens, strict=True):
            if count and price is None:
                raise ValueError(f"price line {rate.price_id!r} has no price for {bucket}")
            usd += count * (price or 0)
        return (usd * multiplier).scaleb(-_PER_MILLION) + calls.count * rate.fee


def compare(own: list[Rate], target: list[Rate], groups: Iterable[Group], multiplier: Decimal) -> Comparison:
    """What the groups cost on their own models, and with `multiplier` times the tokens on the other one."""
    calls, paid, listed, what_if = 0, Decimal(0), Decimal(0), Decimal(0)
    with localcontext(_EXACT):
        for group in groups:
            calls += group.calls.count
            paid += group.paid_usd
            listed += cost_of_calls(own[group.own], group.calls)
            what_if += cost_of_calls(target[group.target], group.calls, multiplier)
    return Comparison(calls, _at_places(paid), _at_places(listed), _at_places(what_if))


def break_even_multiplier(
    own: list[Rate], target: list[Rate], groups_at: Callable[[Decimal], list[Group]], begin: Decimal
) -> tuple[Decimal | None, BreakEven]:
    """How many times the tokens may be used on the other model until it costs as much; at 12 places.

    More tokens can carry prompts over a tier, which changes their rate. So the answer is tried: `groups_at` says which
    rates hold at a multiplier, and a multiplier counts only where the rates that gave it hold at it. TIER_STEP where
    none does, because the cost jumps over the other side at a tier.
    """
    multiplier = begin
    for _ in range(MOST_ROUNDS):
        found, status = _break_even(own, target, groups_at(multiplier))
        if not found or found == multiplier or not any(rate.has_tier for rate in target):
            return found, status
        if _break_even(own, target, groups_at(found)) == (found, status):
            return found, status
        multiplier = found
    return None, "TIER_STEP"


def _break_even(own: list[Rate], target: list[Rate], groups: list[Group]) -> tuple[Decimal | None, BreakEven]:
    listed = tokens = fees = Decimal(0)
    with localcontext(_EXACT):
        for group in groups:
            listed += cost_of_calls(own[group.own], group.calls)
            fees += group.calls.count * target[group.target].fee
            tokens += cost_of_calls(target[group.target], group.calls) - group.calls.count * target[group.target].fee
        if not groups:
            return None, "NOTHING_TO_COMPARE"
        if tokens == 0:
            return None, "FREE"
        if listed < fees:
            return None, "FEES_ALONE_COST_MORE"
        return _at_places((listed - fees) / tokens), "OK"


def _at_places(value: Decimal) -> Decimal:
    return _EXACT.quantize(value, _PLACES)


def _sides(line: PriceLine) -> Iterator[tuple[int | None, int | None, bool]]:
    """Over which prompt, up to which, and whether that is the tier."""
    yield None, line.tier_over, False
    if line.tier_over is not None:
        yield line.tier_over, None, True


def _prices(line: PriceLine, tier: bool) -> tuple[Decimal | None, ...]:
    return tuple(getattr(line, f"tier_{bucket}" if tier else bucket) for bucket in BUCKETS)


@dataclass(frozen=True, slots=True)
class Success:
    """What some decided tasks come to: their calls cost `cost_usd`, and `successes` of `tasks` succeeded."""

    tasks: int
    successes: Decimal
    """After a change of the rate this is an expectation and need not be whole."""
    cost_usd: Decimal

    @property
    def rate(self) -> Decimal:
        return self.successes / self.tasks

    @property
    def cost_per_success(self) -> Decimal | None:
        """USD, at 12 places; None without a success."""
        return _at_places(self.cost_usd / self.successes) if self.successes else None

    def net_value(self, task_value: Decimal) -> Decimal:
        """USD: what the successes are worth - what the calls cost."""
        return _at_places(self.successes * task_value - self.cost_usd)


def success_after(before: Success, cost_usd: Decimal, delta: Decimal) -> Success | None:
    """The same tasks at another cost and with `delta` added to their success rate; None where no rate can be that."""
    successes = before.successes + delta * before.tasks
    if not 0 <= successes <= before.tasks:
        return None
    return Success(before.tasks, successes, cost_usd)


def break_even_delta(before: Success, cost_usd: Decimal, task_value: Decimal) -> Decimal | None:
    """The change of the success rate at which the other cost gives the same net value; None where nothing is worth."""
    if not task_value:
        return None
    return _at_places((cost_usd - before.cost_usd) / (before.tasks * task_value))
