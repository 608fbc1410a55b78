"""What one model call costs, from its token counts and the dated lines of a price book.

Pure and exact: nothing here knows where usage or prices are kept, and no amount passes through a binary float. What
was billed wins, then what a plan covers, then what the source reported, then tokens times the price in force; after
that the cost is unknown, which is `None` with a status and never zero.

What pricing reads of a call and of a price line is spelled out as two protocols, which makes the module a long one.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Context, Decimal, localcontext
from itertools import chain
from typing import Literal, Protocol, cast

CostStatus = Literal["BILLED", "REPORTED", "INCLUDED", "PRICED", "UNPRICED", "MISSING_USAGE"]

LIBRARY_SOURCE = "library:"
"""Lines whose source starts like this come from a published price list; any line of one's own book outranks them."""

_PLACES = Decimal("1e-12")
_DIGITS_OF_A_MILLION = 6
_EXACT = Context(prec=100, rounding=ROUND_HALF_EVEN)
"""Wide enough for every product of a stored count and a stored price, so that only `rounded_usd` ever rounds."""
_ALWAYS_KNOWN = datetime.min.replace(tzinfo=UTC)


class Usage(Protocol):
    """What pricing reads of a call; `store.records.Request` is one."""

    @property
    def provider(self) -> str | None: ...
    @property
    def model(self) -> str | None: ...
    @property
    def started_at(self) -> datetime | None: ...
    @property
    def uncached_input_tokens(self) -> int | None: ...
    @property
    def cache_read_tokens(self) -> int | None: ...
    @property
    def cache_write_5m_tokens(self) -> int | None: ...
    @property
    def cache_write_1h_tokens(self) -> int | None: ...
    @property
    def output_tokens(self) -> int | None: ...
    @property
    def billed_usd(self) -> Decimal | None: ...
    @property
    def reported_usd(self) -> Decimal | None: ...
    @property
    def is_included(self) -> bool: ...
    @property
    def scope(self) -> Literal["request", "session"]: ...
    @property
    def unpriced_part(self) -> str | None: ...


class PriceLine(Protocol):
    """One dated line of a price book, USD per million tokens; `store.records.Price` is one."""

    @property
    def price_id(self) -> str: ...
    @property
    def source(self) -> str: ...
    @property
    def provider(self) -> str: ...
    @property
    def model(self) -> str: ...
    @property
    def effective_from(self) -> datetime: ...
    @property
    def effective_to(self) -> datetime | None: ...
    @property
    def known_at(self) -> datetime | None: ...
    @property
    def input(self) -> Decimal | None: ...
    @property
    def cache_read(self) -> Decimal | None: ...
    @property
    def cache_write_5m(self) -> Decimal | None: ...
    @property
    def cache_write_1h(self) -> Decimal | None: ...
    @property
    def output(self) -> Decimal | None: ...
    @property
    def tier_over(self) -> int | None: ...
    @property
    def tier_input(self) -> Decimal | None: ...
    @property
    def tier_cache_read(self) -> Decimal | None: ...
    @property
    def tier_cache_write_5m(self) -> Decimal | None: ...
    @property
    def tier_cache_write_1h(self) -> Decimal | None: ...
    @property
    def tier_output(self) -> Decimal | None: ...
    @property
    def per_call_fee(self) -> Decimal: ...


@dataclass(frozen=True, slots=True)
class Cost:
    """The cost of one call; `usd` is None exactly where the status says why it is unknown."""

    usd: Decimal | None
    status: CostStatus
    price_id: str | None = None
    """The line of the book in force for the call, where the book was asked at all."""


