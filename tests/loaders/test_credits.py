import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loaders import credits as credit_use
from loaders.item import Ignored, Item, LoadError, Parsed, Rejected
from loaders.job import run_load
from loaders.loader import Task
from store import CreditQuota, CreditUsage
from tests.stores import new_store

NOW = datetime(2026, 12, 15, tzinfo=UTC)
SUBSCRIPTION = {
    "tier": "creator",
    "character_count": 41250,
    "character_limit": 100000,
    "can_extend_character_limit": True,
    "next_character_count_reset_unix": 1797552000,
    "currency": "usd",
    "billing_period": "monthly_period",
    "character_refresh_period": "monthly_period",
    "current_overage": {"amount": "0", "currency": "usd"},
    "next_invoice": {"amount_due_cents": 2200, "subtotal_cents": 2200, "tax_cents": 0},
}
STATS = {"time": [1795046400000, 1795132800000], "usage": {"fleet-key": [1250.0, 0.0], "other": [0.0, 310.0]}}
HEADERS = {
    "X-RateLimit-Limit": "50, 15000",
    "X-RateLimit-Policy": "50;w=1, 15000;w=2592000",
    "X-RateLimit-Remaining": "49, 13211",
    "X-RateLimit-Reset": "1, 1036800",
}


def read(tmp_path: Path, text: str, name: str = "credits.yaml", **options: str) -> list[Item]:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return list(credit_use.LOADER.read(Task(str(path), NOW, options)))  # type: ignore[arg-type]


def captured(tmp_path: Path, *captures: object) -> list[Item]:
    return read(tmp_path, "".join(json.dumps(capture) + "\n" for capture in captures), "captures.jsonl")


def usages(items: list[Item]) -> list[CreditUsage]:
    records = [record for item in items if isinstance(item, Parsed) for record in item.records]
    return [record for record in records if isinstance(record, CreditUsage)]


def quotas(items: list[Item]) -> list[CreditQuota]:
    records = [record for item in items if isinstance(item, Parsed) for record in item.records]
    return [record for record in records if isinstance(record, CreditQuota)]


def reason(items: list[Item]) -> str:
    [item] = items
    assert isinstance(item, Rejected), item
    return item.reason


GOLDEN = """\
- {vendor: speech, used_at: 2026-02-10, credits: 1500, session_id: s1}
- {vendor: speech, used_at: 2026-02-12T08:00:00Z, credits: 40000, session_id: s2}
- {vendor: speech, used_at: 2026-02-20, credits: 20500}
- vendor: speech
  plan: creator
  observed_at: 2026-02-21
  starts_on: 2026-02-09
  resets_at: 2026-03-09
  fee_usd: 22
  limit_credits: 100000
  used_credits: 62000
- {vendor: prepaid, starts_on: 2026-02-01, fee_usd: 105.50, limit_credits: 100}
- {vendor: prepaid, used_at: 2026-02-03, credits: 12, session_id: s1}
- {vendor: prepaid, used_at: 2026-02-03, credits: 20, session_id: s2}
- {vendor: prepaid, used_at: 2026-02-03, credits: 8}
"""


def test_the_golden_plans_give_their_credits_their_worth(tmp_path: Path) -> None:
    items = read(tmp_path, GOLDEN)

    assert [type(item) for item in items].count(Ignored) == 1
    assert [(use.vendor, use.session_id, use.usd, use.usd_rule) for use in usages(items)] == [
        ("speech", "s1", Decimal("0.33"), "plan price"),
        ("speech", "s2", Decimal("8.8"), "plan price"),
        ("speech", None, Decimal("4.51"), "plan price"),
        ("prepaid", "s1", Decimal("12.66"), "plan price"),
        ("prepaid", "s2", Decimal("21.1"), "plan price"),
        ("prepaid", None, Decimal("8.44"), "plan price"),
    ]
    assert quotas(items) == [
        CreditQuota(
            vendor="speech",
            plan="creator",
            observed_at=datetime(2026, 2, 21, tzinfo=UTC),
            source="credits",
            used_credits=Decimal(62000),
            limit_credits=Decimal(100000),
            starts_on=date(2026, 2, 9),
            resets_at=datetime(2026, 3, 9, tzinfo=UTC),
            fee_usd=Decimal(22),
        )
    ]


