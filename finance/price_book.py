"""A price book: dated lines by provider and model, and which of them is in force for a call.

Pure: nothing here knows where lines are kept. What is read of a line is spelled out as a protocol.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Context, Decimal
from itertools import chain
from typing import Protocol

LIBRARY_SOURCE = "library:"
"""Lines whose source starts like this come from a published price list; any line of one's own book outranks them."""

EXACT = Context(prec=100, rounding=ROUND_HALF_EVEN)
"""Wide enough for every product of a stored count and a stored price, so that nothing is rounded on the way."""
PLACES = 12
_DIGITS_OF_A_MILLION = 6
_ALWAYS_KNOWN = datetime.min.replace(tzinfo=UTC)


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
class Rates:
    """USD for one token, below or over the threshold of a line; None where the line states no price."""

    by_bucket: tuple[Decimal | None, ...]
    """Uncached input, cache read, cache write for 5 minutes and for an hour, output."""
    fee: Decimal
    """For the call."""
    read_saving: Decimal | None
    """How much less a cache read costs than uncached input."""
    write_5m_premium: Decimal | None
    """How much more a cache write costs than uncached input."""
    write_1h_premium: Decimal | None
    is_exact: bool
    """Whether whole tokens never give more places than are kept."""


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
        self._rates: dict[tuple[int, bool], tuple[PriceLine, Rates]] = {}

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

    def rates(self, line: PriceLine, *, is_over: bool) -> Rates:
        """What a line asks for tokens, of a call over its threshold or below it."""
        found = self._rates.get((id(line), is_over))
        if found is None:  # the line is kept beside its rates, so that no other takes its identity
            found = self._rates[id(line), is_over] = line, _rates(line, is_over=is_over)
        return found[1]

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


def _rates(line: PriceLine, *, is_over: bool) -> Rates:
    prices = _tier_prices(line) if is_over else _prices(line)
    rates = tuple(None if price is None else EXACT.scaleb(price, -_DIGITS_OF_A_MILLION) for price in prices)
    uncached, read, write_5m, write_1h, _ = rates
    return Rates(
        rates,
        line.per_call_fee,
        _less(uncached, read),
        _less(write_5m, uncached),
        _less(write_1h, uncached),
        all(int(rate.as_tuple().exponent) >= -PLACES for rate in (*rates, line.per_call_fee) if rate is not None),
    )


def _less(minuend: Decimal | None, subtrahend: Decimal | None) -> Decimal | None:
    return None if minuend is None or subtrahend is None else EXACT.subtract(minuend, subtrahend)


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
