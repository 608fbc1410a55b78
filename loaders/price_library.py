"""Prices of the published list inside the `genai-prices` package, for models that the price book lacks.

Only the snapshot that is installed is read; nothing is fetched. A price is taken where the list names the very model
and states it in terms that a price line can hold. Otherwise there is none: the call stays unpriced, which can be seen
and mended with a line in the book, while a neighbour's price could not be told from a right one.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from importlib.metadata import version

from genai_prices.data_snapshot import get_snapshot
from genai_prices.types import (
    ClauseContains,
    ClauseEndsWith,
    ClauseEquals,
    ClauseOr,
    ClauseStartsWith,
    ConditionalPrice,
    MatchLogic,
    ModelInfo,
    ModelPrice,
    StartDateConstraint,
    TieredPrices,
)

from finance.pricing import LIBRARY_SOURCE
from store import Price

_ALWAYS = datetime(1970, 1, 1, tzinfo=UTC)
_SNAPSHOT = re.compile(r"[-@](20\d{6}|20\d{2}-\d{2}-\d{2})$", re.ASCII)
_BUCKETS = ("input_mtok", "cache_read_mtok", "cache_write_mtok", "cache_write_1h_mtok", "output_mtok")
_PARTS_OF_OUTPUT = ("output_reasoning_mtok", "output_citation_mtok")
"""Prices for a part of the output that our buckets do not tell from the rest."""


def library_prices(wanted: set[tuple[str, str]], *, now: datetime) -> list[Price]:
    """Dated lines for those (provider, model) pairs that the list knows, under the names that were asked for."""
    return [line for provider, model in sorted(wanted) for line in _lines(provider, model, now)]


def _lines(provider: str, model: str, now: datetime) -> list[Price]:
    """Every line of the model, or none if one of its prices cannot be said in a line: a gap would look like a price."""
    listed = _find(provider, model)
    if listed is None:
        return []
    starts = _starts(listed)
    periods = zip(starts, [*starts[1:], None], strict=False)
    lines = [_line(provider, model, listed.get_prices(period[0]), period, now) for period in periods]
    said = [line for line in lines if line is not None]
    return said if len(said) == len(lines) else []


def _find(provider: str, model: str) -> ModelInfo | None:
    """The entry of the list that names this very model of this very seller.

    The list itself matches by prefix and by family, and falls back on other sellers. Here a match counts only if the
    name is one that the entry spells out, or such a name with the date of a snapshot behind it.
    """
    try:
        seller = get_snapshot().find_provider(None, provider, None)
    except LookupError:
        return None
    listed = seller.find_model(model)
    if listed is None or provider.casefold() not in {seller.id, *_spelled(seller.provider_match)}:
        return None
    names = {listed.id.casefold(), *_spelled(listed.match)}
    asked = model.casefold()
    return listed if asked in names or _SNAPSHOT.sub("", asked) in names else None


def _spelled(match: MatchLogic | None) -> Iterator[str]:
    """The names written out in a rule. A rule that needs several things at once names nothing."""
    match match:
        case ClauseOr():
            for clause in match.or_:
                yield from _spelled(clause)
        case ClauseEquals():
            yield match.equals.casefold()
        case ClauseStartsWith():
            yield match.starts_with.casefold()
        case ClauseContains():
            yield match.contains.casefold()
        case ClauseEndsWith():
            yield match.ends_with.casefold()


def _starts(listed: ModelInfo) -> list[datetime]:
    """The instants from which the model's prices hold; none where prices depend on the time of day."""
    starts: set[datetime] = set()
    for dated in [ConditionalPrice(prices=listed.prices)] if isinstance(listed.prices, ModelPrice) else listed.prices:
        match dated.constraint:
            case None:
                starts.add(_ALWAYS)
            case StartDateConstraint(start_date=day):
                starts.add(datetime(day.year, day.month, day.day, tzinfo=UTC))
            case _:
                return []
    return sorted(starts)


def _line(
    provider: str, model: str, prices: ModelPrice, period: tuple[datetime, datetime | None], now: datetime
) -> Price | None:
    """None where a line cannot say it: several tiers, tiers that begin apart, or a price for a part of the output."""
    buckets = [_stated(prices, key) for key in _BUCKETS]
    fee = _stated(prices, "requests_kcount")
    tiered = [price for price in buckets if isinstance(price, TieredPrices)]
    thresholds = {tuple(tier.start for tier in price.tiers) for price in tiered}
    if (
        any(_stated(prices, key) is not None for key in _PARTS_OF_OUTPUT)
        or isinstance(fee, TieredPrices)
        or len(thresholds) > 1
        or any(len(starts) != 1 for starts in thresholds)
        or all(price is None for price in buckets)
    ):
        return None
    below = [price.base if isinstance(price, TieredPrices) else price for price in buckets]
    over = [price.tiers[0].price if isinstance(price, TieredPrices) else price for price in buckets]
    above = over if tiered else [None] * len(over)
    start, end = period
    return Price(
        price_id=f"library:{provider}/{model}@{start.date()}",
        source=f"{LIBRARY_SOURCE}genai-prices {version('genai-prices')}",
        provider=provider,
        model=model,
        effective_from=start,
        effective_to=end,
        input=below[0],
        cache_read=below[1],
        cache_write_5m=below[2],
        cache_write_1h=below[3],
        output=below[4],
        tier_over=tiered[0].tiers[0].start if tiered else None,
        tier_input=above[0],
        tier_cache_read=above[1],
        tier_cache_write_5m=above[2],
        tier_cache_write_1h=above[3],
        tier_output=above[4],
        per_call_fee=Decimal(0) if fee is None else fee / 1000,
        known_at=now,
    )


def _stated(prices: ModelPrice, key: str) -> Decimal | TieredPrices | None:
    price: Decimal | TieredPrices | None = getattr(prices, key)
    return price
