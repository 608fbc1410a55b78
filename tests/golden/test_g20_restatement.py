"""G20: a price that is corrected backwards and a bill that comes later. What a cost was known to be stays to be seen.

A history as it happens: the call is logged, the price book gains a line that is known later and in force earlier, and
the gateway logs the call again with what was billed. Each is loaded at its instant.
"""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from finance.pricing import PriceBook, cost_of, list_equivalent
from loaders import prices, responses
from loaders.job import run_load
from semantic import Catalog
from store import LoadReport, Request, Store
from tests.golden.conftest import Case, Golden, instant, one, write_csv, write_jsonl
from tests.server.conftest import Api
from tests.stores import new_store

pytestmark = pytest.mark.golden
CASE = "G20_restatement"
CALLED = datetime(2026, 2, 19, 12, tzinfo=UTC)
RETROACTIVE_TO = "2026-02-15T00:00:00Z"
"""From which day the corrected line is in force; the case says it in the words of its reason."""
BILLED = "asKnown 2026-03-03"
Known = tuple[str, Decimal, str]


class History:
    """A store in which things become known one after the other."""

    def __init__(self, store: Store, case: Case, home: Path) -> None:
        self.store = store
        self.inputs: dict[str, Any] = case["inputs"]["inputs.json"]
        self.expected: dict[str, Any] = case["expected"]
        self.home = home

    def cost(self, name: str) -> Decimal:
        """What the case says that the cost was known to be."""
        return Decimal(self.expected[name]["costUsd"])

    def price_is_known(self, versions: int) -> LoadReport:
        """The book with its first `versions` lines, loaded when the last of them became known."""
        lines = self.inputs["price_book_history"][:versions]
        assert f"retroactive to {RETROACTIVE_TO[:10]}" in self.inputs["price_book_history"][1]["reason"]
        rows = [
            {
                "price_id": line["price_id"],
                "provider": self.inputs["request"]["provider"],
                "model": self.inputs["request"]["model"],
                "effective_from": "2026-01-01T00:00:00Z" if number == 0 else RETROACTIVE_TO,
                "input": line["input"],
                "output": line["output"],
                "known_at": line["known_at"],
                "reason": line.get("reason"),
            }
            for number, line in enumerate(lines)
        ]
        book, now = write_csv(self.home / "book.csv", rows), at(lines[-1]["known_at"])
        return run_load(self.store, "prices", str(book), prices.read(book, now=now), now=now)

    def call_is_logged(self, now: datetime = CALLED, billed_usd: str | None = None) -> LoadReport:
        request = self.inputs["request"]
        usage = {"input_tokens": request["input_tokens"], "output_tokens": request["output_tokens"]}
        line = {
            "provider": request["provider"],
            "at": request["ts"],
            "billed_usd": billed_usd,
            "response": {"id": "call", "model": request["model"], "usage": usage},
        }
        log = write_jsonl(self.home / "answers.jsonl", [line])
        return run_load(self.store, "responses", str(log), responses.read(log, now=now), now=now)

    def bill_comes(self) -> LoadReport:
        billed = self.inputs["billed_later"]
        return self.call_is_logged(at(billed["known_at"]), billed["billed_usd"])

    def as_known(self, when: str) -> Known:
        """What the cost was known to be: the oldest that was replaced since, else the one that holds."""
        known_at = at(when).replace(tzinfo=None)
        (row,) = self.store.read(
            """
            SELECT
                CASE WHEN old_cost_status IS NULL THEN price_id ELSE old_price_id END,
                coalesce(old_cost_usd, cost_usd),
                coalesce(old_cost_status, cost_status)
            FROM requests LEFT JOIN (
                SELECT * FROM restatements WHERE restated_at > $known_at ORDER BY restated_at LIMIT 1
            ) USING (request_key)""",
            {"known_at": known_at},
        ).rows
        return str(row[0]), Decimal(str(row[1])), str(row[2])

    @property
    def request(self) -> Request:
        (stored,) = self.store.requests_of(None)
        return stored.request


def at(text: str) -> datetime:
    moment = instant(text)
    assert moment is not None
    return moment


@pytest.fixture
def history(golden: Golden, tmp_path: Path) -> Any:
    with new_store() as store:
        yield History(store, golden(CASE), tmp_path)


def happened(history: History) -> History:
    history.price_is_known(1)
    history.call_is_logged()
    assert history.price_is_known(2).stored == 1
    assert history.bill_comes().stored == 1
    return history


def test_at_each_instant_the_cost_is_the_one_that_was_known_then_and_never_moves_again(history: History) -> None:
    first, second = history.inputs["queries"]
    before: Known = ("V1", history.cost(first["name"]), "PRICED")
    after: Known = ("V2", history.cost(second["name"]), "PRICED")

    history.price_is_known(1)
    history.call_is_logged()
    assert history.as_known(first["known_at"]) == before
    assert history.price_is_known(2).stored == 1
    assert history.as_known(first["known_at"]) == before
    assert history.as_known(second["known_at"]) == after
    assert history.bill_comes().stored == 1
    assert history.as_known(first["known_at"]) == before
    assert history.as_known(second["known_at"]) == after
    assert history.as_known(history.inputs["billed_query"])[1:] == (history.cost(BILLED), "BILLED")


def test_the_book_answers_for_what_was_known_of_its_prices(history: History, golden_module: ModuleType) -> None:
    """The price alone, without the bill, which is no line of the book."""
    history.price_is_known(1)
    history.call_is_logged()
    history.price_is_known(2)
    everything = PriceBook(history.store.prices())
    for query in history.inputs["queries"]:
        known_at, expected = at(query["known_at"]), history.expected[query["name"]]
        then = cost_of(history.request, PriceBook(history.store.prices(known_at)))
        assert then == cost_of(history.request, everything, known_at)
        found = {"priceId": then.price_id, "costUsd": then.usd, "status": "COMPUTED"}
        assert golden_module.differences(found, expected) == []
        assert then.status == "PRICED"


