"""What OpenAI's reports say of an organisation, and what happens where it refuses."""

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

import pytest

from loaders import openai
from loaders.item import Item, LoadError, Note, Parsed, Rejected, WholePart
from loaders.job import run_load
from loaders.loader import Task
from loaders.web import Clock
from store import Charge, ReportedUsage
from tests.loaders.http_stub import NOW, Reply, Time
from tests.loaders.openai.conftest import Load
from tests.loaders.openai.stub import KEY, OpenAI, cost, embedded, refused, use
from tests.stores import new_store

_Kind = TypeVar("_Kind", Charge, ReportedUsage)


def records(items: list[Item | Note], kind: type[_Kind]) -> list[_Kind]:
    return [record for item in items if isinstance(item, Parsed) for record in item.records if isinstance(record, kind)]


def test_costs_are_dollars_by_line_and_project(provider: OpenAI, load: Load) -> None:
    provider.costs = {
        "2026-11-19": [
            cost(0.035, "gpt-5.2, input"),
            cost("0.031500000000000000001", "gpt-5.2, cached input"),
            cost(0.084, "gpt-5.2, output"),
            cost(0.02, "Web search tool calls", project_id=None),
            cost(-1.5, "Credit for July"),
            cost(1e-7, None),
        ]
    }

    charges = records(load(), Charge)

    assert [(charge.amount_usd, charge.model, charge.line_item) for charge in charges] == [
        (Decimal("0.035"), "gpt-5.2", "uncached_input"),
        (Decimal("0.0315"), "gpt-5.2", "cache_read"),
        (Decimal("0.084"), "gpt-5.2", "output"),
        (Decimal("0.02"), None, "fee"),
        (Decimal("-1.5"), None, "credit"),
        (Decimal("0.0000001"), None, None),
    ]
    assert [charge.description for charge in charges[3:]] == [
        "Web search tool calls (no project)",
        "Credit for July (proj_example)",
        "without a description (proj_example)",
    ]
    assert {(charge.vendor, charge.starts_on, charge.ends_on, charge.part) for charge in charges} == {
        ("openai", date(2026, 11, 19), date(2026, 11, 20), "acme | costs | 2026-11-19")
    }


def test_input_contains_what_was_cached(provider: OpenAI, load: Load) -> None:
    rows = [use(200_000, 180_000, 6_000), use(1_000, 600, 10, input_cache_write_tokens=300, api_key_id="key_2")]
    provider.usage = {"completions": {"2026-11-19": rows}, "embeddings": {"2026-11-20": [embedded(5_000)]}}

    one, two, three = records(load(), ReportedUsage)

    assert (one.requests, one.uncached_input_tokens, one.cache_read_tokens, one.output_tokens) == (
        3,
        20_000,
        180_000,
        6_000,
    )
    assert (one.member, one.model) == ("project proj_example, key key_example", "gpt-5.2-2025-12-11")
    assert (two.uncached_input_tokens, two.cache_read_tokens, two.cache_write_5m_tokens) == (100, 600, 300)
    assert (three.requests, three.uncached_input_tokens, three.output_tokens) == (7, 5_000, 0)
    assert (three.starts_at, three.member) == (datetime(2026, 11, 20, tzinfo=UTC), "no project, no key")


def test_the_reports_are_asked_for_whole_days_by_the_names_they_are_read_by(provider: OpenAI, load: Load) -> None:
    load()

    assert [asked.path for asked in provider.asked] == [
        (
            "/v1/organization/costs?start_time=1795046400&end_time=1795305600&bucket_width=1d&limit=180"
            "&group_by%5B%5D=line_item&group_by%5B%5D=project_id"
        ),
        (
            "/v1/organization/usage/completions?start_time=1795046400&end_time=1795305600&bucket_width=1d&limit=31"
            "&group_by%5B%5D=model&group_by%5B%5D=project_id&group_by%5B%5D=api_key_id"
        ),
        (
            "/v1/organization/usage/embeddings?start_time=1795046400&end_time=1795305600&bucket_width=1d&limit=31"
            "&group_by%5B%5D=model&group_by%5B%5D=project_id&group_by%5B%5D=api_key_id"
        ),
    ]


def test_days_come_on_pages_and_none_is_missed(provider: OpenAI, load: Load) -> None:
    days = [str(date(2026, 11, 1) + timedelta(days=number)) for number in range(21)]
    provider.costs = {day: [cost(number)] for number, day in enumerate(days)}
    provider.days_on_a_page = 5

    charges = records(load(since="2026-11-01", reports="costs"), Charge)

    assert [(str(charge.starts_on), charge.amount_usd) for charge in charges] == list(
        zip(days, map(Decimal, range(21)), strict=True)
    )
    assert len(provider.asked) == 5


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (cost(1, amount={"value": 1, "currency": "eur"}), "amount.currency must be usd, got 'eur'"),
        (cost(None), "amount.value must be a plain amount in USD like 1234.50, got empty"),
        (cost(1, amount=None), "amount.currency must be text, got empty"),
        (cost(1, amount=1), "amount must be an object like {'currency': ...}, got 1"),
        ("x", "must be an object, got 'x'"),
    ],
)  # fmt: skip
def test_a_line_that_cannot_be_read_is_rejected_and_its_day_is_not_whole(
    provider: OpenAI, load: Load, row: Any, reason: str
) -> None:
    provider.costs = {"2026-11-19": [cost(1), row]}

    items = load(reports="costs")

    [rejected] = [item for item in items if isinstance(item, Rejected)]
    assert rejected.reason.startswith(reason)
    assert str(rejected.location) == "openai acme, costs of 2026-11-19:2"
    assert [item.part[-10:] for item in items if isinstance(item, WholePart)] == ["2026-11-20", "2026-11-21"]


