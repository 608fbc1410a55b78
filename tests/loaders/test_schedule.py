"""When a source is due, at the turns of the clock too, and which times a late load has lost."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from loaders import LoadError
from loaders.kinds import LOADERS
from loaders.schedule import Gap, check_schedule, gap, is_due, next_due

BERLIN = ZoneInfo("Europe/Berlin")
HALF_PAST_TWO = "30 2 * * *"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_what_was_never_loaded_is_due_now() -> None:
    assert is_due(HALF_PAST_TWO, BERLIN, None, at("2026-03-01T12:00"))


def test_a_source_is_due_from_the_instant_of_its_schedule_on() -> None:
    began_at = at("2026-03-01T10:07")
    assert next_due("*/15 * * * *", BERLIN, began_at, at("2026-03-01T10:08")) == at("2026-03-01T10:15")
    assert not is_due("*/15 * * * *", BERLIN, began_at, at("2026-03-01T10:14:59"))
    assert is_due("*/15 * * * *", BERLIN, began_at, at("2026-03-01T10:15"))


def test_days_that_were_missed_are_made_up_by_one_load() -> None:
    now = at("2026-03-09T12:00")
    assert is_due(HALF_PAST_TWO, BERLIN, at("2026-03-01T12:00"), now)
    assert not is_due(HALF_PAST_TWO, BERLIN, now, now + timedelta(minutes=1))


def test_an_hour_that_the_clock_skips_is_due_at_its_end_and_one_that_repeats_once() -> None:
    # In Berlin 02:30 does not exist on 29 March 2026, and exists twice on 25 October.
    assert next_due(HALF_PAST_TWO, BERLIN, at("2026-03-28T12:00"), at("2026-03-29T12:00")) == at("2026-03-29T01:00")
    first = next_due(HALF_PAST_TWO, BERLIN, at("2026-10-24T12:00"), at("2026-10-25T12:00"))
    assert first == at("2026-10-25T00:30")
    assert next_due(HALF_PAST_TWO, BERLIN, first, first) == at("2026-10-26T01:30")


@pytest.mark.parametrize("schedule", ["", "hourly", "* * * *", "61 * * * *", "0 0 31 2 *"])
def test_what_is_no_schedule_is_refused_with_what_would_be_right(schedule: str) -> None:
    with pytest.raises(LoadError, match=r"is no schedule such as '\*/15 \* \* \* \*'|names a day that never comes"):
        check_schedule(schedule)


def test_a_gap_is_what_happened_before_the_source_forgot_it() -> None:
    day = timedelta(hours=24)
    assert gap(at("2026-03-01T00:00"), at("2026-03-02T00:00"), day) is None
    assert gap(at("2026-03-01T20:00"), at("2026-03-04T06:00"), day) == Gap(
        at("2026-03-01T20:00"), at("2026-03-03T06:00")
    )


def test_a_load_that_failed_is_tried_again_before_its_schedule_says_so() -> None:
    began_at = at("2026-03-01T02:30")
    assert not is_due(HALF_PAST_TWO, ZoneInfo("UTC"), began_at, at("2026-03-01T02:45"))
    assert not is_due(HALF_PAST_TWO, ZoneInfo("UTC"), began_at, at("2026-03-01T02:39"), has_failed=True)
    assert is_due(HALF_PAST_TWO, ZoneInfo("UTC"), began_at, at("2026-03-01T02:40"), has_failed=True)
    assert next_due("* * * * *", ZoneInfo("UTC"), began_at, began_at, has_failed=True) == at("2026-03-01T02:31")


@pytest.mark.parametrize("name", LOADERS)
def test_the_schedule_of_every_loader_is_right_and_beats_what_its_source_forgets(name: str) -> None:
    loader = LOADERS[name]
    check_schedule(loader.schedule)
    longest = timedelta()
    began_at = at("2026-01-01T00:00")
    for _ in range(100):
        following = next_due(loader.schedule, ZoneInfo("UTC"), began_at, began_at)
        longest, began_at = max(longest, following - began_at), following
    assert loader.keeps is None or longest * 2 <= loader.keeps