def test_the_correction_is_kept_with_what_it_replaced(history: History, golden_module: ModuleType) -> None:
    happened(history)
    rows = history.store.read("""
        SELECT
            old_cost_usd, new_cost_usd, new_cost_usd - old_cost_usd, old_price_id, new_price_id,
            CAST(restated_at AS DATE), reason
        FROM restatements ORDER BY restated_at""").rows
    assert len(rows) == 2
    correction, bill = rows
    before, after, delta, *ids, restated_on, reason = correction
    stated = {"beforeUsd": before, "afterUsd": after, "deltaUsd": delta, "auditReason": reason}
    assert golden_module.differences(stated, history.expected["restatementEvent"]) == []
    assert (ids, restated_on) == (["V1", "V2"], date(2026, 2, 25))
    assert bill[:3] == (after, history.cost(BILLED), Decimal(history.expected[BILLED]["driftUsd"]))


def test_what_was_billed_holds_and_its_list_price_stays_beside_it(
    history: History, catalog: Catalog, golden_module: ModuleType
) -> None:
    happened(history)
    listed = list_equivalent(history.request, PriceBook(history.store.prices()))
    total = one(history.store, catalog, "inference_cost", as_of=at("2026-03-03T00:00:00Z").date())
    billed = Decimal(str(total.values["inference_cost"]))
    found = {
        "priceId": listed.price_id,
        "costUsd": billed,
        "computedUsd": listed.usd,
        "status": history.as_known(history.inputs["billed_query"])[2],
        "driftUsd": billed - (listed.usd or 0),
    }
    assert golden_module.differences(found, history.expected[BILLED]) == []


def test_loading_everything_again_restates_nothing(history: History) -> None:
    happened(history)
    for again in (history.price_is_known(2), history.bill_comes(), history.call_is_logged()):
        assert again.stored == 0
    assert history.store.read("SELECT count(*) FROM restatements").rows == [(2,)]


def test_a_price_that_is_corrected_after_the_bill_changes_nothing(history: History) -> None:
    history.price_is_known(1)
    history.call_is_logged()
    history.bill_comes()
    history.price_is_known(2)
    rows = history.store.read("SELECT old_cost_usd, new_cost_usd, new_cost_status FROM restatements").rows
    assert rows == [(history.cost("asKnown 2026-02-20"), history.cost(BILLED), "BILLED")]


PINNED = """
query ($at: DateTime!) {
  spendAsKnown(knownAt: $at, by: [MODEL]) {
    costUsd status calls unpricedCalls
    rows { name costUsd status }
    largest { requestKey costUsd costStatus priceId listUsd listPriceId driftUsd }
  }
}"""
EVENTS = "{ restatements { count deltaUsd events { beforeUsd afterUsd deltaUsd reason statusBefore priceIdAfter } } }"


def pinned(api: Api, when: str) -> dict[str, Any]:
    return dict(api.data(PINNED, {"at": when})["spendAsKnown"])


def as_the_case_says(told: dict[str, Any]) -> dict[str, Any]:
    (call,) = told["largest"]
    return {
        "priceId": call["listPriceId"],
        "costUsd": told["costUsd"],
        "computedUsd": call["listUsd"],
        "status": {"PRICED": "COMPUTED"}.get(call["costStatus"], call["costStatus"]),
        "driftUsd": call["driftUsd"],
    }


def test_a_report_that_is_pinned_by_graphql_never_moves(
    history: History, catalog: Catalog, golden_module: ModuleType
) -> None:
    whens = {q["name"]: q["known_at"] for q in history.inputs["queries"]}
    whens["asKnown 2026-03-03"] = history.inputs["billed_query"]
    expected = {name: known for name, known in history.expected.items() if name.startswith("asKnown")}
    assert set(whens) == set(expected)
    api = Api(catalog, history.store)
    history.price_is_known(1)
    history.call_is_logged()
    first, second = (q["known_at"] for q in history.inputs["queries"])
    seen = [pinned(api, first)]
    history.price_is_known(2)
    seen.append(pinned(api, second))
    history.bill_comes()
    assert [pinned(api, first), pinned(api, second)] == seen
    found = {name: as_the_case_says(pinned(api, when)) for name, when in whens.items()}
    assert golden_module.differences(found, expected) == []
    priced_by = [pinned(api, when)["largest"][0]["priceId"] for when in whens.values()]
    assert priced_by == ["V1", "V2", None]


def test_the_correction_can_be_read_by_graphql(history: History, catalog: Catalog, golden_module: ModuleType) -> None:
    happened(history)
    told = Api(catalog, history.store).data(EVENTS)["restatements"]
    bill, correction = told["events"]
    stated = {name: correction[name] for name in ("beforeUsd", "afterUsd", "deltaUsd")}
    event = {**stated, "auditReason": correction["reason"]}
    assert golden_module.differences(event, history.expected["restatementEvent"]) == []
    assert (correction["statusBefore"], correction["priceIdAfter"]) == ("PRICED", "V2")
    drift = history.expected[BILLED]["driftUsd"]
    assert told["count"] == 2
    assert Decimal(told["deltaUsd"]) == Decimal(history.expected["restatementEvent"]["deltaUsd"]) + Decimal(drift)
    changed = {"beforeUsd": bill["beforeUsd"], "afterUsd": bill["afterUsd"], "deltaUsd": bill["deltaUsd"]}
    stated = {"beforeUsd": correction["afterUsd"], "afterUsd": history.expected[BILLED]["costUsd"], "deltaUsd": drift}
    assert golden_module.differences(changed, stated) == []