def test_the_items_of_a_file_add_up_to_its_rows_and_a_second_load_changes_nothing(tmp_path: Path) -> None:
    with new_store() as store:
        first = run_load(store, "credits", "credits.yaml", read(tmp_path, GOLDEN), now=NOW)
        second = run_load(store, "credits", "credits.yaml", read(tmp_path, GOLDEN), now=NOW)
        total = store.read("SELECT sum(usd), count(*) FROM credit_usage").rows

    assert (first.read, first.stored, first.ignored, first.rejected) == (8, 7, 1, 0)
    assert (second.read, second.stored, second.unchanged) == (8, 0, 7)
    assert total == [(Decimal("55.84"), 6)]


def test_without_a_price_the_worth_is_unknown_and_not_zero(tmp_path: Path) -> None:
    items = read(
        tmp_path,
        "- {vendor: speech, used_at: 2026-02-08T23:59:59Z, credits: 5}\n"
        "- {vendor: speech, used_at: 2026-03-09, credits: 5}\n"
        "- {vendor: other, used_at: 2026-02-20, credits: 5}\n"
        "- {vendor: speech, starts_on: 2026-02-09, resets_at: 2026-03-09, fee_usd: 22, limit_credits: 100000}\n",
    )

    assert [(use.usd, use.usd_rule) for use in usages(items)] == [(None, None)] * 3


def test_a_stated_amount_wins_over_a_plan_and_a_plan_over_the_list(tmp_path: Path) -> None:
    plans = tmp_path / "plans.csv"
    plans.write_text(
        "vendor,plan,starts_on,resets_at,fee_usd,limit_credits,usd_per_credit\n"
        "speech,,2026-01-01,,,,0.0003\n"
        "speech,creator,2026-02-09,2026-03-09,22,100000,\n"
    )
    items = read(
        tmp_path,
        '{"vendor": "Speech", "used_at": "2026-02-10", "credits": 1000, "usd": 0.5}\n'
        '{"vendor": "Speech", "used_at": "2026-02-11", "credits": 1000}\n'
        '{"vendor": "Speech", "used_at": "2026-01-11", "credits": 1000}\n',
        "use.jsonl",
        plans=str(plans),
    )

    assert [(use.usd, use.usd_rule) for use in usages(items)] == [
        (Decimal("0.5"), "stated"),
        (Decimal("0.22"), "plan price"),
        (Decimal("0.3"), "list price"),
    ]


def test_of_two_plans_at_other_prices_the_use_must_say_which(tmp_path: Path) -> None:
    two = (
        "- {vendor: v, plan: a, starts_on: 2026-02-01, fee_usd: 1, limit_credits: 10}\n"
        "- {vendor: v, plan: b, starts_on: 2026-02-01, fee_usd: 2, limit_credits: 10}\n"
    )
    items = read(tmp_path, two + "- {vendor: v, used_at: 2026-02-02, credits: 5}\n")
    named = read(tmp_path, two + "- {vendor: v, used_at: 2026-02-02, credits: 5, plan: B}\n")

    [rejected] = [item for item in items if isinstance(item, Rejected)]
    assert rejected.reason == "plan is empty, and of v there are several then: 'a', 'b'; say which it was"
    assert [use.usd for use in usages(named)] == [Decimal(1)]


def test_a_third_of_a_fee_is_rounded_once(tmp_path: Path) -> None:
    items = read(
        tmp_path,
        "- {vendor: v, starts_on: 2026-02-01, fee_usd: 1, limit_credits: 3}\n"
        "- {vendor: v, used_at: 2026-02-02, credits: 2}\n"
        "- {vendor: v, used_at: 2026-02-02, credits: 3, agent: x}\n",
    )

    assert [use.usd for use in usages(items)] == [Decimal("0.666666666667"), Decimal(1)]


