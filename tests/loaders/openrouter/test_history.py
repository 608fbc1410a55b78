"""Days that the activity does not have any more are read from the analytics, each from one of the two."""

import json
from datetime import date, timedelta
from decimal import Decimal

import pytest

from loaders import openrouter
from loaders.item import LoadError, Rejected
from loaders.job import run_load
from loaders.loader import Task
from loaders.web import Clock
from store import Charge, ReportedUsage
from tests.loaders.http_stub import NOW, Reply
from tests.loaders.openrouter.conftest import Load
from tests.loaders.openrouter.stub import MANAGEMENT_KEY, OpenRouter, analysed, data, used
from tests.loaders.openrouter.test_account import records, wholes
from tests.stores import new_store


def asked_for(provider: OpenRouter) -> list[tuple[str, str]]:
    questions = [json.loads(asked.body)["time_range"] for asked in provider.asked if asked.method == "POST"]
    return [(question["start"][:10], question["end"][:10]) for question in questions]


def test_what_is_older_than_thirty_days_is_from_the_analytics(provider: OpenRouter, load: Load) -> None:
    provider.history = [analysed("2026-09-30", 0.5), analysed("2026-10-22", 1.5), analysed("2026-10-23", 99)]
    provider.activity = [used("2026-10-23", 2), used("2026-11-21", 3)]

    items = load(reports="activity", since="2026-10-01")

    charges = records(items, Charge)
    assert [(str(charge.starts_on), charge.amount_usd) for charge in charges] == [
        ("2026-10-22", Decimal("1.5")),
        ("2026-10-23", 2),
        ("2026-11-21", 3),
    ]
    assert asked_for(provider) == [("2026-10-01", "2026-10-23")]
    assert json.loads(provider.asked[0].body)["metrics"] == [
        "request_count",
        "tokens_prompt",
        "tokens_completion",
        "cached_tokens",
        "credits_usage",
        "byok_usage",
    ]
    counted = records(items, ReportedUsage)[0]
    assert (counted.requests, counted.uncached_input_tokens, counted.cache_read_tokens) == (17, 50_000, 150_000)
    assert (counted.output_tokens, counted.usd) == (21_000, Decimal("1.5"))


def test_an_answer_that_was_cut_is_asked_for_in_shorter_times(provider: OpenRouter, load: Load) -> None:
    first = date(2026, 10, 1)
    provider.history = [analysed(str(first + timedelta(days=number)), f"0.{number:02}") for number in range(22)]
    provider.most_rows = 8

    charges = records(load(reports="activity", since="2026-10-01"), Charge)

    assert [charge.amount_usd * 100 for charge in charges] == list(range(22))
    assert len(asked_for(provider)) == 7


def test_a_day_that_is_too_long_for_an_answer_ends_the_load(provider: OpenRouter, load: Load) -> None:
    provider.history = [analysed("2026-10-02", 1), analysed("2026-10-02", 2, model="x/y")]
    provider.most_rows = 1

    with pytest.raises(LoadError, match="the analytics of 2026-10-02 have over 10,000 rows, and cannot be read whole"):
        load(reports="activity", since="2026-10-02")


def test_without_since_a_first_load_begins_where_the_activity_does(provider: OpenRouter, load: Load) -> None:
    load(reports="activity")

    assert asked_for(provider) == []


def test_a_pause_of_months_is_made_up_for(provider: OpenRouter, clock: Clock) -> None:
    """A day that was read from the activity is replaced by what the analytics have of it, and not added to."""
    provider.activity, before = [used("2026-09-02", 5)], NOW - timedelta(days=80)
    with new_store() as store:
        for now in (before, NOW):
            cursor = store.last_cursor("openrouter", "acme")
            options = {"url": f"{provider.url}/api/v1", "reports": "activity"}
            task = Task("acme", now, options, cursor, MANAGEMENT_KEY)
            run_load(store, "openrouter", "acme", openrouter.read(task, clock), now=now)
            provider.activity, provider.history = [], [analysed("2026-09-02", 4), analysed("2026-10-05", 7)]
        rows = store.read("SELECT starts_on, amount_usd FROM charges ORDER BY 1").rows
        counted = store.read("SELECT count(*) FROM reported_usage").rows
    assert rows == [(date(2026, 9, 2), Decimal(4)), (date(2026, 10, 5), Decimal(7))]
    assert counted == [(2,)]
    assert asked_for(provider)[0] == ("2026-08-31", "2026-10-01")


def test_a_row_of_no_day_leaves_no_day_whole(provider: OpenRouter, load: Load) -> None:
    provider.history = [analysed("2026-10-02", 1)]
    provider.script = [data({"data": [analysed("2026-10-02", 1), {"model": "x"}], "metadata": {"truncated": False}})]

    items = load(reports="activity", since="2026-10-02")

    [rejected] = [item for item in items if isinstance(item, Rejected)]
    assert rejected.reason == "date__day must be a day like 2026-02-28, got empty"
    assert str(rejected.location) == "openrouter acme, analytics from 2026-10-02:2"
    assert wholes(items) == []


@pytest.mark.parametrize("said", [{"data": []}, {"metadata": {}}, {"data": {}, "metadata": {}}])
def test_what_is_no_analytics_ends_the_load(provider: OpenRouter, load: Load, said: object) -> None:
    provider.script = [data(said)]

    with pytest.raises(LoadError, match="the answer is no analytics"):
        load(reports="activity", since="2026-10-02")


def test_the_time_may_have_its_other_name(provider: OpenRouter, load: Load) -> None:
    row = analysed("", 1)
    del row["date__day"]
    provider.script = [data({"data": [row | {"created_at__day": "2026-10-02T00:00:00Z"}], "metadata": {}})]

    [charge] = records(load(reports="activity", since="2026-10-02"), Charge)
    assert (charge.starts_on, charge.description) == (
        date(2026, 10, 2),
        "anthropic/claude-haiku-4.5, from the analytics",
    )


def test_a_question_that_takes_too_long_is_asked_again(provider: OpenRouter, load: Load) -> None:
    provider.history, provider.script = [analysed("2026-10-02", 1)], [Reply(408, b"{}")]

    assert len(records(load(reports="activity", since="2026-10-02"), Charge)) == 1
