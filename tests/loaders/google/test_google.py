"""The billing export in BigQuery becomes charges for calls, each day as a whole."""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from loaders.google.bill import NO_CALL
from loaders.item import Ignored, Item, LoadError, Note, Parsed, Rejected, WholePart
from loaders.job import run_load
from loaders.loader import Task
from loaders.web import ComeBackError
from store import Charge
from tests.loaders.google.stub import TABLE, BigQueryApi, line
from tests.loaders.http_stub import NOW, Reply
from tests.loaders.scripted import query, said
from tests.loaders.services import Asking, asking
from tests.stores import new_store

INPUT = "Generate content cached input token count gemini 2.5 flash"


@pytest.fixture
def export() -> Iterator[Asking]:
    with asking("google") as found:
        yield found


def stub(export: Asking) -> BigQueryApi:
    assert isinstance(export.stub, BigQueryApi)
    return export.stub


def charges(items: list[Item | Note]) -> list[Charge]:
    records = [record for item in items if isinstance(item, Parsed) for record in item.records]
    return [record for record in records if isinstance(record, Charge)]


def loaded(export: Asking, *rows: dict[str, Any], **options: str) -> list[Item | Note]:
    stub(export).rows = list(rows)
    return export.load(anew=True, **options)


def test_a_row_is_a_charge_of_its_day_less_its_credits(export: Asking) -> None:
    [charge] = charges(loaded(export, line(cost="0.00309", credits="-0.00109")))

    assert (charge.category, charge.vendor, charge.source) == ("inference", "google", "google")
    assert (charge.amount_usd, charge.starts_on, charge.ends_on) == (
        Decimal("0.00200"),
        date(2026, 11, 19),
        date(2026, 11, 20),
    )
    assert charge.description == "Gemini API: Generate content output token count gemini 2.5 flash"


@pytest.mark.parametrize(
    ("sku", "line_item"),
    [
        (INPUT, "cache_read"),
        ("Gemini 2.5 Flash Text Input - Predictions", "uncached_input"),
        ("Gemini 2.5 Flash Text Output - Predictions", "output"),
        ("Gemini API Grounding with Google Search", "fee"),
        ("Gemini, other", None),
    ],
)
def test_the_sku_says_what_a_line_is_for(export: Asking, sku: str, line_item: str | None) -> None:
    [charge] = charges(loaded(export, line(sku=sku)))

    assert charge.line_item == line_item


def test_other_money_is_turned_into_dollars_at_the_rate_of_the_bill(export: Asking) -> None:
    items = loaded(export, line(currency="EUR", rate="0.92", cost="1.84"), line(currency="EUR", rate="0"))

    assert [charge.amount_usd for charge in charges(items)] == [Decimal(2)]
    [rejected] = [item for item in items if isinstance(item, Rejected)]
    assert rejected.reason == "currency is EUR and currency_conversion_rate is 0, so the cost in USD is not known"
    assert [item for item in items if isinstance(item, WholePart)] == []


def test_machines_and_storage_are_no_calls(export: Asking) -> None:
    items = loaded(
        export,
        line(service="Vertex AI", sku="Online prediction node hour in Belgium"),
        line(sku="Cached content storage token count gemini 2.5 pro"),
    )

    assert [item.rule for item in items if isinstance(item, Ignored)] == [NO_CALL, NO_CALL]


def test_an_adjustment_says_so_and_may_be_below_zero(export: Asking) -> None:
    [charge] = charges(loaded(export, line(cost_type="adjustment", cost="-1.5")))

    assert charge.amount_usd == Decimal("-1.5")
    assert charge.description is not None
    assert charge.description.startswith("adjustment: Gemini API: ")


def test_a_query_that_takes_long_is_waited_for_and_read_page_by_page(export: Asking) -> None:
    stub(export).waits = 3
    items = loaded(export, *(line(sku_id=f"sku {number}") for number in range(5)))

    assert len(charges(items)) == 5
    assert export.time.pauses == [1, 2]
    asked = [query(each) for each in export.stub.asked[1:]]
    assert [each.get("pageToken") for each in asked] == [None, None, None, "2", "4"]
    assert len(stub(export).questions) == 1


def test_a_query_that_is_never_done_ends_the_load(export: Asking) -> None:
    stub(export).waits = 99

    with pytest.raises(ComeBackError, match="the query is not done yet, 6 times; load again later"):
        export.load()