def test_without_an_id_time_session_agent_and_description_name_a_use(tmp_path: Path) -> None:
    items = read(
        tmp_path,
        "- {vendor: v, used_at: 2026-02-02, credits: 2, agent: x}\n"
        "- {vendor: v, used_at: 2026-02-02T00:00:00Z, credits: 2.0, agent: x}\n"
        "- {vendor: v, used_at: 2026-02-02, credits: 3, agent: x}\n"
        "- {vendor: v, used_at: 2026-02-02, credits: 2, session_id: x}\n"
        "- {vendor: v, used_at: 2026-02-02, credits: 2, usage_id: u1}\n",
    )

    assert [type(item) for item in items] == [Parsed, Ignored, Rejected, Parsed, Parsed]
    assert len({use.usage_id for use in usages(items)}) == 3


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("vendor: v, used_at: 2026-02-02, credits: -1", "credits must be a number of credits from 0 on, like 1500"),
        ("vendor: v, used_at: 2026-02-02, credits: .nan", "credits must be a number of credits from 0 on"),
        ("vendor: v, used_at: 2026-02-02, credits: 1e30", "credits must be a number of credits from 0 on"),
        ("vendor: v, used_at: 2027-02-02, credits: 1", "used_at is in the future"),
        ("vendor: v, used_at: 2026-02-02T10:00:00, credits: 1", "used_at has no zone"),
        ("vendor: v, credits: 1", "used_at must be an instant"),
        ("used_at: 2026-02-02, credits: 1", "vendor must be text, got empty"),
        ("vendor: v, used_at: 2026-02-02", "credits is empty: a row is a use of credits, or about a plan"),
        ("vendor: v, used_at: 2026-02-02, credits: 1, fee_usd: 2", "fee_usd is about a plan and credits about a use"),
        ("vendor: v, used_at: 2026-02-02, credits: 1, usd: 1, currency: EUR", "currency is 'EUR'"),
        ("vendor: v, fee_usd: 2, limit_credits: 5", "starts_on must be a day like 2026-02-28, got empty"),
        ("vendor: v, fee_usd: 2, starts_on: 2026-02-01", "limit_credits must be the number of credits that fee_usd"),
        ("vendor: v, fee_usd: 2, usd_per_credit: 1, starts_on: 2026-02-01", "are both given"),
        ("vendor: v, fee_usd: 2, limit_credits: 5, starts_on: 2026-02-02, resets_at: 2026-02-01", "must be after"),
        ("vendor: v, plan: p, used_credits: 5", "observed_at must be an instant"),
        ("vendor: v, used_credits: 5, observed_at: 2026-02-01", "plan must be text, got empty"),
    ],
)
def test_a_row_that_cannot_be_read_says_what_would_be_right(tmp_path: Path, row: str, said: str) -> None:
    assert said in reason(read(tmp_path, f"- {{{row}}}\n"))


def test_columns_that_nobody_knows_stop_the_load(tmp_path: Path) -> None:
    with pytest.raises(LoadError, match="unknown column 'credit'; did you mean 'credits'"):
        read(tmp_path, "vendor,used_at,credit\nv,2026-02-02,1\n", "use.csv")
    with pytest.raises(LoadError, match="there is no such file"):
        credit_use.read(tmp_path / "none.json", now=NOW)


def test_a_subscription_of_elevenlabs_is_the_state_of_a_quota(tmp_path: Path) -> None:
    items = captured(tmp_path, {"observed_at": "2026-12-01T10:00:00Z", "response": SUBSCRIPTION})

    assert quotas(items) == [
        CreditQuota(
            vendor="elevenlabs",
            plan="creator",
            observed_at=datetime(2026, 12, 1, 10, tzinfo=UTC),
            source="credits",
            used_credits=Decimal(41250),
            limit_credits=Decimal(100000),
            starts_on=date(2026, 11, 18),
            resets_at=datetime(2026, 12, 18, tzinfo=UTC),
            fee_usd=Decimal(22),
        )
    ]


def test_a_bare_answer_in_a_json_file_needs_its_time(tmp_path: Path) -> None:
    text = json.dumps(SUBSCRIPTION, indent=2)

    assert reason(read(tmp_path, text, "sub.json")).startswith("observed_at is missing: keep an answer as")
    [quota] = quotas(read(tmp_path, text, "sub.json", observed_at="2026-12-01T10:00:00Z"))
    assert quota.observed_at == datetime(2026, 12, 1, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    "changed",
    [
        {"next_invoice": None},
        {"current_overage": {"amount": "1.50", "currency": "usd"}},
        {"currency": "eur"},
        {"billing_period": "annual_period"},
    ],
)
def test_an_invoice_that_is_more_or_other_than_the_fee_is_no_fee(tmp_path: Path, changed: dict[str, object]) -> None:
    [quota] = quotas(captured(tmp_path, {"observed_at": "2026-12-01T10:00:00Z", "response": SUBSCRIPTION | changed}))

    assert quota.fee_usd is None


def test_a_month_that_ends_on_the_31st_does_not_say_when_it_began(tmp_path: Path) -> None:
    reset = int(datetime(2026, 12, 31, tzinfo=UTC).timestamp())
    response = SUBSCRIPTION | {"next_character_count_reset_unix": reset}
    [quota] = quotas(captured(tmp_path, {"observed_at": "2026-12-01T10:00:00Z", "response": response}))

    assert quota.starts_on is None


