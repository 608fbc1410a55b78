"""Whatever a provider writes into a row, it becomes items: nothing but a record, or a reason why there is none."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loaders.anthropic import rows as anthropic
from loaders.anthropic.api import bucket as anthropic_bucket
from loaders.cell import Cell, CellError
from loaders.daily import Days, Read, Report, midnight, read_buckets, read_day, whole_day
from loaders.item import Ignored, LoadError, Parsed, Rejected, WholePart
from loaders.openai import rows as openai
from loaders.openai.api import bucket as openai_bucket
from loaders.openrouter.flat import read_flat
from loaders.openrouter.rows import activity_of
from tests.loaders.anthropic import stub as anthropic_stub
from tests.loaders.openai import stub as openai_stub
from tests.loaders.openrouter import stub as openrouter_stub

REPORT, DAY = Report("anthropic", "acme", "costs"), date(2026, 11, 19)
DAYS = Days(DAY, date(2026, 11, 22))
TEXTS = ["", "x", "1e999", "-0", "0001", "NaN", "1_000", "٣", "USD", "9999-12-31T00:00:00Z", "2026-11-19T00:00:00Z"]
NUMBERS = [0, -1, 1, 2**63, -(10**20), Decimal("1.5"), Decimal("-1e-30"), Decimal("1e999")]
SCALARS = st.sampled_from([None, True, False, *NUMBERS, *TEXTS])
VALUES = st.one_of(SCALARS, st.lists(SCALARS, max_size=2), st.dictionaries(st.sampled_from(TEXTS), SCALARS, max_size=2))
few = settings(max_examples=30, deadline=None)
READERS: list[tuple[Read, dict[str, Any]]] = [
    (anthropic.charge_of, anthropic_stub.cost("1")),
    (anthropic.usage_of, anthropic_stub.use(1, 2, 3, 4, 5)),
    (anthropic.claude_code_of, anthropic_stub.coded(42.6)),
    (openai.charge_of, openai_stub.cost(1)),
    (openai.usage_of, openai_stub.use(10, 5, 2)),
    (activity_of, openrouter_stub.used("2026-11-19", "1")),
]


@pytest.mark.parametrize(("read", "row"), READERS, ids=[read.__module__ + "." + read.__name__ for read, _ in READERS])
def test_a_row_with_anything_in_it_is_read_or_rejected(read: Read, row: dict[str, Any]) -> None:
    @few
    @given(st.dictionaries(st.sampled_from(sorted(row)), VALUES), st.booleans())
    def reads(changes: dict[str, Any], is_inside: bool) -> None:
        inner = {name: {**value, **changes} for name, value in row.items() if isinstance(value, dict) and is_inside}
        items = list(read_day(REPORT, DAY, [row | changes | inner, row], read))
        kinds = [type(item) for item in items]
        assert kinds[0] in (Parsed, Rejected, Ignored)
        assert kinds[1:] == ([Parsed] if kinds[0] is Rejected else [Parsed, WholePart])

    reads()


@pytest.mark.parametrize(
    ("bucket", "names"),
    [(anthropic_bucket, ("starting_at", "ending_at")), (openai_bucket, ("start_time", "end_time"))],
    ids=["anthropic", "openai"],
)
def test_a_bucket_with_anything_in_it_is_read_or_rejected(
    bucket: Callable[[dict[str, object]], tuple[date, list[object]]], names: tuple[str, str]
) -> None:
    @few
    @given(st.dictionaries(st.sampled_from([*names, "results"]), VALUES))
    def reads(said: dict[str, object]) -> None:
        items = list(read_buckets([[said, None]], REPORT, DAYS, bucket, anthropic.charge_of))
        assert isinstance(items[-1], Rejected)

    reads()


@few
@given(st.lists(st.dictionaries(st.just("date"), VALUES), max_size=4))
def test_a_list_with_anything_for_dates_is_read_or_rejected(rows: list[dict[str, object]]) -> None:
    items = list(read_flat(rows, "here", REPORT, DAYS, ("date",), activity_of))
    assert sum(not isinstance(item, WholePart) for item in items) == len(rows)


def test_the_last_day_that_there_is_has_an_end_that_there_is_not() -> None:
    last = datetime(9999, 12, 31, tzinfo=UTC)
    with pytest.raises(CellError, match="must be the ends of one UTC day"):
        whole_day(Cell("a", None), last, Cell("b", None), last)


def test_days_are_those_from_the_first_up_to_but_without_the_last() -> None:
    assert [str(day) for day in DAYS] == ["2026-11-19", "2026-11-20", "2026-11-21"]
    assert (DAYS.starts_at, DAYS.ends_at) == (midnight(DAY), datetime(2026, 11, 22, tzinfo=UTC))
    assert date(2026, 11, 22) not in DAYS
    assert list(Days(DAY, DAY)) == []


def test_a_day_that_comes_twice_ends_the_load() -> None:
    said = {"starting_at": "2026-11-19T00:00:00Z", "ending_at": "2026-11-20T00:00:00Z", "results": []}
    with pytest.raises(LoadError, match="page 2:1: has 2026-11-19 a second time"):
        list(read_buckets([[said], [said]], REPORT, DAYS, anthropic_bucket, anthropic.charge_of))
