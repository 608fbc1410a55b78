"""Spend on no known session, by kind and with what to do; and both reports as commands."""

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from semantic import Catalog
from store import Charge, PricedRequest, ReportedUsage, Store
from tests.server.conftest import Api, Run, at, call, load_into, session

FIELDS = """rows { kind provider model agent source day calls sessionIds costUsd costStatus share whatToDo }
    truncated calls costUsd costStatus share callShare"""


def made(
    key: str, session_id: str | None, agent: str | None, cost: str | None, on: str = "2026-03-02"
) -> PricedRequest:
    priced = call(key, session_id or "", "big", f"{on}T10:00", cost)
    return replace(priced, request=replace(priced.request, session_id=session_id, agent=agent))


RECORDS = (
    session("s1", "main", "cron", "2026-03-02T10:00"),
    made("r1", "s1", "main", "6"),
    made("r2", None, "scout", "2"),
    made("r3", None, "scout", "1", "2026-03-03"),
    made("r4", None, None, "0.5"),
    made("r5", "never-loaded", "scout", "0.25"),
    made("r6", "never-loaded-2", "scout", None),
)


@pytest.fixture(scope="module")
def tagged(catalog: Catalog) -> Iterator[Api]:
    with Store.open(None) as store:
        load_into(store, RECORDS)
        yield Api(catalog, store)


def test_each_kind_is_told_with_what_it_costs_and_what_to_do(tagged: Api) -> None:
    found = tagged.data(f"{{ untagged {{ {FIELDS} }} }}")["untagged"]
    rows = {row["kind"]: row for row in found["rows"]}
    assert [row["kind"] for row in found["rows"]] == ["AGENT_ONLY", "NOTHING", "UNKNOWN_SESSION"]
    assert {kind: (row["agent"], row["calls"], row["sessionIds"]) for kind, row in rows.items()} == {
        "AGENT_ONLY": ("scout", 2, 0),
        "NOTHING": (None, 1, 0),
        "UNKNOWN_SESSION": ("scout", 2, 2),
    }
    assert {kind: (Decimal(row["costUsd"]), row["costStatus"]) for kind, row in rows.items()} == {
        "AGENT_ONLY": (3, "OK"),
        "NOTHING": (Decimal("0.5"), "OK"),
        "UNKNOWN_SESSION": (Decimal("0.25"), "LOWER_BOUND"),
    }
    assert rows["AGENT_ONLY"]["share"] == pytest.approx(3 / 9.75)
    assert "Set the session where the call is made" in rows["AGENT_ONLY"]["whatToDo"]
    assert "Load the source that has them" in rows["UNKNOWN_SESSION"]["whatToDo"]
    assert "Send the session and the agent" in rows["NOTHING"]["whatToDo"]
    assert (found["calls"], Decimal(found["costUsd"]), found["costStatus"]) == (5, Decimal("3.75"), "LOWER_BOUND")
    assert (found["share"], found["callShare"]) == (pytest.approx(3.75 / 9.75), pytest.approx(5 / 6))


def test_its_sum_is_that_of_the_metric(tagged: Api) -> None:
    (row,) = tagged.rows("unattributedCost")
    assert Decimal(row["unattributedCost"]) == Decimal("3.75")


def test_it_can_be_asked_by_day_of_a_part_and_of_a_few(tagged: Api) -> None:
    where = '{ agent: { eq: "scout" }, attribution: { eq: NO_SESSION_ID } }'
    found = tagged.data(f"{{ untagged(byDay: true, where: {where}) {{ {FIELDS} }} }}")["untagged"]
    assert [(row["day"], row["calls"]) for row in found["rows"]] == [("2026-03-02", 1), ("2026-03-03", 1)]
    assert found["share"] == 1
    few = tagged.data(f"{{ untagged(limit: 1) {{ {FIELDS} }} }}")["untagged"]
    assert (len(few["rows"]), few["truncated"], few["calls"]) == (1, True, 5)
    assert tagged.codes("{ untagged(limit: 0) { calls } }") == ["BAD_ARGUMENT"]


def test_where_every_call_is_tagged_nothing_is_untagged(catalog: Catalog) -> None:
    with Store.open(None) as store:
        load_into(store, RECORDS[:2])
        found = Api(catalog, store).data(f"{{ untagged {{ {FIELDS} }} }}")["untagged"]
        assert (found["rows"], found["calls"], found["share"], found["callShare"]) == ([], 0, 0, 0)


