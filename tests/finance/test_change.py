"""The parts of a change add up to it, for the whole and for each group, whatever the groups are."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finance.change import OTHER, Change, Standing, explain_change

_usd = st.decimals(-(10**6), 10**6, places=12)
_counts = st.integers(0, 50)


@st.composite
def tables(draw: st.DrawFn) -> list[Standing]:
    """Also groups that cost something and count nothing, and sides on which nothing is."""
    sides = draw(st.sampled_from(["both", "before", "after"]))
    made = []
    for number in range(draw(st.integers(0, 8))):
        before = (draw(_counts), draw(_usd)) if sides != "after" else (0, Decimal(0))
        after = (draw(_counts), draw(_usd)) if sides != "before" else (0, Decimal(0))
        made.append(Standing(f"g{number}", *before, *after))
    return made


@settings(max_examples=200, deadline=None)
@given(tables(), st.integers(1, 8))
def test_the_parts_add_up_to_the_last_digit(table: list[Standing], most: int) -> None:
    change = explain_change(table, most)
    delta = sum((group.cost_after - group.cost_before for group in table), Decimal(0))
    parts = change.parts
    assert parts.volume + parts.mix + parts.rate == parts.delta == delta
    for group in change.groups:
        assert group.parts.volume + group.parts.mix + group.parts.rate == group.parts.delta == group.standing.delta
    for name in ("delta", "volume", "mix", "rate"):
        assert sum((getattr(group.parts, name) for group in change.groups), Decimal(0)) == getattr(parts, name)
        assert getattr(parts, name).as_tuple().exponent >= -12
    assert len(change.groups) <= most + 1


@settings(max_examples=50, deadline=None)
@given(tables())
def test_how_many_groups_are_shown_changes_no_part_of_the_whole(table: list[Standing]) -> None:
    few, all_ = explain_change(table, 1), explain_change(table, 100)
    for name in ("volume", "mix", "rate"):
        assert abs(getattr(few.parts, name) - getattr(all_.parts, name)) <= Decimal("1e-12")


def changed(*groups: tuple[str, int, str, int, str]) -> Change:
    return explain_change([Standing(n, n0, Decimal(c0), n1, Decimal(c1)) for n, n0, c0, n1, c1 in groups], 10)


def test_twice_as_many_of_the_same_is_volume_alone() -> None:
    parts = changed(("a", 10, "1", 20, "2"), ("b", 5, "5", 10, "10")).parts
    assert (parts.volume, parts.mix, parts.rate) == (6, 0, 0)


def test_a_dearer_unit_is_rate_alone() -> None:
    parts = changed(("a", 10, "1", 10, "3")).parts
    assert (parts.volume, parts.mix, parts.rate) == (0, 0, 2)


def test_where_nothing_was_before_all_is_volume() -> None:
    change = changed(("a", 0, "0", 3, "6"), ("b", 0, "0", 1, "1"))
    assert (change.parts.volume, change.parts.mix, change.parts.rate) == (7, 0, 0)
    assert [group.kind for group in change.groups] == ["NEW", "NEW"]


def test_where_nothing_is_left_all_is_volume() -> None:
    change = changed(("a", 3, "6", 0, "0"))
    assert (change.parts.volume, change.parts.mix, change.parts.rate) == (-6, 0, 0)
    assert [group.kind for group in change.groups] == ["GONE"]


def test_the_group_that_changed_most_drives() -> None:
    assert changed(("a", 1, "1", 1, "2"), ("b", 1, "9", 1, "5")).top_driver == "b"
    assert changed(("a", 1, "1", 1, "1")).top_driver is None
    assert explain_change([], 5).groups == ()


def test_the_rest_is_one_group() -> None:
    groups = [Standing(f"g{n}", 1, Decimal(0), 1, Decimal(n)) for n in range(5)]
    last = explain_change(groups, 2).groups[-1]
    assert (last.kind, last.standing.name, last.parts.delta) == ("OTHER", OTHER, Decimal(3))


@pytest.mark.parametrize("usd", ["NaN", "Infinity", "0.0000000000001"])
def test_what_is_no_amount_of_money_is_refused(usd: str) -> None:
    with pytest.raises(ValueError, match="a: a cost is an amount with at most 12 places"):
        changed(("a", 1, "0", 1, usd))
