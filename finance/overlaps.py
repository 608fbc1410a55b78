"""Price lines of one model that are in force at the same time, and which of them counts."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import combinations

from finance.pricing import LIBRARY_SOURCE, PriceBook, PriceLine

_ALWAYS = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Overlap:
    """For its time, both lines say what a call costs; the one of `winner` does."""

    winner: str
    loser: str
    provider: str
    model: str
    starts_at: datetime
    ends_at: datetime | None
    """Exclusive; None: open."""


def overlaps(lines: Iterable[PriceLine]) -> list[Overlap]:
    """Of the newest version of each line. One's own line beside one of a published list is no overlap: it outranks it.

    Names are compared without regard to case, as the price book compares them.
    """
    named: defaultdict[tuple[bool, str, str], list[PriceLine]] = defaultdict(list)
    for line in lines:
        library = line.source.startswith(LIBRARY_SOURCE)
        named[library, line.provider.casefold(), line.model.casefold()].append(line)
    found = [overlap for same in named.values() for one, other in combinations(same, 2) for overlap in _of(one, other)]
    return sorted(found, key=lambda o: (o.provider, o.model, o.starts_at, o.winner, o.loser))


def _of(one: PriceLine, other: PriceLine) -> list[Overlap]:
    starts_at = max(one.effective_from, other.effective_from)
    ends = [line.effective_to for line in (one, other) if line.effective_to is not None]
    if one.price_id == other.price_id or starts_at >= min(ends, default=_ALWAYS):
        return []
    winner = PriceBook([one, other]).in_force(one.provider, one.model, starts_at)
    first, second = (one, other) if winner is one else (other, one)
    return [
        Overlap(
            first.price_id, second.price_id, first.provider, first.model, starts_at, min(ends) if ends else None
        )
    ]  # fmt: skip