def test_more_cached_than_there_was_input_is_rejected(provider: OpenAI, load: Load) -> None:
    provider.usage = {"completions": {"2026-11-19": [use(100, 101, 1)]}}

    [rejected] = [item for item in load() if isinstance(item, Rejected)]
    assert rejected.reason == (
        "input_tokens must contain what was cached, got 100 with 101 read from a cache and 0 written to one"
    )


def test_a_restated_day_replaces_itself(provider: OpenAI, clock: Clock) -> None:
    provider.costs = {"2026-11-19": [cost(1), cost(2, "gpt-5.2, input")], "2026-11-20": [cost(4)]}
    with new_store() as store:

        def run() -> tuple[int, ...]:
            cursor = store.last_cursor("openai", "acme")
            task = Task("acme", NOW, {"url": provider.url, "since": "2026-11-19"}, cursor, KEY)
            report = run_load(store, "openai", "acme", openai.read(task, clock), now=NOW)
            return report.stored, report.unchanged, report.removed

        assert (run(), run()) == ((3, 0, 0), (0, 3, 0))
        provider.costs["2026-11-19"] = [cost(1.5)]
        assert run() == (1, 1, 1)
        rows = store.read("SELECT provider, starts_on, billed_usd, bills FROM reconciliation_days ORDER BY 2").rows
    assert rows == [
        ("openai", date(2026, 11, 19), Decimal("1.5"), 1),
        ("openai", date(2026, 11, 20), Decimal(4), 1),
    ]


def test_a_day_that_comes_late_is_there_with_the_next_load(provider: OpenAI, load: Load) -> None:
    provider.costs = {"2026-11-20": [cost(1)]}
    assert [charge.starts_on.day for charge in records(load(reports="costs"), Charge)] == [20]

    provider.costs["2026-11-21"] = [cost(2)]
    assert [charge.starts_on.day for charge in records(load(reports="costs"), Charge)] == [20, 21]


@pytest.mark.parametrize(
    ("reply", "pauses"),
    [
        (refused(429, "Rate limit", Retry_After="7", retry_after_ms="6500"), [6.5]),
        (refused(429, "Rate limit", Retry_After="7"), [7]),
        (refused(409, "Conflict"), [1]),
        (refused(503, "Overloaded"), [1]),
        (Reply(200, b'{"error": {"message": "No"}}'), [1]),
        (Reply(200, json.dumps({"data": [], "has_more": True, "next_page": None}).encode()), [1]),
    ],
    ids=["429 in ms", "429", "409", "503", "200 with an error", "more and not where"],
)
def test_what_passes_is_waited_for(provider: OpenAI, load: Load, time: Time, reply: Reply, pauses: list[float]) -> None:
    provider.costs = {"2026-11-19": [cost(1)]}
    provider.script = [reply]

    assert len(records(load(reports="costs"), Charge)) == 1
    assert time.pauses == pauses


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (refused(401, "Incorrect API key"), "the key is not accepted: it is wrong, has expired or was revoked. Make"),
        (refused(403, "No"), "the key may not read the costs; it takes an Admin key (sk-admin-...), which an owner"),
        (refused(400, "group_by"), "the costs cannot be read (400: 'group_by')"),
    ],
    ids=["401", "403", "400"],
)
def test_a_refusal_says_what_to_do_and_is_not_tried_again(
    provider: OpenAI, load: Load, reply: Reply, said: str
) -> None:
    provider.script = [reply]

    with pytest.raises(LoadError) as caught:
        load()
    assert str(caught.value).startswith(f"openai acme: {said}")
    assert len(provider.asked) == 1


def test_a_page_that_leads_to_itself_ends_the_load(provider: OpenAI, load: Load) -> None:
    provider.script = [Reply(200, json.dumps({"data": [], "has_more": True, "next_page": "x"}).encode())] * 2

    with pytest.raises(LoadError, match="openai acme, the costs: page 2 leads back to one that was read"):
        load()


@pytest.mark.parametrize("token", ["sk-proj-secretSECRETsecret", "sk-svcacct-secretSECRETsecret", None])
def test_a_key_for_calling_models_is_refused_before_anything_is_asked(provider: OpenAI, token: str | None) -> None:
    with pytest.raises(LoadError, match=r"give an Admin key \(sk-admin-...\)") as caught:
        openai.read(Task("acme", NOW, {"url": provider.url}, None, token))
    assert token is None or token not in str(caught.value)
    assert provider.asked == []


@pytest.mark.parametrize("value", [447.5, 0.0447])
def test_amounts_that_are_a_hundred_times_off_are_refused(provider: OpenAI, load: Load, value: float) -> None:
    """A million of uncached input and 200,000 of output are worth 1.75 and 2.80 dollars."""
    provider.costs = {"2026-11-19": [cost(value), cost(-1, "Credit"), cost(3, "Web search tool calls")]}
    provider.usage = {"completions": {"2026-11-19": [use(1_000_000, 0, 200_000)]}}

    with pytest.raises(LoadError, match=r"worth \$4\.55 at list price\. That is (98|102) times (more|less): "):
        load()
    assert load(amounts="unchecked")