def test_the_question_is_asked_with_a_limit_and_with_what_was_exported_since(export: Asking) -> None:
    export.load(region="EU")
    [question] = stub(export).questions

    assert question["queryParameters"][0]["parameterValue"] == {"value": "2026-09-21T12:00:00+00:00"}
    assert question["maximumBytesBilled"] == str(100 * 2**30)
    assert (question["useLegacySql"], question["location"]) == (False, "EU")
    assert f"FROM `{TABLE}`" in question["query"]


def test_the_next_load_asks_for_what_was_exported_ten_days_before_the_last(export: Asking) -> None:
    export.load()
    export.load()

    assert stub(export).questions[-1]["queryParameters"][0]["parameterValue"] == {"value": "2026-11-12T12:00:00+00:00"}


def test_a_restated_day_replaces_itself_in_whichever_month_it_is_invoiced(export: Asking) -> None:
    with new_store() as store:
        run_load(store, "google", TABLE, loaded(export, line(), line(sku=INPUT), line("2026-11-18")), now=NOW)
        later = line(cost="0.004", invoice_month="202612")
        report = run_load(store, "google", TABLE, loaded(export, later), now=NOW + timedelta(days=1))
        rows = store.read("SELECT starts_on::VARCHAR, amount_usd FROM charges ORDER BY ALL").rows

    assert rows == [("2026-11-18", Decimal("0.00309")), ("2026-11-19", Decimal("0.004"))]
    assert report.removed == 2


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"cost": "NaN"}, "cost must be a plain amount in USD"),
        ({"credits": None}, "credits must be a plain amount in USD"),
        ({"day": "19.11.2026"}, "day must be a day like"),
        ({"currency": None}, "currency must be text"),
    ],
)
def test_a_row_that_cannot_be_right_keeps_its_day_from_being_whole(
    export: Asking, changes: dict[str, Any], reason: str
) -> None:
    items = loaded(export, line() | changes, line("2026-11-18"))

    [rejected] = [item for item in items if isinstance(item, Rejected)]
    assert rejected.reason.startswith(reason)
    assert len(charges(items)) == 1
    whole = [item.part for item in items if isinstance(item, WholePart)]
    assert whole == ([] if "day" in changes else [f"{TABLE} | 2026-11-18"])


def test_fewer_rows_than_bigquery_counts_end_the_load(export: Asking) -> None:
    stub(export).rows = [line(sku_id=f"sku {number}") for number in range(4)]

    def fewer(_: object) -> None:
        del stub(export).rows[2:]

    export.stub.script = [lambda _: None, fewer]
    with pytest.raises(LoadError, match="counts 4 rows and gave 2; load again"):
        export.load()


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (
            said(400, {"error": {"message": "Unrecognized name: rate"}}),
            "cannot be read .400: 'Unrecognized name: rate'",
        ),
        (said(200, {"errors": [{"reason": "stopped"}]}), "BigQuery could not answer: .*stopped"),
    ],
)
def test_a_question_that_bigquery_refuses_ends_the_load_at_once(export: Asking, reply: Reply, reason: str) -> None:
    export.stub.script = [reply]

    with pytest.raises(LoadError, match=reason):
        export.load()
    assert len(export.stub.asked) == 1


def test_a_limit_of_bigquery_is_a_403_and_goes_away(export: Asking) -> None:
    limited = {"error": {"code": 403, "message": "Exceeded rate limits", "errors": [{"reason": "rateLimitExceeded"}]}}
    export.stub.script = [said(403, limited)]

    assert len(charges(export.load())) == 1


@pytest.mark.parametrize(
    "changes", [{"jobReference": None}, {"schema": None}, {"schema": {"fields": []}}, {"totalRows": 3}, {"rows": 7}]
)
def test_an_answer_that_lacks_what_it_must_have_is_asked_for_again(export: Asking, changes: dict[str, object]) -> None:
    answer = {
        "jobReference": {"jobId": "job_1"},
        "jobComplete": True,
        "schema": {"fields": [{"name": "day"}]},
        "totalRows": "0",
        "rows": [],
    }
    export.stub.script = [said(200, answer | changes)]

    assert len(charges(export.load())) == 1


def test_the_question_may_be_paid_for_by_another_project(export: Asking) -> None:
    with pytest.raises(LoadError, match="there is no such thing as the billing export there"):
        export.load(project="acme-payer0")
    assert export.stub.asked[0].path == "/projects/acme-payer0/queries"


@pytest.mark.parametrize(
    "location", ["", "table", "acme-billing.export", "acme-billing.export.t` WHERE 1=1 --", "Acme.export.table"]
)
def test_a_table_that_cannot_be_one_is_told_at_once(location: str, export: Asking) -> None:
    with pytest.raises(LoadError, match="the location is the table of the billing export, like "):
        export.kind.read(Task(location, NOW), None)