class PriceBook:
    """Price lines by provider and model, answering which one is in force at an instant.

    Lines with one `price_id` are versions of one line: once one is known, those known earlier are void, and of two
    known at one instant the one that was given first.
    """

    def __init__(self, lines: Iterable[PriceLine]) -> None:
        versions: defaultdict[str, list[PriceLine]] = defaultdict(list)
        for line in lines:
            versions[line.price_id].append(line)
        kept: defaultdict[tuple[bool, bool, str, str], list[_Version]] = defaultdict(list)
        for version in chain.from_iterable(map(_versions, versions.values())):
            line = version.line
            library = line.source.startswith(LIBRARY_SOURCE)
            kept[library, False, line.provider, line.model].append(version)
            kept[library, True, line.provider.casefold(), line.model.casefold()].append(version)
        self._timelines = {key: _Timeline(named) for key, named in kept.items()}
        self._ranked: dict[tuple[str, str], list[_Timeline]] = {}

    def in_force(
        self, provider: str | None, model: str | None, at: datetime | None, known_at: datetime | None = None
    ) -> PriceLine | None:
        """The line that prices a call made at `at`, judged by what was known at `known_at` (by default, all).

        Names match as they are written, then without regard to case; a family is never guessed. With an unknown
        instant the answer is a line only if every instant would have given the same prices.
        """
        if provider is None or model is None:
            return None
        timelines = self._by_rank(provider, model)
        if at is not None:
            return _first_in_force(timelines, at, known_at)
        bounds = {bound for timeline in timelines for bound in timeline.bounds}
        found = [_first_in_force(timelines, bound, known_at) for bound in sorted(bounds)]
        lines = [line for line in found if line is not None]
        return lines[-1] if len({_all_prices(line) for line in lines}) == 1 else None

    def _by_rank(self, provider: str, model: str) -> list["_Timeline"]:
        """One's own lines before the library's, a name as it is written before one in other case."""
        ranked = self._ranked.get((provider, model))
        if ranked is None:
            names = ((False, provider, model), (True, provider.casefold(), model.casefold()))
            keys = [(library, *name) for library in (False, True) for name in names]
            ranked = [self._timelines[key] for key in keys if key in self._timelines]
            if ranked:  # names that no line has are without number
                self._ranked[provider, model] = ranked
        return ranked


@dataclass(frozen=True, slots=True)
class _Version:
    line: PriceLine
    known_since: datetime
    void_since: datetime | None

    def holds(self, instant: datetime, known_at: datetime | None) -> bool:
        """Whether the line, as known at `known_at`, covers an instant that is not before its start."""
        end = self.line.effective_to
        if end is not None and instant >= end:
            return False
        if known_at is None:
            return self.void_since is None
        return self.known_since <= known_at and (self.void_since is None or known_at < self.void_since)


class _Timeline:
    """The lines of one model in order of their first instant."""

    def __init__(self, versions: list[_Version]) -> None:
        self._versions = sorted(versions, key=lambda version: version.line.effective_from)
        self._starts = [version.line.effective_from for version in self._versions]
        ends = (version.line.effective_to for version in versions)
        self.bounds = {*self._starts, *(end for end in ends if end is not None)}

    def at(self, instant: datetime, known_at: datetime | None) -> PriceLine | None:
        started = self._versions[: bisect_right(self._starts, instant)]
        holding = [version for version in started if version.holds(instant, known_at)]
        if not holding:
            return None
        return holding[0].line if len(holding) == 1 else max(holding, key=_rank).line


def _versions(lines: list[PriceLine]) -> Iterator[_Version]:
    """The versions of one line, the latest of which is never void."""
    in_order = sorted(lines, key=_known_since)
    for line, later in zip(in_order, [*in_order[1:], None], strict=True):
        yield _Version(line, _known_since(line), None if later is None else _known_since(later))


def _rank(version: _Version) -> tuple[datetime, datetime, str]:
    return version.known_since, version.line.effective_from, version.line.price_id


def cost_of(usage: Usage, book: PriceBook, known_at: datetime | None = None) -> Cost:
    """What the call cost the payer: billed, else included in a plan, else reported, else priced from its tokens."""
    if usage.billed_usd is not None:
        return Cost(usage.billed_usd, "BILLED")
    if usage.is_included:
        return Cost(Decimal(0), "INCLUDED")
    if usage.reported_usd is not None:
        return Cost(usage.reported_usd, "REPORTED")
    return list_equivalent(usage, book, known_at)


