"""Money of bill lines, spread over the tokens that a provider counted: exact, each token at its line's mean price."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from finance.accounts import KINDS, BillLine, LineItem, UnitPrices
from finance.price_book import EXACT
from finance.pricing import rounded_usd
from finance.volume import UnsettledError, Volume

_ZERO, _ONE = Decimal(0), Decimal(1)
Slot = tuple[str | None, int]
"""A model and the number of a kind of token."""


@dataclass(slots=True, kw_only=True)
class Spread:
    """What the pieces of one model's volume are worth; what is recorded and priced has the rest."""

    unpriced_usd: Decimal = _ZERO
    included_usd: Decimal = _ZERO
    more_usd: Decimal = _ZERO
    less_usd: Decimal = _ZERO


def spread(
    lines: Sequence[BillLine],
    volumes: Mapping[str | None, Volume],
    prices: Mapping[str | None, UnitPrices],
    computed_usd: Mapping[str | None, Decimal],
) -> dict[str | None, Spread]:
    """Raises `UnsettledError` where the money of a line cannot be laid on tokens.

    The provider has no price for what it did not count: of a model that it did not count at all the calls are worth
    what they were computed with, of one kind of token what the book says.
    """
    found = {model: Spread() for model in volumes}
    money: defaultdict[tuple[str | None, LineItem | None], Decimal] = defaultdict(Decimal)
    for line in lines:
        money[line.model, line.item] += line.usd
    unlined = {(model, n) for model in volumes for n in range(len(KINDS))}
    for (model, item), usd in money.items():
        if usd:
            slots = [slot for slot in _slots(model, item, volumes) if _is_used(slot, volumes)]
            _lay(usd, slots, volumes, prices, found)
            unlined -= {slot for slot in slots if volumes[slot[0]].counted[slot[1]]}
    for model, volume in volumes.items():
        if not any(volume.counted):
            found[model].less_usd += computed_usd.get(model, _ZERO)
    for model, n in unlined:
        volume = volumes[model]
        if volume.less[n] and not volume.counted[n] and any(volume.counted):
            found[model].less_usd += rounded_usd(
                EXACT.multiply(Decimal(volume.less[n]), _book_price((model, n), prices))
            )
    return found


def _lay(
    usd: Decimal,
    slots: Sequence[Slot],
    volumes: Mapping[str | None, Volume],
    prices: Mapping[str | None, UnitPrices],
    found: Mapping[str | None, Spread],
) -> None:
    """Adds a line's money to the pieces of its slots. Tokens of several kinds weigh what the book says of them."""
    if slots and not any(_has_pieces(slot, volumes) for slot in slots):
        return
    weights = {slot: _ONE if len(slots) == 1 else _book_price(slot, prices) for slot in slots}
    whole = _weight(((slot, volumes[slot[0]].counted[slot[1]]) for slot in slots), weights)
    if not whole:
        raise UnsettledError("REPORTED_USAGE")
    for slot, weight in weights.items():
        (model, n), part = slot, found[slot[0]]
        volume = volumes[model]
        part.unpriced_usd += _share(usd, volume.unpriced[n], weight, whole)
        part.included_usd += _share(usd, volume.included[n], weight, whole)
        part.more_usd += _share(usd, volume.more[n], weight, whole)
        part.less_usd += _share(usd, volume.less[n], weight, whole)


def _slots(model: str | None, item: LineItem | None, volumes: Mapping[str | None, Volume]) -> list[Slot]:
    """What a line may be for. One without a model is for all of them."""
    models = list(volumes) if model is None else [model] if model in volumes else []
    kinds = [n for n, kind in enumerate(KINDS) if item in (kind, "tokens")]
    return [(name, n) for name in models for n in kinds]


def _is_used(slot: Slot, volumes: Mapping[str | None, Volume]) -> bool:
    volume, n = volumes[slot[0]], slot[1]
    return bool(volume.counted[n] or volume.less[n])


def _has_pieces(slot: Slot, volumes: Mapping[str | None, Volume]) -> bool:
    """Whether there is anything beside what is recorded and priced, which has the rest of the money."""
    volume, n = volumes[slot[0]], slot[1]
    return bool(volume.unpriced[n] or volume.included[n] or volume.more[n] or volume.less[n])


def _weight(counts: Iterable[tuple[Slot, int]], weights: Mapping[Slot, Decimal]) -> Decimal:
    whole = _ZERO
    for slot, count in counts:
        whole = EXACT.fma(Decimal(count), weights[slot], whole)
    return whole


def _share(usd: Decimal, count: int, weight: Decimal, whole: Decimal) -> Decimal:
    if not count:
        return _ZERO
    return rounded_usd(EXACT.divide(EXACT.multiply(usd, EXACT.multiply(Decimal(count), weight)), whole))


def _book_price(slot: Slot, prices: Mapping[str | None, UnitPrices]) -> Decimal:
    found = prices.get(slot[0], (None,) * len(KINDS))[slot[1]]
    if found is None:
        raise UnsettledError("PRICES")
    return found