def test_the_use_that_elevenlabs_states_is_worth_what_the_plan_beside_it_says(tmp_path: Path) -> None:
    items = captured(
        tmp_path,
        {"observed_at": "2026-11-21T10:00:00Z", "metric": "credits", "response": STATS},
        {"observed_at": "2026-12-01T10:00:00Z", "response": SUBSCRIPTION},
    )

    assert [type(item) for item in items] == [Parsed, Ignored, Ignored, Parsed, Parsed]
    assert [(use.description, use.used_at, use.credits, use.usd, use.usd_rule) for use in usages(items)] == [
        ("fleet-key", datetime(2026, 11, 19, tzinfo=UTC), Decimal(1250), Decimal("0.275"), "plan price"),
        ("other", datetime(2026, 11, 20, tzinfo=UTC), Decimal(310), Decimal("0.0682"), "plan price"),
    ]


def test_seconds_and_milliseconds_are_told_apart(tmp_path: Path) -> None:
    in_seconds = STATS | {"time": [1795046400, 1795132800]}
    one = usages(captured(tmp_path, {"observed_at": "2026-11-21T10:00:00Z", "response": STATS}))
    other = usages(captured(tmp_path, {"observed_at": "2026-11-21T10:00:00Z", "response": in_seconds}))

    assert one == other
    assert len(one) == 2


@given(st.permutations([0, 100, 250, 250, 400]))
@settings(max_examples=6, deadline=None)
def test_of_several_captures_of_a_day_the_largest_holds_in_any_order(
    tmp_path_factory: pytest.TempPathFactory, counts: list[int]
) -> None:
    captures = [
        {"observed_at": "2026-11-21T10:00:00Z", "response": {"time": [1795046400000], "usage": {"All": [count]}}}
        for count in counts
    ]
    items = captured(tmp_path_factory.mktemp("captures"), *captures)

    with new_store() as store:
        report = run_load(store, "credits", "captures.jsonl", items, now=NOW)
        assert store.read("SELECT credits FROM credit_usage").rows == [(Decimal(400),)]
    assert report.read == 5


@pytest.mark.parametrize(
    ("response", "said"),
    [
        ({"time": [1795046400000], "usage": {"All": [1, 2]}}, "usage of 'All' must be a list as long as time (1)"),
        ({"time": [1795046400000], "usage": {"All": ["many"]}}, "usage of 'All' must be a number of credits"),
        ({"time": [1795046400000], "usage": {"All": [-1]}}, "usage of 'All' must be a number of credits"),
        ({"time": [1795046400000], "usage": {"All": [None]}}, "usage of 'All' must be a number of credits"),
        ({"time": ["today"], "usage": {"All": [1]}}, "time[0] must be a number of seconds or milliseconds"),
        ({"time": [1e300], "usage": {"All": [1]}}, "time[0] must be a number of seconds or milliseconds"),
        ({"time": [10**14], "usage": {"All": [1]}}, "is after observed_at"),
        ({"time": [5], "usage": {"All": [1]}}, "before there were credits to use"),
        ({"time": 5, "usage": []}, "time must be a list and usage an object"),
        ({"time": [1795046400000], "usage": {"k" * 2000: [1]}}, "must be at most 1,024 characters"),
        ({"detail": {"status": "invalid_api_key"}}, "is no answer that is known (of ElevenLabs"),
        (SUBSCRIPTION | {"character_count": "lots"}, "character_count must be a number of credits"),
        (SUBSCRIPTION | {"tier": None}, "tier must be text, got empty"),
        ([1], "response must be an object"),
    ],
)
def test_an_answer_that_cannot_be_read_says_what_would_be_right(tmp_path: Path, response: object, said: str) -> None:
    assert said in reason(captured(tmp_path, {"observed_at": "2026-11-21T10:00:00Z", "response": response}))


def test_a_bad_bucket_costs_only_itself(tmp_path: Path) -> None:
    items = captured(
        tmp_path,
        {"observed_at": "2026-11-21T10:00:00Z", "response": STATS | {"usage": {"a": ["x", 5], "b": [1]}}},
        {"observed_at": "2026-11-21T10:00:00", "response": STATS},
        {"observed_at": "2026-11-21T10:00:00Z", "respons": STATS, "headers": {}},
        {"observed_at": "2026-11-21T10:00:00Z", "metric": "minutes_used", "response": STATS},
    )

    assert [type(item) for item in items] == [Rejected, Parsed, Rejected, Rejected, Rejected, Ignored]
    assert [item.location.line for item in items] == [1, 1, 1, 2, 3, 4]