def bill(line_item: str | None, amount: str) -> Charge:
    return Charge(
        charge_id=f"b-{line_item}",
        source="acme",
        category="inference",
        vendor="Acme",
        starts_on=date(2026, 3, 2),
        ends_on=date(2026, 3, 3),
        amount_usd=Decimal(amount),
        model=None if line_item == "fee" else "big",
        line_item=line_item,  # type: ignore[arg-type]
    )


def counted(usage_id: str, reporter: str, requests: int, **fields: object) -> ReportedUsage:
    """So many calls of 10 tokens in and 5 out."""
    return ReportedUsage(
        **{  # type: ignore[arg-type]
            "usage_id": usage_id,
            "source": reporter,
            "reporter": reporter,
            "provider": "acme",
            "starts_at": at("2026-03-02T00:00"),
            "ends_at": at("2026-03-03T00:00"),
            "model": "big",
            "requests": requests,
            "uncached_input_tokens": 10 * requests,
            "cache_read_tokens": 0,
            "output_tokens": 5 * requests,
            **fields,
        }
    )


@pytest.fixture
def served(run: Run, tmp_path: Path) -> Run:
    """On the second of March four priced calls of 8.75 and one without a price; the provider counted seven."""
    with Store.open(tmp_path / "store.duckdb") as store:
        lines = (bill("uncached_input", "7"), bill("output", "14"), bill("fee", "0.3"))
        counts = (
            counted("p", "provider", 7, cache_write_5m_tokens=0),
            counted("m", "meter", 8, is_lower_bound=True, model=None, member="meter of x, agent scout"),
            counted("g", "gateway", 4),
        )
        load_into(store, (*RECORDS, *lines, *counts))
    return run


def test_reconcile_prints_each_period_with_its_causes(served: Run) -> None:
    printed = served("reconcile")
    assert printed.code == 0, printed.err
    words = " ".join(printed.out.split())
    assert "+6.0000 UNRECORDED_TRAFFIC big (30 tokens)" in words
    assert "+3.0000 UNPRICED_CALLS big (15 tokens)" in words
    assert "+3.2500 PRICE_DIFFERENCE big" in words
    assert "+0.3000 FEES" in words
    assert "meter of x (meter) counted at least 45 tokens more" in words
    assert "gateway (gateway)" not in words
    assert "1 periods that no bill covers are not shown, with 1.0000 USD; --all" in words


def test_reconcile_as_csv_has_a_line_for_each_cause_and_they_add_up(served: Run) -> None:
    rows = list(csv.DictReader(io.StringIO(served("reconcile", "--since", "2026-03-02", "--format", "csv").out)))
    causes = [row for row in rows if row["cause_kind"]]
    assert {row["cause_kind"] for row in causes} == {"UNRECORDED_TRAFFIC", "UNPRICED_CALLS", "PRICE_DIFFERENCE", "FEES"}
    assert {row["driftUsd"] for row in causes} == {"12.550000000000"}
    assert sum(Decimal(row["cause_usd"]) for row in causes) == Decimal("12.55")
    (pending,) = (row for row in rows if not row["cause_kind"])
    assert (pending["status"], pending["billedUsd"]) == ("PENDING", "")


def test_reconcile_as_json_is_the_field_and_a_wrong_day_is_refused(served: Run) -> None:
    found = json.loads(served("reconcile", "--provider", "ACME", "--format", "json").out)
    assert Decimal(found["totals"]["netDriftUsd"]) == sum(Decimal(one["usd"]) for one in found["causes"])
    assert served("reconcile", "--since", "soon").code == 1


def test_untagged_prints_the_kinds_and_what_to_do(served: Run) -> None:
    printed = served("untagged")
    assert printed.code == 0, printed.err
    words = " ".join(printed.out.split())
    assert "AGENT_ONLY │ acme │ big │ scout │ test │ 2 │ 0 │ 3.0000 │ 30.77%" in words
    assert "NOTHING: Send the session and the agent with each call" in words
    rows = list(csv.DictReader(io.StringIO(served("untagged", "--by-day", "--format", "csv").out)))
    assert {(row["kind"], row["day"]) for row in rows} >= {("AGENT_ONLY", "2026-03-03")}


def test_a_store_without_calls_says_that_there_are_none(run: Run, tmp_path: Path) -> None:
    Store.open(tmp_path / "store.duckdb").close()
    assert "there are no calls in this range" in run("untagged").out
    assert run("reconcile").code == 0
