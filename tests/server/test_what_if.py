"""`whatIf` over a store: equal to pricing call by call, both sides about the same calls, and what it refuses."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import pytest

from finance.pricing import PriceBook, cost_of, list_equivalent
from loaders.item import Item, Location, Parsed
from loaders.job import run_load
from semantic import Caller, Catalog, load_catalog
from store import Outcome, Price, Record, Request, Session, Store
from tests.server.conftest import NOW, REPOSITORY, Api
from tests.stores import new_store

START = datetime(2026, 1, 1, tzinfo=UTC)
ALL = "status calls sessions actualUsd actualListUsd whatIfUsd savingUsd savingOnPaidUsd leftOut { reason calls }"


def line(price_id: str, model: str, first_day: int, **prices: Any) -> Price:
    start = START + timedelta(days=first_day)
    named = {name: Decimal(str(price)) if name != "tier_over" else price for name, price in prices.items()}
    return Price(price_id=price_id, source="test", provider="acme", model=model, effective_from=start, **named)


FLAT = {"input": 3, "cache_read": "0.3", "cache_write_5m": "3.75", "cache_write_1h": 6, "output": 15}
TIER = {f"tier_{name}": Decimal(str(price)) * 2 for name, price in FLAT.items()}
BOOK = [
    replace(line("big1", "big", 0, **FLAT, **TIER, tier_over=1000), effective_to=START + timedelta(days=10)),
    line("big2", "big", 10, **FLAT),
    line("small1", "small", 0, input=1, cache_read="0.1", output=5, tier_over=1500, tier_input=2, tier_output=9),
    line("small2", "small", 15, input="0.5", cache_read="0.05", cache_write_5m=1, output=2, per_call_fee="0.001"),
]


def calls() -> list[Request]:
    random = Random(7)
    made = []
    for number in range(300):
        request = Request(
            request_key=f"r{number}",
            source="test",
            session_id=f"s{number % 20}" if number % 11 else None,
            agent="main" if number % 3 else "other",
            provider="acme",
            model=random.choice(["big", "BIG", "ghost"]),
            started_at=START + timedelta(days=random.randrange(-2, 30)) if number % 17 else None,
            uncached_input_tokens=random.randrange(1500),
            cache_read_tokens=random.randrange(900),
            cache_write_5m_tokens=random.choice([0, 0, 40]),
            cache_write_1h_tokens=random.choice([0, 0, 0, 0, 7]),
            output_tokens=random.randrange(300),
            is_included=number % 13 == 0,
            billed_usd=Decimal("0.05") if number % 19 == 0 else None,
            unpriced_part="audio" if number % 23 == 0 else None,
            scope="session" if number % 29 == 0 and number % 11 == 0 else "request",
        )
        made.append(request)
    made.append(Request(request_key="silent", source="test", provider="acme", model="big", started_at=START))
    return made


def outcomes() -> list[Record]:
    sessions: list[Record] = [
        Session(session_id=f"s{n}", source="test", started_at=START, ended_at=START, termination="success")
        for n in range(20)
    ]
    return [*sessions, *(
        Outcome(outcome_id=f"o{n}", source="test", session_id=f"s{n}", kind="RUN", is_success=n < 6) for n in range(10)
    )]  # fmt: skip


def load(store: Store, records: list[Any], name: str = "test") -> None:
    items: list[Item] = [Parsed(Location(name, n), (record,)) for n, record in enumerate(records, start=1)]
    assert run_load(store, name, name, items, now=NOW).rejected == 0


@pytest.fixture(scope="module")
def filled() -> Iterator[Store]:
    with new_store() as store:
        load(store, BOOK, "prices")
        load(store, [*outcomes(), *calls()])
        yield store


@pytest.fixture(scope="module")
def asking(filled: Store, catalog: Catalog) -> Api:
    return Api(catalog, filled)


def told(api: Api, arguments: str, selection: str = ALL) -> dict[str, Any]:
    return dict(api.data(f"{{ whatIf({arguments}) {{ {selection} }} }}")["whatIf"])


def one_by_one(multiplier: Decimal, agent: str | None = None) -> tuple[dict[str, Decimal], Counter[str]]:
    """Each call with `multiplier` times its tokens: paid, list and what-if; and how many are left out."""
    book, seen = PriceBook(BOOK), Counter[str]()
    amounts = {"paid": Decimal(0), "list": Decimal(0), "whatIf": Decimal(0)}
    for call in calls():
        if agent is not None and call.agent != agent:
            continue
        paid, listed = cost_of(call, book).usd, list_equivalent(call, book).usd
        other = replace(call, model="small", **{
            name: int(tokens * multiplier) for name in TOKENS if (tokens := getattr(call, name)) is not None
        })  # fmt: skip
        what_if = list_equivalent(other, book).usd
        if paid is None or listed is None or what_if is None:
            seen["left out"] += 1
            continue
        seen["compared"] += 1
        for name, usd in (("paid", paid), ("list", listed), ("whatIf", what_if)):
            amounts[name] += usd
    return amounts, seen


TOKENS = ("uncached_input_tokens", "cache_read_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens",
          "output_tokens")  # fmt: skip


@pytest.mark.parametrize(("multiplier", "agent"), [("1", None), ("2", "main"), ("7", None)])
def test_a_slice_costs_what_its_calls_cost_one_by_one(asking: Api, multiplier: str, agent: str | None) -> None:
    where = f', where: {{agent: {{eq: "{agent}"}}}}' if agent else ""
    found = told(asking, f'model: "small", tokenMultiplier: "{multiplier}"{where}')
    amounts, seen = one_by_one(Decimal(multiplier), agent)
    assert seen["compared"] > 20
    assert found["calls"] == seen["compared"]
    assert sum(left["calls"] for left in found["leftOut"]) == seen["left out"]
    assert Decimal(found["actualUsd"]) == amounts["paid"]
    assert Decimal(found["actualListUsd"]) == amounts["list"]
    assert Decimal(found["whatIfUsd"]) == amounts["whatIf"]
    assert Decimal(found["savingUsd"]) == amounts["list"] - amounts["whatIf"]
    assert Decimal(found["savingOnPaidUsd"]) == amounts["paid"] - amounts["whatIf"]
    assert found["status"] == "PARTIAL"


def test_what_is_left_out_says_why(asking: Api) -> None:
    left = told(asking, 'model: "small"')["leftOut"]
    assert {part["reason"] for part in left} >= {
        "MISSING_USAGE",
        "PART_WITHOUT_PRICE",
        "NO_PRICE_OF_ITS_OWN",
        "NO_TARGET_PRICE_FOR_CACHE_WRITE_5M",
    }
    assert all(part["calls"] for part in left)


def test_sessions_and_calls_of_the_largest_saving_add_up_to_the_whole(asking: Api) -> None:
    parts = "largest(per: REQUEST, first: 100) { key calls savingUsd } savingUsd calls"
    found = told(asking, 'model: "small", where: {sessionId: {in: ["s1", "s2", "s3", "s4"]}}', parts)
    savings = [Decimal(part["savingUsd"]) for part in found["largest"]]
    assert savings == sorted(savings, reverse=True)
    assert sum(savings) == Decimal(found["savingUsd"])
    sessions = told(asking, 'model: "small"', "sessions largest(per: SESSION, first: 100) { key calls }")
    assert sessions["sessions"] == len(sessions["largest"])


def test_the_total_is_everything_with_the_slice_replaced(asking: Api) -> None:
    found = told(
        asking,
        'model: "small", where: {agent: {eq: "main"}}',
        "actualUsd whatIfUsd total { actualUsd whatIfUsd unpricedCalls status }",
    )
    everything = sum((cost_of(call, PriceBook(BOOK)).usd or Decimal(0) for call in calls()), Decimal(0))
    total = found["total"]
    assert Decimal(total["actualUsd"]) == everything
    assert Decimal(total["whatIfUsd"]) == everything - Decimal(found["actualUsd"]) + Decimal(found["whatIfUsd"])
    assert (total["status"], total["unpricedCalls"] > 0) == ("LOWER_BOUND", True)


def test_a_change_of_success_changes_the_cost_of_one(asking: Api) -> None:
    selection = """success { tasks successes successRateAfter costPerSuccessUsd costPerSuccessAfterUsd netValueUsd
        netValueAfterUsd breakEvenSuccessDelta status }"""
    found = told(asking, 'model: "small", successDelta: "-0.1", taskValue: "2"', selection)["success"]
    ids = ", ".join(f'"s{number}"' for number in range(10))
    of_them = told(asking, f'model: "small", where: {{sessionId: {{in: [{ids}]}}}}')
    before, after = Decimal(of_them["actualListUsd"]), Decimal(of_them["whatIfUsd"])
    tasks, successes = found["tasks"], found["successes"]
    assert (tasks, successes, found["status"]) == (10, 6, "OK")
    assert Decimal(found["costPerSuccessUsd"]) == round(before / 6, 12)
    assert Decimal(found["costPerSuccessAfterUsd"]) == round(after / 5, 12)
    assert Decimal(found["netValueUsd"]) == 12 - before
    assert Decimal(found["netValueAfterUsd"]) == 10 - after
    assert found["breakEvenSuccessDelta"] == pytest.approx(float((after - before) / 20))
    lost = told(asking, 'model: "small", successDelta: "-0.7"', selection)["success"]
    assert (lost["status"], lost["costPerSuccessAfterUsd"], lost["netValueUsd"]) == ("RATE_OUT_OF_BOUNDS", None, None)


def test_an_empty_slice_has_no_numbers_and_says_so(asking: Api) -> None:
    found = told(
        asking,
        'model: "small", where: {agent: {eq: "nobody"}}',
        ALL + " savingShare breakEven { status } success { tasks }",
    )
    assert (found["status"], found["calls"], found["whatIfUsd"], found["savingShare"]) == ("NO_CALLS", 0, None, None)
    assert (found["breakEven"]["status"], found["success"]) == ("NOTHING_TO_COMPARE", None)
    ghosts = told(asking, 'model: "small", where: {model: {eq: "ghost"}, agent: {eq: "main"}}')
    assert (ghosts["status"], ghosts["actualUsd"]) == ("NOT_COMPARABLE", None)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ('model: "smal"', "UNKNOWN_MODEL", "the price book has no line of 'smal'; load one, or did you mean 'small'?"),
        ('model: "small", provider: "other"', "UNKNOWN_MODEL", "no line of 'small' of 'other'"),
        ('model: "small", tokenMultiplier: "0"', "BAD_ARGUMENT", "tokenMultiplier is above 0, at most 100"),
        ('model: "small", tokenMultiplier: "101"', "BAD_ARGUMENT", "tokenMultiplier is above 0, at most 100"),
        ('model: "small", tokenMultiplier: "1.0000001"', "BAD_ARGUMENT", "at most 6 places"),
        ('model: "small", successDelta: "1.5"', "BAD_ARGUMENT", "successDelta is from -1 to 1"),
        ('model: "small", taskValue: "-1"', "BAD_ARGUMENT", "taskValue is an amount from 0"),
        ('model: "small", zone: "Nowhere"', "UNKNOWN_ZONE", "Nowhere"),
    ],
)
def test_what_cannot_be_answered_says_what_would_be_right(asking: Api, arguments: str, code: str, words: str) -> None:
    question = f"{{ whatIf({arguments}) {{ status calls }} }}"
    assert asking.codes(question) == [code]
    assert words in asking.message(question)


@pytest.mark.parametrize("first", [0, 101, -5])
def test_lists_are_bounded(asking: Api, first: int) -> None:
    question = f'{{ whatIf(model: "small") {{ largest(per: SESSION, first: {first}) {{ key }} }} }}'
    assert asking.codes(question) == ["BAD_LIMIT"]


def test_no_number_is_NaN(asking: Api) -> None:  # noqa: N802
    assert asking.codes('{ whatIf(model: "small", tokenMultiplier: "NaN") { calls } }') == ["INVALID_QUERY"]


def test_what_a_policy_hides_is_repriced_for_nobody_else(filled: Store) -> None:
    text = (REPOSITORY / "metrics.yaml").read_text(encoding="utf-8")
    policy = "policies:\n  own: {model: requests, rows: 'agent = :caller.agent', unless: [finance]}\n"
    guarded = load_catalog(f"{text}\n{policy}")
    api = Api(guarded, filled, caller=Caller(frozenset({"router"}), {"agent": "main"}))
    mine = told(api, 'model: "small"', "calls total { actualUsd }")
    amounts, seen = one_by_one(Decimal(1), "main")
    assert mine["calls"] == seen["compared"]
    assert Decimal(mine["total"]["actualUsd"]) >= amounts["paid"]
    known = sum((cost_of(c, PriceBook(BOOK)).usd or Decimal(0) for c in calls() if c.agent == "main"), Decimal(0))
    assert Decimal(mine["total"]["actualUsd"]) == known
