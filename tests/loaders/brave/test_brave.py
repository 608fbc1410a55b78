"""One search, made only where it was asked for, tells how much of the month is used."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from loaders.item import Ignored, Item, LoadError, Note, Parsed, Rejected
from loaders.job import run_load
from store import CreditQuota, CreditUsage
from tests.loaders.brave.stub import Brave
from tests.loaders.http_stub import NOW, Reply
from tests.loaders.services import Asking, asking
from tests.stores import new_store


@pytest.fixture
def search() -> Iterator[Asking]:
    with asking("brave") as found:
        yield found


def stub(search: Asking) -> Brave:
    assert isinstance(search.stub, Brave)
    return search.stub


def of(kind: type, items: list[Item | Note]) -> Any:
    records = [record for item in items if isinstance(item, Parsed) for record in item.records]
    [found] = [record for record in records if isinstance(record, kind)]
    return found


def test_no_search_is_made_unless_it_was_asked_for(search: Asking) -> None:
    with pytest.raises(LoadError, match="a search costs money: give the option probe=yes"):
        search.load(probe="no")
    assert search.stub.asked == []


def test_one_search_tells_the_state_of_the_month_and_counts_itself(search: Asking) -> None:
    items = search.load()

    assert of(CreditQuota, items) == CreditQuota(
        vendor="brave",
        plan="search",
        observed_at=NOW,
        source="brave",
        used_credits=Decimal(790),
        limit_credits=Decimal(15_000),
        starts_on=date(2026, 11, 4),
        resets_at=datetime(2026, 12, 4, 12, tzinfo=UTC),
    )
    usage = of(CreditUsage, items)
    assert (usage.credits, usage.usd, usage.usd_rule) == (Decimal(790), Decimal(0), "list price")
    assert stub(search).searches == 1


def test_a_month_that_goes_on_grows_and_is_not_added(search: Asking) -> None:
    with new_store() as store:
        run_load(store, "brave", "search", search.load(), now=NOW)
        stub(search).used = 2_999
        search.time.sleep(7)
        run_load(store, "brave", "search", search.load(), now=search.time.at)

        # 3,000 searches at 5 USD a thousand, less 5 USD
        assert store.read("SELECT credits, usd FROM credit_usage").rows == [(Decimal(3000), Decimal(10))]
        assert store.read("SELECT count(*) FROM credit_quotas").rows == [(2,)]


def test_prices_of_ones_own_hold_before_the_list(search: Asking, tmp_path: Path) -> None:
    prices = tmp_path / "prices.yaml"
    prices.write_text("- {vendor: brave, plan: search, starts_on: 2026-01-01, usd_per_credit: 0.01}\n")

    usage = of(CreditUsage, search.load(plans=str(prices)))
    assert (usage.usd, usage.usd_rule) == (Decimal("7.9"), "list price")


def test_a_window_without_end_does_not_say_what_was_used(search: Asking) -> None:
    stub(search).limit = 0
    [item] = search.load()

    assert item == Ignored(item.location, "an unlimited window does not say how much of it was used")  # type: ignore[union-attr]


def test_a_burst_is_waited_for(search: Asking) -> None:
    stub(search).burst_left = 0

    assert of(CreditQuota, search.load()).used_credits == Decimal(790)
    assert search.time.pauses == [1]


def test_a_month_that_is_used_up_is_an_answer_too(search: Asking) -> None:
    stub(search).used = 15_000

    quota = of(CreditQuota, search.load())
    assert (quota.used_credits, quota.limit_credits) == (Decimal(15_000), Decimal(15_000))
    assert (stub(search).searches, search.time.pauses) == (0, [])


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({}, "the answer has no header X-RateLimit-Limit"),
        (
            {
                "X-RateLimit-Limit": "50, 15000",
                "X-RateLimit-Policy": "50;w=1",
                "X-RateLimit-Remaining": "49",
                "X-RateLimit-Reset": "1",
            },
            "must have one part a window each",
        ),
        (
            {
                "X-RateLimit-Limit": "15000",
                "X-RateLimit-Policy": "15000;w=2592000",
                "X-RateLimit-Remaining": "15001",
                "X-RateLimit-Reset": "1036800",
            },
            "x-ratelimit-remaining is 15,001, more than the limit of 15,000",
        ),
        (
            {
                "X-RateLimit-Limit": "15000",
                "X-RateLimit-Policy": "15000;w=2592000",
                "X-RateLimit-Remaining": "14000",
                "X-RateLimit-Reset": "1036800000",
            },
            "x-ratelimit-reset is 1,036,800,000 s, more than the window",
        ),
    ],
)
def test_headers_that_cannot_be_right_are_rejected(search: Asking, headers: dict[str, str], reason: str) -> None:
    search.stub.script = [Reply(200, b"{}", headers)]
    [item] = search.load()

    assert isinstance(item, Rejected)
    assert reason in item.reason
