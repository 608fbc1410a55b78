"""Which of two price lines counts where both are in force."""

from dataclasses import replace
from datetime import UTC, datetime

from finance.overlaps import Overlap, overlaps
from store import Price


def day(number: int) -> datetime:
    return datetime(2026, 1, number, tzinfo=UTC)


LINE = Price(
    price_id="old", source="prices", provider="acme", model="m", effective_from=day(1), known_at=day(1), reason=None
)
LATER = replace(LINE, price_id="new", effective_from=day(10), known_at=day(5))


def test_the_line_that_is_known_later_counts() -> None:
    found = [Overlap("new", "old", "acme", "m", day(10), None)]
    assert overlaps([LINE, LATER]) == overlaps([LATER, LINE]) == found
    ended = replace(LATER, effective_to=day(12))
    assert overlaps([LINE, ended]) == [Overlap("new", "old", "acme", "m", day(10), day(12))]


def test_lines_that_follow_each_other_or_are_of_others_do_not_overlap() -> None:
    assert overlaps([replace(LINE, effective_to=day(10)), LATER]) == []
    assert overlaps([LINE, replace(LATER, model="other")]) == []
    assert overlaps([LINE, replace(LATER, source="library:list")]) == []
    assert overlaps([]) == []


def test_names_in_other_case_are_the_same_model() -> None:
    assert [o.winner for o in overlaps([LINE, replace(LATER, model="M")])] in (["new"], ["old"])
    assert len(overlaps([LINE, replace(LATER, model="M")])) == 1
