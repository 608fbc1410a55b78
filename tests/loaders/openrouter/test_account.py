"""What OpenRouter charged an account for each day, its credits, and the two kinds of keys."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, TypeVar

import pytest

from loaders import openrouter
from loaders.item import Ignored, Item, LoadError, Note, Parsed, Reached, Rejected, WholePart
from loaders.job import run_load
from loaders.loader import Task
from loaders.web import Clock
from store import Charge, CreditQuota, ReportedUsage
from tests.loaders.http_stub import NOW, Reply, Time
from tests.loaders.openrouter.conftest import Load
from tests.loaders.openrouter.stub import (
    INFERENCE_KEY,
    MANAGEMENT_KEY,
    OpenRouter,
    own_key,
    refused,
    used,
)
from tests.stores import new_store

_Kind = TypeVar("_Kind", Charge, ReportedUsage, CreditQuota)


def records(items: list[Item | Note], kind: type[_Kind]) -> list[_Kind]:
    return [record for item in items if isinstance(item, Parsed) for record in item.records if isinstance(record, kind)]


def wholes(items: list[Item | Note]) -> list[str]:
    return [item.part for item in items if isinstance(item, WholePart)]


def test_a_day_of_a_model_is_a_charge_and_what_was_counted(provider: OpenRouter, load: Load) -> None:
    provider.activity = [used("2026-11-19", 0.0043)]

    items = load(reports="activity")
    [charge], [usage] = records(items, Charge), records(items, ReportedUsage)

    assert (charge.amount_usd, charge.billed_usd, charge.vendor) == (Decimal("0.0043"), Decimal("0.0043"), "openrouter")
    assert (charge.starts_on, charge.model, charge.line_item) == (
        date(2026, 11, 19),
        "anthropic/claude-haiku-4.5",
        "tokens",
    )
    assert charge.description == "anthropic/claude-haiku-4.5 at Amazon Bedrock"
    assert (usage.reporter, usage.provider, usage.requests, usage.usd) == (
        "provider",
        "openrouter",
        1,
        charge.amount_usd,
    )
    assert (usage.uncached_input_tokens, usage.cache_read_tokens, usage.output_tokens) == (500, 12_000, 500)
    assert (usage.cache_write_5m_tokens, usage.cache_write_1h_tokens) == (None, None)


def test_with_a_key_of_ones_own_the_fee_alone_is_charged(provider: OpenRouter, load: Load) -> None:
    provider.activity = [own_key("2026-11-19", 0.007525, 0.1505)]

    items = load(reports="activity")
    [charge], [usage] = records(items, Charge), records(items, ReportedUsage)

    assert (charge.amount_usd, charge.line_item) == (Decimal("0.007525"), "fee")
    assert charge.description == "openai/gpt-5.2 at OpenAI: fee for the use of a key of one's own"
    assert usage.usd == Decimal("0.158025")
    assert (usage.uncached_input_tokens, usage.cache_read_tokens) == (None, None), "it does not say what was cached"


def test_what_is_given_back_is_a_credit(provider: OpenRouter, load: Load) -> None:
    provider.activity = [used("2026-11-19", -0.5)]

    [charge] = records(load(reports="activity"), Charge)

    assert (charge.amount_usd, charge.line_item) == (Decimal("-0.5"), "credit")


def test_more_read_from_a_cache_than_there_was_prompt_is_a_replay(provider: OpenRouter, load: Load) -> None:
    provider.activity = [used("2026-11-19", 0, cached_tokens=13_000)]

    [usage] = records(load(reports="activity"), ReportedUsage)

    assert (usage.uncached_input_tokens, usage.cache_read_tokens) == (0, 13_000)


def test_a_date_may_be_the_beginning_of_a_time(provider: OpenRouter, load: Load) -> None:
    provider.activity = [used("2026-11-19 00:00:00", 1)]

    assert [charge.starts_on for charge in records(load(reports="activity"), Charge)] == [date(2026, 11, 19)]


def test_today_is_left_out_and_a_day_between_two_others_is_whole_without_a_row(
    provider: OpenRouter, load: Load
) -> None:
    provider.activity = [used("2026-11-22", 1), used("2026-11-21", 2), used("2026-11-19", 3)]

    items = load(reports="activity")

    assert [charge.amount_usd for charge in records(items, Charge)] == [3, 2]
    assert [item.rule for item in items if isinstance(item, Ignored)] == ["a day that was not asked for"]
    assert wholes(items) == [
        "acme | activity | 2026-11-19",
        "acme | activity | 2026-11-20",
        "acme | activity | 2026-11-21",
    ]


def test_a_later_load_takes_the_last_three_days_again(provider: OpenRouter, load: Load) -> None:
    provider.activity = [used(f"2026-11-{day:02}", day) for day in range(1, 22)]

    assert len(records(load(reports="activity"), Charge)) == 21
    assert [charge.amount_usd for charge in records(load(reports="activity"), Charge)] == [19, 20, 21]


def test_a_restated_day_replaces_itself_and_no_other(provider: OpenRouter, clock: Clock) -> None:
    provider.activity = [used("2026-11-19", 1), used("2026-11-19", 2, endpoint_id="other"), used("2026-11-20", 4)]
    with new_store() as store:

        def run() -> tuple[int, ...]:
            cursor = store.last_cursor("openrouter", "acme")
            options = {"url": f"{provider.url}/api/v1", "reports": "activity"}
            task = Task("acme", NOW, options, cursor, MANAGEMENT_KEY)
            report = run_load(store, "openrouter", "acme", openrouter.read(task, clock), now=NOW)
            return report.stored, report.unchanged, report.removed

        assert (run(), run()) == ((3, 0, 0), (0, 3, 0))
        provider.activity = [used("2026-11-19", 1.25), used("2026-11-20", 4)]
        assert run() == (1, 1, 2), "a charge and a count are gone"
        rows = store.read("SELECT provider, starts_on, billed_usd, bills FROM reconciliation_days ORDER BY 2").rows
    assert rows == [
        ("openrouter", date(2026, 11, 19), Decimal("1.25"), 1),
        ("openrouter", date(2026, 11, 20), Decimal(4), 1),
    ]


@pytest.mark.parametrize(
    ("row", "reason", "is_day_known"),
    [
        (used("2026-11-20", "much"), "usage must be a plain amount in USD", True),
        (used("2026-11-20", None), "usage must be a plain amount in USD", True),
        (used("2026-11-20", 1, requests=None), "requests must be a whole number", True),
        (used("soon", 1), "date must be a day like 2026-02-28", False),
        ([], "must be an object, got []", False),
    ],
)
def test_a_row_that_cannot_be_read_is_rejected_and_its_day_is_not_whole(
    provider: OpenRouter, load: Load, row: Any, reason: str, is_day_known: bool
) -> None:
    provider.activity = [used("2026-11-19", 1), row, used("2026-11-20", 3, endpoint_id="other")]

    items = load(reports="activity")

    [rejected] = [item for item in items if isinstance(item, Rejected)]
    assert rejected.reason.startswith(reason)
    assert [charge.amount_usd for charge in records(items, Charge)] == [1, 3]
    assert wholes(items) == (["acme | activity | 2026-11-19"] if is_day_known else [])


def test_the_credits_are_a_quota(provider: OpenRouter, load: Load) -> None:
    [quota] = records(load(reports="credits"), CreditQuota)

    assert (quota.vendor, quota.plan, quota.observed_at) == ("openrouter", "credits of acme", NOW)
    assert (quota.used_credits, quota.limit_credits) == (Decimal("87.431905"), Decimal(250))


@pytest.mark.parametrize(
    ("reset", "starts_on", "resets_at"),
    [
        ("daily", date(2026, 11, 22), datetime(2026, 11, 23, tzinfo=UTC)),
        ("weekly", date(2026, 11, 16), datetime(2026, 11, 23, tzinfo=UTC)),
        ("monthly", date(2026, 11, 1), datetime(2026, 12, 1, tzinfo=UTC)),
        (None, None, None),
    ],
    ids=["daily", "weekly", "monthly", "never"],
)
def test_what_is_left_of_a_key_is_a_quota(
    provider: OpenRouter, load: Load, reset: str | None, starts_on: date | None, resets_at: datetime | None
) -> None:
    provider.key = {
        "label": "sk-or-v1-abc...xyz",
        "limit": 50,
        "limit_remaining": 41.2,
        "limit_reset": reset,
        "usage": 60,
    }

    [quota] = records(load(token=INFERENCE_KEY, reports="key"), CreditQuota)

    assert (quota.plan, quota.used_credits, quota.limit_credits) == ("key of acme", Decimal("8.8"), Decimal(50))
    assert (quota.starts_on, quota.resets_at) == (starts_on, resets_at)


def test_a_key_without_a_limit_has_no_end(provider: OpenRouter, load: Load) -> None:
    provider.key = {"limit": None, "limit_remaining": None, "limit_reset": None, "usage": 60}

    [quota] = records(load(token=INFERENCE_KEY, reports="key"), CreditQuota)

    assert (quota.used_credits, quota.limit_credits) == (Decimal(60), None)


MANAGED = "a management key, which is made under Settings, Management keys; a key for calling models may only read"


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (None, f"openrouter acme: the key may not read the activity; it takes {MANAGED}"),
        (refused(401, "User not found."), "openrouter acme: the key is not accepted: it is wrong, has expired or"),
        (refused(402, "No credits"), "openrouter acme: the account cannot be asked for the activity until it has been"),
        (refused(400, "Date out of range"), "openrouter acme: the activity cannot be read (400: 'Date out of range')"),
    ],
    ids=["inference key", "401", "402", "400"],
)
def test_a_refusal_says_what_to_do_and_is_not_tried_again(
    provider: OpenRouter, load: Load, reply: Reply | None, said: str
) -> None:
    provider.script = [reply] if reply else []

    with pytest.raises(LoadError) as caught:
        load(token=INFERENCE_KEY)
    assert str(caught.value).startswith(said)
    assert INFERENCE_KEY not in str(caught.value)
    assert len(provider.asked) == 1


def test_without_a_key_the_kind_that_is_needed_is_said() -> None:
    with pytest.raises(LoadError, match="openrouter acme: a key is needed: give a management key"):
        openrouter.read(Task("acme", NOW))
    with pytest.raises(LoadError, match="openrouter acme: a key is needed: give a key of the account"):
        openrouter.read(Task("acme", NOW, {"reports": "key"}))


@pytest.mark.parametrize(
    ("reply", "pauses"),
    [
        (refused(429, "Rate limit exceeded", Retry_After="30"), [30]),
        (refused(524, "Timeout"), [1]),
        (Reply(200, b'{"error": {"code": 500, "message": "No"}}'), [1]),
        (Reply(200, b'{"data": {}}'), [1]),
        (Reply(200, b'{"data": [{"usage": 0.1'), [1]),
    ],
    ids=["429", "524", "200 with an error", "no list", "cut"],
)
def test_what_passes_is_waited_for(
    provider: OpenRouter, load: Load, time: Time, reply: Reply, pauses: list[float]
) -> None:
    provider.activity = [used("2026-11-19", 1)]
    provider.script = [reply]

    assert len(records(load(), Charge)) == 1
    assert time.pauses == pauses


@pytest.mark.parametrize("usage", [112.5, 0.01125])
def test_amounts_that_are_a_hundred_times_off_are_refused(provider: OpenRouter, load: Load, usage: float) -> None:
    """A million of uncached input and 25,000 of output of Haiku are worth 1.125 dollars."""
    counted = {"prompt_tokens": 1_000_000, "cached_tokens": 0, "completion_tokens": 25_000}
    provider.activity = [used("2026-11-19", usage, **counted), own_key("2026-11-19", 5, 100)]

    with pytest.raises(LoadError, match=r"worth \$1\.1[23] at list price\. That is 100 times"):
        load()
    assert isinstance(load(amounts="unchecked")[-1], Reached)
