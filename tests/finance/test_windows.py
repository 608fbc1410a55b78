"""Windows of zones whose clocks change, and that they follow each other without a gap."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finance.windows import window_before, window_of


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "noon", "starts", "ends"),
    [
        ("America/New_York", "2026-03-08T17:00", "2026-03-08T05:00", "2026-03-09T04:00"),  # 23 hours
        ("America/New_York", "2026-11-01T17:00", "2026-11-01T04:00", "2026-11-02T05:00"),  # 25 hours
        ("America/Sao_Paulo", "2018-11-04T15:00", "2018-11-04T03:00", "2018-11-05T02:00"),  # no midnight: begins at 1
        ("America/Sao_Paulo", "2018-02-17T15:00", "2018-02-17T02:00", "2018-02-18T03:00"),  # 23:00 to 24:00 twice
        ("America/Havana", "2025-11-02T17:00", "2025-11-02T04:00", "2025-11-03T05:00"),  # 0:00 to 1:00 twice
        ("Australia/Lord_Howe", "2026-04-05T00:00", "2026-04-04T13:00", "2026-04-05T13:30"),  # half an hour
        ("Pacific/Apia", "2011-12-31T00:00", "2011-12-30T10:00", "2011-12-31T10:00"),  # 30 December was left out
        ("Asia/Kathmandu", "2026-01-01T00:00", "2025-12-31T18:15", "2026-01-01T18:15"),
    ],
)
def test_a_day_is_what_the_zone_makes_of_it(zone: str, noon: str, starts: str, ends: str) -> None:
    window = window_of(at(noon), "day", zone)
    assert (window.starts_at, window.ends_at) == (at(starts), at(ends))


def test_a_clock_that_goes_back_over_midnight_stays_in_the_day_that_has_begun() -> None:
    # St. John's, 2010-11-07: at 0:01 the clock went back to 23:01 of the 6th.
    first = window_of(at("2010-11-07T02:30:30"), "day", "America/St_Johns")
    again = window_of(at("2010-11-07T03:00"), "day", "America/St_Johns")
    assert (first.label, again.label) == ("2010-11-07", "2010-11-07")
    assert first.starts_at == at("2010-11-07T02:30")


@pytest.mark.parametrize(
    ("period", "label", "starts", "ends"),
    [
        ("week", "2026-W01", "2025-12-29T00:00", "2026-01-05T00:00"),
        ("month", "2026-01", "2026-01-01T00:00", "2026-02-01T00:00"),
        ("day", "2026-01-01", "2026-01-01T00:00", "2026-01-02T00:00"),
    ],
)
def test_weeks_begin_on_monday_and_months_on_the_first(period: Any, label: str, starts: str, ends: str) -> None:
    window = window_of(at("2026-01-01T00:00"), period, "UTC")
    assert (window.label, window.starts_at, window.ends_at) == (label, at(starts), at(ends))


def test_an_instant_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="2026-01-01T00:00:00 says no zone"):
        window_of(datetime(2026, 1, 1), "day", "UTC")  # noqa: DTZ001 - that is what is refused


ZONES = ("UTC", "America/New_York", "America/Sao_Paulo", "America/Havana", "Pacific/Apia", "America/St_Johns")


@settings(max_examples=200, deadline=None)
@given(
    seconds=st.integers(0, 4_000_000_000),
    period=st.sampled_from(("day", "week", "month")),
    zone=st.sampled_from((*ZONES, "Africa/Cairo", "Asia/Beirut", "Antarctica/Troll", "Africa/Casablanca")),
)
def test_windows_contain_their_instant_and_follow_each_other(seconds: int, period: Any, zone: str) -> None:
    instant = datetime(1970, 2, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    window = window_of(instant, period, zone)
    assert window.starts_at <= instant < window.ends_at
    assert window_of(window.starts_at, period, zone) == window
    assert window_before(window, period, zone).ends_at == window.starts_at
    assert window_of(window.ends_at, period, zone).starts_at == window.ends_at
