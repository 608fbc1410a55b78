"""Why a cost changed between two times: more of it (volume), other members (mix), another cost of each (rate).

With n counts and c costs, 0 before and 1 after, capitals for the sums over all groups, and u = C0 / N0:

    volume = (N1 - N0) x u                                      the count alone, at the old average
    mix    = sum of (n1 - n0 x N1 / N0) x (c0 / n0 - u)         where the count moved to, at the old unit costs
    rate   = sum of n1 x (c1 / n1 - c0 / n0) = c1 - n1 x c0 / n0

A group without an old unit cost is new: all that it adds beyond its place in the volume is mix. Parts of a group add
up to its own change, and the groups to the whole, in exact fractions and to the last digit of what is told.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal, localcontext
from fractions import Fraction
from typing import Literal

Kind = Literal["EXISTING", "NEW", "GONE", "OTHER"]

_PLACES = 12
_WIDE = Context(prec=100)
_NOTHING = Fraction(0)
OTHER = "(other)"


@dataclass(frozen=True, slots=True)
class Standing:
    """A group at both times: how many members of known cost, and what they cost; a credit is below 0."""

    name: str
    count_before: int
    cost_before: Decimal
    count_after: int
    cost_after: Decimal

    @property
    def delta(self) -> Decimal:
        with localcontext(_WIDE):
            return self.cost_after - self.cost_before


@dataclass(frozen=True, slots=True)
class Parts:
    """Of a change, in USD with at most 12 places; they add up to `delta` exactly."""

    delta: Decimal
    volume: Decimal
    mix: Decimal
    rate: Decimal


@dataclass(frozen=True, slots=True)
class GroupChange:
    standing: Standing
    kind: Kind
    parts: Parts


@dataclass(frozen=True, slots=True)
class Change:
    """The whole and its groups, the largest change first."""

    whole: Standing
    parts: Parts
    groups: tuple[GroupChange, ...]

    @property
    def top_driver(self) -> str | None:
        """The group whose cost changed most, up or down; None where nothing changed."""
        moved = [group for group in self.groups if group.parts.delta]
        return moved[0].standing.name if moved else None


def explain_change(groups: Iterable[Standing], most: int) -> Change:
    """`ValueError` for a cost with more than 12 places. Beyond `most` groups the smaller changes are one, `OTHER`."""
    standings = sorted(groups, key=lambda group: (-abs(group.delta), group.name))
    whole = _sum_of("", standings)
    exact = [_exact_parts(group, whole) for group in standings]
    table = [(group, _kind(group), *parts) for group, parts in zip(standings, exact, strict=True)]
    shown, rest = table[:most], table[most:]
    if rest:
        lumped = _sum_of(OTHER, [group for group, *_ in rest])
        shown.append((lumped, "OTHER", sum((m for *_, m, _ in rest), _NOTHING), sum((r for *_, r in rest), _NOTHING)))
    mixes, rates = _rounded([mix for *_, mix, _ in shown]), _rounded([rate for *_, rate in shown])
    changes = tuple(
        GroupChange(group, kind, _parts(group.delta, mix, rate))
        for (group, kind, *_), mix, rate in zip(shown, mixes, rates, strict=True)
    )
    with localcontext(_WIDE):
        parts = _parts(whole.delta, sum(mixes, Decimal(0)), sum(rates, Decimal(0)))
    return Change(whole, parts, changes)


def _exact_parts(group: Standing, whole: Standing) -> tuple[Fraction, Fraction]:
    """Mix and rate; what is left of the change is volume. Without a time before, all of it is volume."""
    if whole.count_before == 0:
        return Fraction(0), Fraction(0)
    growth, average = Fraction(whole.count_after, whole.count_before), _fraction(whole.cost_before, whole.count_before)
    if group.count_before == 0:
        moved = _fraction(group.cost_after) - group.count_after * average - _fraction(group.cost_before) * growth
        return moved, Fraction(0)
    unit = _fraction(group.cost_before, group.count_before)
    mix = (group.count_after - group.count_before * growth) * (unit - average)
    return mix, _fraction(group.cost_after) - group.count_after * unit


def _fraction(usd: Decimal, count: int = 1) -> Fraction:
    return Fraction(usd) / count


def _parts(delta: Decimal, mix: Decimal, rate: Decimal) -> Parts:
    with localcontext(_WIDE):
        return Parts(delta, delta - mix - rate, mix, rate)


def _rounded(values: Sequence[Fraction]) -> list[Decimal]:
    """Each at 12 places and their sum the rounded sum: what is rounded is the running sum. What is 0 stays 0."""
    told, total, before = [], Fraction(0), Decimal(0)
    with localcontext(_WIDE):
        for value in values:
            total += value
            now = Decimal(round(total * 10**_PLACES)).scaleb(-_PLACES)
            told.append((now - before).normalize() + Decimal(0))
            before = now
    return told


def _sum_of(name: str, groups: Iterable[Standing]) -> Standing:
    counts, costs = [0, 0], [Decimal(0), Decimal(0)]
    with localcontext(_WIDE):
        for group in groups:
            for usd in (group.cost_before, group.cost_after):
                exponent = usd.as_tuple().exponent
                if not isinstance(exponent, int) or exponent < -_PLACES:
                    raise ValueError(f"{group.name}: a cost is an amount with at most {_PLACES} places, not {usd}")
            counts = [counts[0] + group.count_before, counts[1] + group.count_after]
            costs = [costs[0] + group.cost_before, costs[1] + group.cost_after]
    return Standing(name, counts[0], costs[0], counts[1], costs[1])


def _kind(group: Standing) -> Kind:
    if not group.count_before and not group.cost_before:
        return "NEW"
    return "GONE" if not group.count_after and not group.cost_after else "EXISTING"