def list_equivalent(usage: Usage, book: PriceBook, known_at: datetime | None = None) -> Cost:
    """What the tokens cost at the book's price, whoever paid: PRICED, UNPRICED or MISSING_USAGE.

    A call of which a part is sold at a price that no line can state is UNPRICED as a whole, whatever the line says. So
    is a total of calls where their price depends on how the tokens were spread over them.
    """
    line = book.in_force(usage.provider, usage.model, usage.started_at, known_at)
    price_id = None if line is None else line.price_id
    tokens = _tokens(usage)
    if tokens is None:
        return Cost(None, "MISSING_USAGE", price_id)
    if line is None:
        return Cost(None, "UNPRICED")
    if usage.unpriced_part is not None or (usage.scope == "session" and _differs_by_call(tokens, line)):
        return Cost(None, "UNPRICED", price_id)
    usd = _priced(tokens, _tier_prices(line) if _is_over(tokens, line) else _prices(line), line.per_call_fee)
    return Cost(usd, "UNPRICED" if usd is None else "PRICED", price_id)


def is_over_tier(usage: Usage, line: PriceLine) -> bool:
    """Whether the whole call takes the line's tier price: its prompt is over (not on) the threshold."""
    tokens = _tokens(usage)
    return tokens is not None and _is_over(tokens, line)


def rounded_usd(usd: Decimal) -> Decimal:
    """The amount with at most 12 decimal places, half to even; unchanged if it has no more."""
    rounded = _EXACT.quantize(usd, _PLACES)
    return usd if rounded == usd else rounded


def _priced(tokens: tuple[int, ...], prices: tuple[Decimal | None, ...], fee: Decimal) -> Decimal | None:
    usd = Decimal(0)
    with localcontext(_EXACT):
        for count, price in zip(tokens, prices, strict=True):
            if count:
                if price is None:
                    return None
                usd += count * price
        return rounded_usd(usd.scaleb(-_DIGITS_OF_A_MILLION) + fee)


def _differs_by_call(tokens: tuple[int, ...], line: PriceLine) -> bool:
    """Whether nobody can price the sum of some calls: each may be over the tier or below it, and each has a fee."""
    return _is_over(tokens, line) or line.per_call_fee != 0


def _is_over(tokens: tuple[int, ...], line: PriceLine) -> bool:
    return line.tier_over is not None and sum(tokens[:-1]) > line.tier_over


def _tokens(usage: Usage) -> tuple[int, ...] | None:
    """The buckets in the order of `_prices`, output last; None where the source has no usage for the call."""
    buckets = (
        usage.uncached_input_tokens,
        usage.cache_read_tokens,
        usage.cache_write_5m_tokens,
        usage.cache_write_1h_tokens,
        usage.output_tokens,
    )
    return None if None in buckets else cast(tuple[int, ...], buckets)


def _prices(line: PriceLine) -> tuple[Decimal | None, ...]:
    return line.input, line.cache_read, line.cache_write_5m, line.cache_write_1h, line.output


def _tier_prices(line: PriceLine) -> tuple[Decimal | None, ...]:
    return (
        line.tier_input,
        line.tier_cache_read,
        line.tier_cache_write_5m,
        line.tier_cache_write_1h,
        line.tier_output,
    )


def _all_prices(line: PriceLine) -> tuple[Decimal | int | None, ...]:
    return *_prices(line), line.tier_over, *_tier_prices(line), line.per_call_fee


def _known_since(line: PriceLine) -> datetime:
    return line.known_at or _ALWAYS_KNOWN


def _first_in_force(timelines: list[_Timeline], at: datetime, known_at: datetime | None) -> PriceLine | None:
    return next((line for timeline in timelines if (line := timeline.at(at, known_at)) is not None), None)
