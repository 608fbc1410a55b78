"""What xAI charges by day, in dollars; its credits and its invoice, in cents with the sign of a ledger."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from loaders import responses
from loaders.item import Ignored, Item, LoadError, Note, Parsed, Rejected, WholePart
from loaders.job import run_load
from loaders.xai.ledger import NO_CREDITS, SPENT
from loaders.xai.usage import CUT
from store import Charge, CreditQuota, Request
from tests.loaders.http_stub import NOW
from tests.loaders.scripted import said
from tests.loaders.services import Asking, asking
from tests.loaders.xai.stub import TEAM, Xai, days_of
from tests.stores import new_store


@pytest.fixture
def team() -> Iterator[Asking]:
    with asking("xai") as found:
        yield found


def stub(team: Asking) -> Xai:
    assert isinstance(team.stub, Xai)
    return team.stub


def charges(items: list[Item | Note], category: str = "inference") -> list[Charge]:
    records = [record for item in items if isinstance(item, Parsed) for record in item.records]
    return [record for record in records if isinstance(record, Charge) and record.category == category]


def quotas(items: list[Item | Note]) -> dict[str, CreditQuota]:
    records = [record for item in items if isinstance(item, Parsed) for record in item.records]
    return {record.plan.partition(" ")[0]: record for record in records if isinstance(record, CreditQuota)}


def reasons(items: list[Item | Note]) -> list[str]:
    return [item.reason for item in items if isinstance(item, Rejected)]


def asked_days(team: Asking) -> list[tuple[str, str]]:
    ranges = [json.loads(asked.body)["analyticsRequest"]["timeRange"] for asked in team.stub.asked if asked.body]
    return [(each["startTime"][:10], each["endTime"][:10]) for each in ranges]


def test_each_day_and_kind_of_use_is_a_charge_in_dollars(team: Asking) -> None:
    items = team.load()

    assert [(charge.starts_on, charge.ends_on, charge.amount_usd) for charge in charges(items)] == [
        (date(2026, 11, 19), date(2026, 11, 20), Decimal("0.0165")),
        (date(2026, 11, 20), date(2026, 11, 21), Decimal("0.75973725")),
    ]
    [first, _] = charges(items)
    assert (first.vendor, first.description, first.part) == ("xai", "Chat grok-4", f"{TEAM} | 2026-11-19")


def test_the_day_that_is_not_over_has_no_bill_yet(team: Asking) -> None:
    stub(team).days = days_of("2026-11-21", [1, 2])
    items = team.load(since="2026-11-20")

    assert asked_days(team) == [("2026-11-20", "2026-11-22")]
    assert [charge.starts_on for charge in charges(items)] == [date(2026, 11, 21)]


def test_a_day_that_has_just_ended_is_counted_for_a_while(team: Asking) -> None:
    team.time.at = NOW.replace(hour=2)
    team.load(since="2026-11-20")

    assert asked_days(team) == [("2026-11-20", "2026-11-21")]


def test_a_restated_day_replaces_itself(team: Asking) -> None:
    stub(team).days = {"2026-11-20": {"Chat grok-4": 1.0, "Search": 0.5}, "2026-11-21": {"Chat grok-4": 2}}
    with new_store() as store:
        run_load(store, "xai", TEAM, team.load(), now=NOW)
        stub(team).days = {"2026-11-20": {"Chat grok-4": 1.25}, "2026-11-21": {"Chat grok-4": 2}}
        team.time.at += timedelta(days=1)
        report = run_load(store, "xai", TEAM, team.load(), now=team.time.at)
        rows = store.read(
            "SELECT starts_on::VARCHAR, amount_usd FROM charges WHERE category = 'inference' ORDER BY ALL"
        ).rows

    assert rows == [("2026-11-20", Decimal("1.25")), ("2026-11-21", Decimal(2))]
    assert report.removed == 1
    assert asked_days(team)[-1] == ("2026-11-19", "2026-11-23")


def test_an_answer_that_was_cut_off_is_asked_for_in_shorter_times(team: Asking) -> None:
    stub(team).days, stub(team).most_points = days_of("2026-11-14", [1, 2, 3, 4, 5, 6, 7, 8]), 2
    items = team.load(since="2026-11-14")

    assert [charge.amount_usd for charge in charges(items)] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert reasons(items) == []
    assert len([item for item in items if isinstance(item, WholePart)]) == 8 + 1  # and the prepaid credits


def test_a_single_day_that_is_cut_off_is_stored_not_even_in_part(team: Asking) -> None:
    stub(team).days = {"2026-11-20": {"a": 1, "b": 2}, "2026-11-21": {"a": 3}}
    stub(team).most_points = 1
    items = team.load(since="2026-11-20")

    assert reasons(items) == [CUT]
    assert [charge.amount_usd for charge in charges(items)] == [3]
    assert WholePart(f"{TEAM} | 2026-11-20") not in items


@pytest.mark.parametrize(
    ("point", "reason"),
    [
        ({"timestamp": "2026-11-19T00:00:00Z", "values": ["many"]}, "values[0] must be a plain amount in USD"),
        ({"timestamp": "2026-11-19T00:00:00Z", "values": [1, 2]}, "values must be a list with the one value"),
        ({"timestamp": "2026-11-19T00:00:00Z", "values": [165000000]}, "no amount of money but of another unit"),
        ({"timestamp": "2026-11-19T07:00:00Z", "values": [1]}, "is no day from 2026-11-18 up to 2026-11-22"),
        ({"timestamp": "2026-10-19T00:00:00Z", "values": [1]}, "is no day from 2026-11-18 up to 2026-11-22"),
        ({"timestamp": 1795046400, "values": [1]}, "timestamp must be an instant like"),
        ("x", "a data point must be like"),
    ],
)
def test_a_data_point_that_cannot_be_right_keeps_its_day_from_being_whole(
    team: Asking, point: object, reason: str
) -> None:
    good = {"timestamp": "2026-11-20T00:00:00Z", "values": [1]}
    series = [{"group": ["Chat grok-4"], "dataPoints": [point, good]}]
    team.stub.script = [said(200, {"timeSeries": series, "limitReached": False})]
    items = team.load(since="2026-11-18")

    [told] = reasons(items)
    assert reason in told
    assert len(charges(items)) == 1
    assert WholePart(f"{TEAM} | 2026-11-19") not in items


@pytest.mark.parametrize("group", [None, [], ["a", "b"], "a"])
def test_a_series_of_nobody_knows_what_is_rejected_and_no_day_is_whole(team: Asking, group: object) -> None:
    series = [{"group": group, "dataPoints": []}]
    team.stub.script = [said(200, {"timeSeries": series, "limitReached": False})]
    items = team.load()

    assert reasons(items)[0].startswith("group must be ")
    assert [item.part for item in items if isinstance(item, WholePart)] == [f"{TEAM} | prepaid"]


def test_two_values_of_one_day_and_kind_are_not_chosen_from(team: Asking) -> None:
    point = {"timestamp": "2026-11-19T00:00:00Z", "values": [1]}
    series = [{"group": ["a"], "dataPoints": [point, point]}]
    team.stub.script = [said(200, {"timeSeries": series, "limitReached": False})]

    assert reasons(team.load()) == ["'a' has two values for 2026-11-19, and which is right cannot be told"]


def test_a_negative_balance_is_credit_that_is_left(team: Asking) -> None:
    items = team.load()

    [bought] = charges(items, "credits")
    assert (bought.amount_usd, bought.credits, bought.starts_on) == (Decimal(10), Decimal(10), date(2026, 10, 1))
    prepaid = quotas(items)["prepaid"]
    assert (prepaid.used_credits, prepaid.limit_credits) == (Decimal("2.01"), Decimal(10))
    assert [item.rule for item in items if isinstance(item, Ignored)] == [SPENT]


def test_changes_that_do_not_make_the_total_give_no_state_of_the_credits(team: Asking) -> None:
    stub(team).balance["total"] = {"val": "-999"}
    items = team.load()

    assert reasons(items) == ["the changes make -7.99 USD, and total says -9.99: some are not listed"]
    assert "prepaid" not in quotas(items)
    assert len(charges(items, "credits")) == 1
    assert WholePart(f"{TEAM} | prepaid") not in items


def test_two_purchases_that_are_alike_are_two(team: Asking) -> None:
    stub(team).balance["changes"] *= 2
    stub(team).balance["total"] = {"val": "-1598"}

    assert len({charge.charge_id for charge in charges(team.load(), "credits")}) == 2


def test_credits_that_were_a_gift_were_not_paid_for(team: Asking) -> None:
    stub(team).balance["changes"][0]["changeOrigin"] = "PROMOTION"
    items = team.load()

    assert charges(items, "credits") == []
    assert quotas(items)["prepaid"].limit_credits == Decimal(10)


def test_a_team_without_credits_has_no_state_of_them(team: Asking) -> None:
    stub(team).balance = {"changes": [], "total": {"val": "0"}}

    assert [item.rule for item in team.load() if isinstance(item, Ignored)] == [NO_CREDITS]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ("x", "changes must be a list"),
        ([{"amount": {"val": "x"}}], "amount.val must be a plain amount"),
        ([{"amount": {"val": "-5"}, "changeOrigin": "PURCHASE"}], "createTime must be an instant"),
        ([7], "amount.val must be a plain amount"),
    ],
)
def test_a_balance_that_cannot_be_read_is_rejected_and_costs_no_other(
    team: Asking, changes: object, reason: str
) -> None:
    stub(team).balance["changes"] = changes
    items = team.load()

    assert reasons(items)[0].startswith(reason)
    assert len(charges(items)) == 2


def test_the_invoice_so_far_is_the_state_of_the_spending_limit_and_no_charge(team: Asking) -> None:
    items = team.load()

    invoice = quotas(items)["invoice"]
    assert (invoice.used_credits, invoice.limit_credits) == (Decimal("12.50"), Decimal(200))
    assert (invoice.starts_on, invoice.resets_at) == (date(2026, 11, 1), datetime(2026, 12, 1, tzinfo=UTC))
    assert len(charges(items)) == 2


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"billingCycle": {"year": 2026, "month": 13}}, "billingCycle must be a month like"),
        ({"billingCycle": None}, "billingCycle must be an object"),
        ({"coreInvoice": {}}, "totalWithCorr.val must be a plain amount"),
    ],
)
def test_an_invoice_that_cannot_be_read_is_rejected(team: Asking, changes: dict[str, Any], reason: str) -> None:
    stub(team).preview |= changes

    assert reasons(team.load())[0].startswith(reason)


def test_cents_where_dollars_were_store_nothing(team: Asking) -> None:
    stub(team).days = days_of("2026-11-19", [420.0, 790])
    with pytest.raises(LoadError, match=r"2 days of 2026-11 used \$1210.00, and the invoice of the month is at \$12"):
        team.load()

    assert len(charges(team.load(amounts="unchecked"))) == 2


def test_the_ticks_beside_an_answer_are_what_was_billed_and_its_reasoning_is_output(tmp_path: Path) -> None:
    """4,000 of 5,000 from the cache: 1,000 x 3 + 4,000 x 0.75 + 700 x 15 USD per million."""
    usage = {
        "prompt_tokens": 5000,
        "completion_tokens": 300,
        "total_tokens": 5700,
        "prompt_tokens_details": {"text_tokens": 5000, "audio_tokens": 0, "image_tokens": 0, "cached_tokens": 4000},
        "completion_tokens_details": {"reasoning_tokens": 400, "audio_tokens": 0},
        "num_sources_used": 0,
        "cost_in_usd_ticks": 165000000,
    }
    answer = {"id": "d1f3", "model": "grok-4", "usage": usage}
    line = {"provider": "xai", "at": "2026-11-19T09:00:00Z", "response": answer}
    path = tmp_path / "answers.jsonl"
    path.write_text(json.dumps(line) + "\n")

    [item] = responses.read(path, now=NOW)
    assert isinstance(item, Parsed)
    [call] = item.records
    assert isinstance(call, Request)
    assert (call.billed_usd, call.output_tokens, call.cache_read_tokens) == (Decimal("0.0165"), 700, 4000)


@pytest.mark.parametrize("location", ["", "team/../other", "a team"])
def test_a_team_that_cannot_be_one_is_told_at_once(team: Asking, location: str) -> None:
    task = team.task()
    with pytest.raises(LoadError, match="the location is the id of a team at xAI"):
        team.kind.read(type(task)(location, NOW, task.options), None)
