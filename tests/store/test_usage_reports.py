"""What others counted, by day: what a provider reports as it is, a counter that runs on by what it has come to."""

from collections.abc import Iterator
from typing import Any

import pytest

from store import ReportedUsage, Store
from tests.store.conftest import at, load_into
from tests.stores import new_store

COLUMNS = "meter, model, starts_on::VARCHAR, ends_on::VARCHAR, requests, prompt, uncached_input, cache_write, output"


@pytest.fixture(scope="module")
def store() -> Iterator[Store]:
    rows = (
        count("day", "provider", "2026-02-01", "2026-02-02", uncached_input_tokens=5, cache_write_1h_tokens=2),
        count("c1", "meter", "2026-02-01T08:00", "2026-02-01T23:50", counter="c", output_tokens=10, input_tokens=7),
        count("c2", "meter", "2026-02-01T08:00", "2026-02-02T23:50", counter="c", output_tokens=25, input_tokens=7),
        count("c3", "meter", "2026-02-01T08:00", "2026-02-04T12:00", counter="c", output_tokens=30, input_tokens=9),
        count("late", "meter", "2026-02-01T08:00", "2026-02-03T12:00", counter="d", output_tokens=4),
    )
    with new_store() as opened:
        load_into(opened, *rows)
        yield opened


def count(usage_id: str, reporter: Any, starts: str, ends: str, **fields: Any) -> ReportedUsage:
    member = "metrics of openclaw, agent scout" if reporter == "meter" else "workspace"
    known = {"source": "test", "provider": "Acme", "model": "Big-2026-01-31", "member": member}
    times = (
        {"starts_at": at(f"{starts}+00:00"), "ends_at": at(f"{ends}+00:00")}
        if "T" in starts
        else {
            "starts_at": at(f"{starts}T00:00+00:00"),
            "ends_at": at(f"{ends}T00:00+00:00"),
        }
    )
    return ReportedUsage(usage_id=usage_id, reporter=reporter, **known, **times, **fields)


def test_a_report_is_for_its_days_and_what_it_does_not_have_is_unknown(store: Store) -> None:
    asked = f"SELECT {COLUMNS} FROM usage_reports WHERE reporter = 'provider'"
    assert store.read(asked).rows == [("", "big", "2026-02-01", "2026-02-02", None, None, 5, 2, None)]


def test_a_counter_that_runs_on_stands_for_what_it_has_come_to_since_its_last_reading(store: Store) -> None:
    asked = f"SELECT {COLUMNS} FROM usage_reports WHERE reporter = 'meter' AND output <> 4 ORDER BY starts_on"
    meter = "metrics of openclaw"
    assert store.read(asked).rows == [
        (meter, "big", "2026-02-01", "2026-02-02", None, 7, None, None, 10),
        (meter, "big", "2026-02-02", "2026-02-03", None, 0, None, None, 15),
        (meter, "big", "2026-02-03", "2026-02-05", None, 2, None, None, 5),
    ]


def test_a_first_reading_days_after_the_start_is_for_all_these_days(store: Store) -> None:
    asked = "SELECT starts_on::VARCHAR, ends_on::VARCHAR FROM usage_reports WHERE output = 4"
    assert store.read(asked).rows == [("2026-02-01", "2026-02-04")]
