"""What was known when: corrections, late rows and first prices change today's answer and no answer of before."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from loaders.item import Item, Location, Parsed
from loaders.job import run_load
from semantic import Caller, Catalog, load_catalog
from store import LoadReport, Price, Request, Session, Store
from tests.server.conftest import REPOSITORY, Api
from tests.stores import new_store

START = datetime(2026, 1, 1, tzinfo=UTC)
LINE = Price(price_id="p1", source="prices", provider="acme", model="big", effective_from=START, input=Decimal(2))
CALL = Request(
    request_key="r1",
    source="test",
    session_id="s1",
    agent="main",
    provider="acme",
    model="big",
    started_at=START,
    uncached_input_tokens=1_000_000,
    cache_read_tokens=0,
    cache_write_5m_tokens=0,
    cache_write_1h_tokens=0,
    output_tokens=0,
)
ASKED = """
query ($at: DateTime!, $where: FilterInput) {
  spendAsKnown(knownAt: $at, by: [AGENT, TRIGGER], where: $where, time: {range: "2026-01"}) {
    knownAt costUsd status calls unpricedCalls truncated
    rows { name keys { dimension value } costUsd calls unpricedCalls status }
    largest(first: 50) { requestKey costUsd costStatus priceId listUsd listPriceId driftUsd }
  }
}"""


def day(number: int) -> datetime:
    return START + timedelta(days=number)


def load(store: Store, number: int, *records: Any) -> LoadReport:
    """What was found on a day; price lines are known since then, as the loader for price books has it."""
    found = [replace(r, known_at=day(number)) if isinstance(r, Price) else r for r in records]
    items: list[Item] = [Parsed(Location("test", n), (record,)) for n, record in enumerate(found, start=1)]
    report = run_load(store, "test", "test", items, now=day(number))
    assert report.rejected == 0
    return report


def known(api: Api, number: int, **variables: Any) -> dict[str, Any]:
    at = (day(number) + timedelta(hours=1)).isoformat()
    return dict(api.data(ASKED, {"at": at, **variables})["spendAsKnown"])


def cost(told: dict[str, Any]) -> tuple[str | None, str, int, int]:
    usd = told["costUsd"] and str(Decimal(told["costUsd"]).normalize())
    return usd, told["status"], told["calls"], told["unpricedCalls"]


@pytest.fixture
def store() -> Iterator[Store]:
    with new_store() as opened:
        yield opened


@pytest.fixture
def api(store: Store, catalog: Catalog) -> Api:
    return Api(catalog, store)


def test_a_pinned_report_is_the_same_after_everything_that_came_later(store: Store, api: Api) -> None:
    total = replace(CALL, request_key="t", session_id="s2", scope="session", agent="other")
    ghost = replace(CALL, request_key="g", model="ghost")
    session = Session(session_id="s1", source="test", trigger="cron", trigger_confidence=100, started_at=START)
    load(store, 1, LINE)
    load(store, 2, CALL, total, ghost, session)
    reports = {2: known(api, 2)}
    assert cost(reports[2]) == ("4", "LOWER_BOUND", 3, 1)
    load(store, 4, replace(LINE, input=Decimal(3), reason="corrected"))
    reports[4] = known(api, 4)
    load(store, 5, replace(CALL, request_key="late"), replace(CALL, request_key="part", session_id="s2", agent="other"))
    reports[5] = known(api, 5)
    load(store, 6, replace(LINE, price_id="g1", model="ghost", input=Decimal(7)))
    reports[6] = known(api, 6)
    load(store, 7, replace(CALL, billed_usd=Decimal("2.5")))
    reports[7] = known(api, 7)
    assert [cost(told)[0] for told in reports.values()] == ["4", "6", "9", "16", "15.5"]
    assert [cost(told)[1] for told in reports.values()] == ["LOWER_BOUND"] * 3 + ["OK"] * 2
    assert {number: known(api, number) for number in reports} == reports
    again = api.data('{ metrics(time: {range: "2026-01"}) { totals { inferenceCost } } }')["metrics"]["totals"]
    assert Decimal(again["inferenceCost"]) == Decimal(reports[7]["costUsd"])


def test_a_call_says_what_its_cost_was_and_what_the_list_said(store: Store, api: Api) -> None:
    load(store, 1, CALL)
    load(store, 2, LINE)
    load(store, 3, replace(CALL, billed_usd=Decimal("2.5")))
    (before,), (priced,), (billed,) = (known(api, number)["largest"] for number in (1, 2, 3))
    assert (before["costUsd"], before["costStatus"], before["listUsd"]) == (None, "UNPRICED", None)
    assert (priced["costStatus"], priced["priceId"], Decimal(priced["driftUsd"])) == ("PRICED", "p1", 0)
    assert (billed["costStatus"], billed["priceId"], billed["listPriceId"]) == ("BILLED", None, "p1")
    assert Decimal(billed["driftUsd"]) == Decimal("0.5")


def test_calls_that_a_later_load_has_touched_are_counted(store: Store, api: Api) -> None:
    load(store, 1, LINE)
    load(store, 2, CALL, replace(CALL, request_key="r2"))
    load(store, 4, replace(CALL, agent="another", owner_started_at=day(-3)))
    question = "query ($at: DateTime!) { spendAsKnown(knownAt: $at) { changedSince calls costUsd } }"
    then, today = (api.data(question, {"at": day(n).isoformat()})["spendAsKnown"] for n in (3, 5))
    assert (then["changedSince"], today["changedSince"]) == (1, 0)
    assert (then["calls"], then["costUsd"]) == (today["calls"], today["costUsd"])


def test_before_the_first_load_nothing_was_known(store: Store, api: Api) -> None:
    assert cost(known(api, 0)) == (None, "NOTHING_KNOWN", 0, 0)
    load(store, 2, CALL)
    assert cost(known(api, 1)) == (None, "NOTHING_KNOWN", 0, 0)
    assert cost(known(api, 2)) == (None, "UNPRICED", 1, 1)


def test_what_is_known_now_is_what_metrics_say(store: Store, api: Api) -> None:
    rows = [replace(CALL, request_key=f"r{n}", agent="ab"[n % 2], uncached_input_tokens=n) for n in range(9)]
    load(store, 1, LINE)
    load(store, 2, *rows, replace(CALL, request_key="total", scope="session", session_id="s9"))
    now = store.read(
        "SELECT * EXCLUDE (is_changed_since) FROM requests_known_at('infinity'::TIMESTAMP) ORDER BY 1"
    ).rows
    assert now == store.read("SELECT * FROM request_facts ORDER BY 1").rows


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ('knownAt: "2027-01-01T00:00:00Z"', "BAD_ARGUMENT"),
        ('knownAt: "2026-01-01T00:00:00Z", top: 0', "BAD_LIMIT"),
        ('knownAt: "2026-01-01T00:00:00Z", by: [AGENT, AGENT]', "BAD_ARGUMENT"),
        ('knownAt: "2026-01-01T00:00:00Z", by: [AGENT, MODEL, TRIGGER, SOURCE, PROVIDER]', "BAD_ARGUMENT"),
        ('knownAt: "2026-01-01T00:00:00Z", by: [CATEGORY]', "UNREACHABLE_DIMENSION"),
        ('knownAt: "2026-01-01T00:00:00Z", time: {range: "some day"}', "BAD_RANGE"),
        ('knownAt: "2026-01-01"', "INVALID_QUERY"),
    ],
)
def test_a_question_that_has_no_answer_is_refused(api: Api, arguments: str, code: str) -> None:
    assert api.codes(f"{{ spendAsKnown({arguments}) {{ costUsd }} }}") == [code]


def test_policies_hold_for_what_was_known_too(store: Store) -> None:
    load(store, 1, LINE)
    load(store, 2, CALL, replace(CALL, request_key="r2", agent="scout"))
    load(store, 3, replace(LINE, input=Decimal(3)))
    text = (REPOSITORY / "metrics.yaml").read_text(encoding="utf-8")
    policy = "policies:\n  own: {model: requests, rows: 'agent = :caller.agent', unless: [cfo]}\n"
    guarded = load_catalog(f"{text}\n{policy}")
    api = Api(guarded, store, caller=Caller(frozenset({"finance"}), {"agent": "scout"}))
    told = known(api, 2)
    assert cost(told) == ("2", "OK", 1, 0)
    assert [call["requestKey"] for call in told["largest"]] == ["r2"]
    assert api.data("{ restatements { count events { requestKey } } }")["restatements"] == {
        "count": 1,
        "events": [{"requestKey": "r2"}],
    }


def test_restatements_are_those_of_the_asked_time(store: Store, api: Api) -> None:
    load(store, 1, LINE)
    load(store, 2, CALL)
    load(store, 3, replace(LINE, input=Decimal(3), reason="a"))
    load(store, 20, replace(LINE, input=Decimal(5), reason="b"))
    fields = "count deltaUsd lost events { reason deltaUsd statusAfter }"
    found = api.data(f'{{ restatements(time: {{range: "2026-01-01 to 2026-01-10"}}) {{ {fields} }} }}')["restatements"]
    assert (found["count"], [e["reason"] for e in found["events"]]) == (1, ["a"])
    one = api.data(f"{{ restatements(first: 1) {{ {fields} }} }}")["restatements"]
    assert (one["count"], Decimal(one["deltaUsd"]), [e["reason"] for e in one["events"]]) == (2, Decimal(3), ["b"])
    load(store, 21, replace(LINE, input=None, reason="withdrawn"))
    lost = api.data(f"{{ restatements(first: 1) {{ {fields} }} }}")["restatements"]
    assert (lost["lost"], lost["events"][0]["deltaUsd"], lost["events"][0]["statusAfter"]) == (1, None, "UNPRICED")
    assert api.codes("{ restatements(first: 1001) { count } }") == ["BAD_LIMIT"]


def test_the_book_names_lines_that_are_in_force_at_once(store: Store, api: Api) -> None:
    report = load(store, 1, LINE)
    assert report.warnings == ()
    report = load(store, 2, replace(LINE, price_id="p2", effective_from=day(10)))
    (warning,) = report.warnings
    assert warning == (
        "price line 'p2' counts before 'p1' for acme big from 2026-01-11 00:00 UTC on: both are in force; where that "
        "is not meant, give one an effective_to"
    )
    assert load(store, 3, replace(LINE, price_id="p2", effective_from=day(10))).warnings == ()
    question = """query ($at: DateTime, $known: DateTime) { priceBook(model: "BIG", at: $at, knownAt: $known) {
        count lines { priceId isInForce input } overlaps { winner loser startsAt endsAt } } }"""
    book = api.data(question)["priceBook"]
    assert [(one["priceId"], one["isInForce"]) for one in book["lines"]] == [("p1", False), ("p2", True)]
    assert book["overlaps"] == [{"winner": "p2", "loser": "p1", "startsAt": "2026-01-11T00:00:00Z", "endsAt": None}]
    early = api.data(question, {"at": day(5).isoformat()})["priceBook"]["lines"]
    assert [one["isInForce"] for one in early] == [True, False]
    then = api.data(question, {"known": day(1).isoformat()})["priceBook"]
    assert (then["count"], then["overlaps"]) == (1, [])
