"""What Anthropic's reports say of an organisation, in dollars and in disjoint buckets, day by day."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

import pytest

from loaders import anthropic
from loaders.item import Ignored, Item, Note, Parsed, Rejected, WholePart
from loaders.job import run_load
from loaders.loader import Task
from loaders.web import Clock
from store import Charge, ReportedUsage, Store
from tests.loaders.anthropic.conftest import Load
from tests.loaders.anthropic.stub import KEY, Anthropic, coded, cost, search, use
from tests.loaders.http_stub import NOW
from tests.stores import new_store

_Kind = TypeVar("_Kind", Charge, ReportedUsage)

BILL = [
    cost("3.6", "uncached_input_tokens"),
    cost("15", "cache_creation.ephemeral_5m_input_tokens"),
    cost("10.5", "cache_read_input_tokens"),
    cost("13.5", "output_tokens"),
    search("2"),
]
TOKENS = use(12_000, 40_000, 0, 350_000, 9_000)


def records(items: list[Item | Note], kind: type[_Kind]) -> list[_Kind]:
    return [record for item in items if isinstance(item, Parsed) for record in item.records if isinstance(record, kind)]


def wholes(items: list[Item | Note]) -> list[str]:
    return [item.part for item in items if isinstance(item, WholePart)]


def test_cents_in_text_become_dollars(provider: Anthropic, load: Load) -> None:
    provider.costs = {"2026-11-19": BILL}

    charges = records(load(), Charge)

    assert [charge.amount_usd for charge in charges] == [
        Decimal("0.036"),
        Decimal("0.15"),
        Decimal("0.105"),
        Decimal("0.135"),
        Decimal("0.02"),
    ]
    assert sum(charge.billed_usd or 0 for charge in charges) == Decimal("0.446")
    assert {(charge.vendor, charge.category, charge.starts_on, charge.ends_on) for charge in charges} == {
        ("anthropic", "inference", date(2026, 11, 19), date(2026, 11, 20))
    }
    assert [(charge.model, charge.line_item) for charge in charges] == [
        ("claude-sonnet-4-6", "uncached_input"),
        ("claude-sonnet-4-6", "cache_write"),
        ("claude-sonnet-4-6", "cache_read"),
        ("claude-sonnet-4-6", "output"),
        (None, "fee"),
    ]
    assert charges[4].description == "Web Search Usage (default workspace)"


@pytest.mark.parametrize(
    ("amount", "usd"),
    [("42.6", "0.426"), (42.5, "0.425"), (42, "0.42"), ("-5", "-0.05"), ("0.000001", "0.00000001"), ("1e2", "1")],
)
def test_an_amount_is_cents_however_it_is_written(provider: Anthropic, load: Load, amount: object, usd: str) -> None:
    provider.costs = {"2026-11-19": [cost(amount)]}

    [charge] = records(load(), Charge)

    assert charge.amount_usd == Decimal(usd)


def test_tokens_are_counted_in_disjoint_buckets_by_model_workspace_and_key(provider: Anthropic, load: Load) -> None:
    rows = [
        use(12_000, 40_000, 700, 350_000, 9_000),
        use(1, 2, 3, 4, 5, api_key_id=None, workspace_id="wrkspc_01", service_tier="priority"),
    ]
    provider.usage = {"2026-11-19": rows}

    keyed, console = records(load(), ReportedUsage)

    assert (keyed.reporter, keyed.provider, keyed.model) == ("provider", "anthropic", "claude-sonnet-4-6")
    assert (keyed.starts_at, keyed.ends_at) == (
        datetime(2026, 11, 19, tzinfo=UTC),
        datetime(2026, 11, 20, tzinfo=UTC),
    )
    assert (
        keyed.uncached_input_tokens,
        keyed.cache_write_5m_tokens,
        keyed.cache_write_1h_tokens,
        keyed.cache_read_tokens,
        keyed.output_tokens,
    ) == (12_000, 40_000, 700, 350_000, 9_000)
    assert (keyed.requests, keyed.usd, keyed.is_lower_bound) == (None, None, False)
    assert keyed.member == "default workspace, key apikey_01Example"
    assert console.member == "workspace wrkspc_01, console, priority tier"


def test_claude_codes_own_count_is_a_lower_bound_with_an_estimate(provider: Anthropic, load: Load) -> None:
    person = {"type": "user_actor", "email_address": "jo@acme.example"}
    rows = [coded(42.6), coded(42.6, actor=person, customer_type="subscription", terminal_type=None)]
    provider.claude_code = {"2026-11-19": rows}

    items = load(reports="claude-code")
    key, user = records(items, ReportedUsage)

    assert (key.reporter, key.is_lower_bound, key.usd) == ("meter", True, Decimal("0.426"))
    assert (key.uncached_input_tokens, key.cache_read_tokens, key.cache_write_5m_tokens, key.output_tokens) == (
        12_000,
        350_000,
        40_000,
        9_000,
    )
    assert key.member == "Claude Code, key fleet-key, api, vscode"
    assert user.usd is None
    assert user.member is not None
    assert user.member.startswith("Claude Code, user ")
    assert "jo@acme.example" not in repr(items)
    assert [asked.path.partition("starting_at=")[2][:10] for asked in provider.asked] == [
        "2026-11-19",
        "2026-11-20",
        "2026-11-21",
    ]


def test_the_reports_are_asked_for_the_names_that_they_are_read_by(provider: Anthropic, load: Load) -> None:
    load()

    costs, usage = (asked.path for asked in provider.asked)
    assert costs == (
        "/v1/organizations/cost_report?starting_at=2026-11-19T00%3A00%3A00Z&ending_at=2026-11-22T00%3A00%3A00Z"
        "&bucket_width=1d&limit=31&group_by%5B%5D=workspace_id&group_by%5B%5D=description"
    )
    assert usage.startswith("/v1/organizations/usage_report/messages?")
    assert "&group_by%5B%5D=model&group_by%5B%5D=workspace_id&group_by%5B%5D=api_key_id" in usage
    assert {asked.headers["anthropic-version"] for asked in provider.asked} == {"2023-06-01"}
    assert {asked.headers["user-agent"] for asked in provider.asked} == {"clawback"}


def test_the_day_that_is_going_on_is_left_out(provider: Anthropic, load: Load) -> None:
    provider.costs = {"2026-11-22": BILL, "2026-11-21": [cost("1")]}

    items = load(reports="costs")

    assert [charge.starts_on for charge in records(items, Charge)] == [date(2026, 11, 21)]
    assert wholes(items) == ["acme | costs | 2026-11-19", "acme | costs | 2026-11-20", "acme | costs | 2026-11-21"]


@pytest.mark.parametrize(
    ("now", "last"), [("2026-11-22T02:59:59Z", "2026-11-20"), ("2026-11-22T03:00:00Z", "2026-11-21")]
)
def test_a_day_is_read_once_it_has_been_over_for_three_hours(provider: Anthropic, now: str, last: str) -> None:
    task = Task("acme", datetime.fromisoformat(now), {"url": provider.url, "since": "2026-11-19"}, None, KEY)

    assert wholes(list(anthropic.read(task)))[-1] == f"acme | usage | {last}"


def test_days_come_on_pages_and_none_is_missed(provider: Anthropic, load: Load) -> None:
    days = [str(date(2026, 11, 1) + timedelta(days=number)) for number in range(21)]
    provider.costs = {day: [cost(str(number))] for number, day in enumerate(days)}
    provider.days_on_a_page = 4

    charges = records(load(since="2026-11-01", reports="costs"), Charge)

    assert [(str(charge.starts_on), int(charge.amount_usd * 100)) for charge in charges] == [
        (day, number) for number, day in enumerate(days)
    ]
    assert len(provider.asked) == 6


def test_a_later_load_reads_the_last_three_days_again_and_no_others(provider: Anthropic, load: Load) -> None:
    load(since="2026-10-01", reports="costs")
    provider.asked.clear()

    load(since="2026-10-01", reports="costs")

    assert [asked.path.partition("starting_at=")[2][:10] for asked in provider.asked] == ["2026-11-19"]


def test_an_empty_day_says_so(provider: Anthropic, load: Load) -> None:
    rules = [item.rule for item in load(reports="costs") if isinstance(item, Ignored)]

    assert rules == ["a day of which the report has nothing"] * 3


def test_two_lines_that_nothing_tells_apart_both_count(provider: Anthropic, load: Load) -> None:
    provider.costs = {"2026-11-19": [cost("1", speed="fast"), cost("2", speed="standard")]}

    one, two = records(load(), Charge)

    assert one.charge_id != two.charge_id
    assert one.amount_usd + two.amount_usd == Decimal("0.03")


def test_one_of_them_that_cannot_be_read_keeps_its_number(provider: Anthropic, load: Load) -> None:
    provider.costs = {"2026-11-19": [cost("1"), cost("2")]}
    _, second = records(load(), Charge)
    provider.costs = {"2026-11-19": [cost("much"), cost("3")]}

    [again] = records(load(), Charge)

    assert again.charge_id == second.charge_id


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (cost("12", currency="EUR"), "currency must be USD, got 'EUR': amounts in others cannot be added"),
        (cost("much"), "amount must be a plain amount in USD like 1234.50, got 'much'"),
        (cost(None), "amount must be a plain amount in USD like 1234.50, got empty"),
        (cost("1", model={"id": 1}), "model must be text, got {'id': 1}"),
        ([], "must be an object, got []"),
    ],
)
def test_a_line_that_cannot_be_read_is_rejected_and_its_day_is_not_whole(
    provider: Anthropic, load: Load, row: Any, reason: str
) -> None:
    provider.costs = {"2026-11-19": [cost("1"), row], "2026-11-20": [cost("2")]}

    items = load(reports="costs")

    [rejected] = [item for item in items if isinstance(item, Rejected)]
    assert (str(rejected.location), rejected.reason) == ("anthropic acme, costs of 2026-11-19:2", reason)
    assert [charge.amount_usd for charge in records(items, Charge)] == [Decimal("0.01"), Decimal("0.02")]
    assert wholes(items) == ["acme | costs | 2026-11-20", "acme | costs | 2026-11-21"]


def run(store: Store, provider: Anthropic, clock: Clock, location: str = "acme", **options: str) -> tuple[int, ...]:
    """What a load stored, left and removed."""
    cursor = store.last_cursor("anthropic", location)
    task = Task(location, NOW, {"url": provider.url, "since": "2026-11-19", **options}, cursor, KEY)
    report = run_load(store, "anthropic", location, anthropic.read(task, clock), now=NOW)
    return report.stored, report.unchanged, report.removed


def test_a_restated_day_replaces_itself_and_no_other(provider: Anthropic, clock: Clock) -> None:
    provider.costs = {"2026-11-19": BILL, "2026-11-20": [cost("7")]}
    provider.usage = {"2026-11-19": [TOKENS]}
    total = "SELECT sum(amount_usd), count(*) FROM charges"
    with new_store() as store:
        assert run(store, provider, clock) == (7, 0, 0)
        assert run(store, provider, clock) == (0, 7, 0)
        assert store.read(total).rows == [(Decimal("0.516"), 6)]

        provider.costs["2026-11-19"] = [cost("3.7", "uncached_input_tokens"), search("4")]
        assert run(store, provider, clock) == (2, 2, 3)
        assert store.read(total).rows == [(Decimal("0.147"), 3)]

        provider.usage["2026-11-19"] = []
        assert run(store, provider, clock) == (0, 3, 1)
        assert store.read("SELECT count(*) FROM reported_usage").rows == [(0,)]


def test_two_organisations_have_days_of_their_own(provider: Anthropic, clock: Clock) -> None:
    provider.costs = {"2026-11-19": BILL}
    with new_store() as store:
        run(store, provider, clock)
        assert run(store, provider, clock, "other") == (5, 0, 0)
        assert run(store, provider, clock) == (0, 5, 0)
        assert store.read("SELECT sum(amount_usd) FROM charges").rows == [(Decimal("0.892"),)]


def test_the_lines_of_a_day_are_one_period_of_the_reconciliation(provider: Anthropic, clock: Clock) -> None:
    provider.costs = {"2026-11-19": BILL, "2026-11-20": [cost("7", workspace_id="wrkspc_1"), cost("8")]}
    with new_store() as store:
        run(store, provider, clock)
        rows = store.read(
            "SELECT provider, starts_on, billed_usd, bills, status FROM reconciliation_days ORDER BY starts_on"
        ).rows
    assert rows == [
        ("anthropic", date(2026, 11, 19), Decimal("0.446"), 5, "UNTRACKED"),
        ("anthropic", date(2026, 11, 20), Decimal("0.15"), 2, "UNTRACKED"),
    ]