def test_the_headers_of_brave_say_what_the_month_has_used_and_cost(tmp_path: Path) -> None:
    items = captured(tmp_path, {"observed_at": "2026-11-18T23:59:59Z", "headers": HEADERS})

    [item] = items
    assert isinstance(item, Parsed)
    assert quotas(items) == [
        CreditQuota(
            vendor="brave",
            plan="search",
            observed_at=datetime(2026, 11, 18, 23, 59, 59, tzinfo=UTC),
            source="credits",
            used_credits=Decimal(1789),
            limit_credits=Decimal(15000),
            starts_on=date(2026, 11, 1),
            resets_at=datetime(2026, 12, 1, tzinfo=UTC),
        )
    ]
    [use] = usages(items)
    assert (use.credits, use.usd, use.usd_rule) == (Decimal(1789), Decimal("3.945"), "list price")
    assert use.usage_id == "brave:search:2026-12-01T00:00:00+00:00"


def test_a_window_is_the_same_however_its_reset_flutters(tmp_path: Path) -> None:
    first = datetime(2026, 11, 18, 23, 59, 58, 700_000, tzinfo=UTC)
    items = captured(
        tmp_path,
        *(
            {
                "observed_at": (first + timedelta(seconds=later)).isoformat(),
                "headers": HEADERS
                | {
                    "X-RateLimit-Remaining": f"49, {15000 - 1500 - later}",
                    "X-RateLimit-Reset": f"1, {1036800 - later}",
                },
            }
            for later in range(4)
        ),
    )

    assert {use.usage_id for use in usages(items)} == {"brave:search:2026-12-01T00:00:00+00:00"}
    assert usages(items)[-1].credits == 1503


def test_what_the_monthly_credit_covers_costs_nothing_and_an_older_price_is_unknown(tmp_path: Path) -> None:
    few = HEADERS | {"X-RateLimit-Remaining": "49, 14211"}
    [covered] = usages(captured(tmp_path, {"observed_at": "2026-11-18T00:00:00Z", "headers": few}))
    [older] = usages(captured(tmp_path, {"observed_at": "2026-08-18T00:00:00Z", "headers": few}))
    [answers] = usages(captured(tmp_path, {"observed_at": "2026-11-18T00:00:00Z", "headers": few, "plan": "answers"}))

    assert (covered.usd, covered.usd_rule) == (Decimal(0), "list price")
    assert (older.usd, older.usd_rule) == (None, None)
    assert (answers.usd, answers.usd_rule) == (None, None)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"X-RateLimit-Policy": "50;w=1"}, "must have one part a window each"),
        ({"X-RateLimit-Policy": "50;w=1, 15000"}, "x-ratelimit-policy must say its windows like 15000;w=2592000"),
        ({"X-RateLimit-Policy": "50;w=1, 15000;w=60"}, "x-ratelimit-reset is 1,036,800 s, more than the window of 60"),
        ({"X-RateLimit-Remaining": "49, 15001"}, "x-ratelimit-remaining is 15,001, more than the limit of 15,000"),
        ({"X-RateLimit-Remaining": "49, -1"}, "x-ratelimit-remaining must be a whole number"),
        ({"X-RateLimit-Reset": None}, "x-ratelimit-reset must be text, got empty"),
        ({"X-RateLimit-Limit": "1," * 50}, "has 51 windows; at most 10 make sense"),
    ],
)
def test_headers_that_contradict_themselves_are_rejected(tmp_path: Path, changed: dict[str, object], said: str) -> None:
    capture = {"observed_at": "2026-11-18T00:00:00Z", "headers": HEADERS | changed}
    assert said in reason(captured(tmp_path, capture))


def test_an_unlimited_window_says_nothing_about_use(tmp_path: Path) -> None:
    headers = HEADERS | {"X-RateLimit-Limit": "50, 0", "X-RateLimit-Remaining": "49, 0"}
    [item] = captured(tmp_path, {"observed_at": "2026-11-18T00:00:00Z", "headers": headers})

    assert isinstance(item, Ignored)
    assert item.rule == "an unlimited window does not say how much of it was used"


def test_all_bytes_of_the_file_are_told_once(tmp_path: Path) -> None:
    path = tmp_path / "credits.yaml"
    path.write_text(GOLDEN)
    told: list[int] = []

    list(credit_use.read(path, now=NOW, on_bytes=told.append))
    assert sum(told) == path.stat().st_size
