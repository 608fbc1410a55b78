import json
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from loaders import focus
from loaders.item import LoadError, Rejected
from store import Charge
from tests.loaders.focus.conftest import NOW, charges, load, read, sums
from tests.stores import new_store

Json = Mapping[str, object]
ROW: dict[str, object] = {
    "billing_account_id": "01AB-CD",
    "service": {"id": "C7E2", "description": "Vertex AI"},
    "sku": {"id": "9D1F", "description": "Gemini input tokens"},
    "usage_start_time": "2026-11-19 08:00:00 UTC",
    "usage_end_time": "2026-11-19 09:00:00 UTC",
    "project": {"id": "agents", "number": "7", "labels": [{"key": "team", "value": "a"}]},
    "location": {"location": "us-central1", "region": "us-central1"},
    "cost": 1.25,
    "currency": "USD",
    "currency_conversion_rate": 1.0,
    "credits": [{"name": "trial", "amount": -0.25, "type": "PROMOTION"}, {"name": "cud", "amount": -0.1}],
    "invoice": {"month": "202611"},
    "cost_type": "regular",
}


def jsonl(path: Path, *rows: Json) -> Path:
    path.write_text("\n".join(json.dumps(row) for row in rows))
    return path


def charge_of(path: Path, **changed: object) -> Charge:
    [charge] = charges(focus.read(jsonl(path / "a.jsonl", ROW | changed), now=NOW))
    return charge


def test_a_row_is_a_charge_of_what_remains_after_its_credits(tmp_path: Path) -> None:
    charge = charge_of(tmp_path)

    assert charge == Charge(
        charge_id=charge.charge_id,
        source="focus",
        category="inference",
        amount_usd=Decimal("0.9"),
        starts_on=date(2026, 11, 19),
        ends_on=date(2026, 11, 20),
        vendor="Google Cloud",
        description="Vertex AI: Gemini input tokens",
        billed_usd=Decimal("0.9"),
        part="Google Cloud | 01AB-CD | 2026-11-01 | day 19",
    )


def flat(separator: str) -> dict[str, str]:
    """As a query for CSV selects it."""
    found: dict[str, str] = {}
    for name, value in ROW.items():
        if isinstance(value, Mapping):
            found |= {f"{name}{separator}{inner}": str(leaf) for inner, leaf in value.items()}
        else:
            found[name] = json.dumps(value) if isinstance(value, list) else str(value)
    return found


@pytest.mark.parametrize("separator", [".", "_"])
def test_csv_gives_the_same_charge_as_jsonl(tmp_path: Path, separator: str) -> None:
    assert charges(read(tmp_path, flat(separator))) == [charge_of(tmp_path)]


def test_parquet_gives_the_same_charge_as_jsonl(tmp_path: Path) -> None:
    path = tmp_path / "000000000000.parquet"
    with duckdb.connect() as connection:
        connection.execute(f"""
            COPY (
                SELECT '01AB-CD' AS billing_account_id, {{'id': 'C7E2', 'description': 'Vertex AI'}} AS service,
                    {{'id': '9D1F', 'description': 'Gemini input tokens'}} AS sku,
                    TIMESTAMP '2026-11-19 08:00:00' AS usage_start_time,
                    make_timestamp(epoch_us(TIMESTAMP '2026-11-19 09:00:00')) AS usage_end_time,
                    {{'id': 'agents'}} AS project, {{'region': 'us-central1'}} AS location, 1.25::DOUBLE AS cost,
                    'USD' AS currency, {{'month': '202611'}} AS invoice, 'regular' AS cost_type,
                    [{{'amount': -0.25::DOUBLE}}, {{'amount': -0.1::DOUBLE}}] AS credits
            ) TO '{path}' (FORMAT parquet)""")

    assert charges(focus.read(path, now=NOW)) == [charge_of(tmp_path)]


@pytest.mark.parametrize("nothing", [[], None, "", "[]"])
def test_a_row_without_credits_costs_what_it_costs(tmp_path: Path, nothing: object) -> None:
    assert charge_of(tmp_path, credits=nothing).amount_usd == Decimal("1.25")


@pytest.mark.parametrize(
    ("kind", "said"), [("tax", "Tax: "), ("adjustment", "Adjustment: "), ("rounding_error", "Adjustment: "), (None, "")]
)
def test_taxes_and_adjustments_say_so(tmp_path: Path, kind: str | None, said: str) -> None:
    assert charge_of(tmp_path, cost_type=kind).description == f"{said}Vertex AI: Gemini input tokens"


def test_the_invoice_month_decides_whose_bill_a_late_use_is_on(tmp_path: Path) -> None:
    late = charge_of(tmp_path, invoice={"month": "202612"})

    assert (late.part, late.starts_on) == ("Google Cloud | 01AB-CD | 2026-12-01 | day 1", date(2026, 11, 19))
    assert late.charge_id != charge_of(tmp_path).charge_id


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"currency": "EUR"}, "currency is 'EUR': divide cost and the amounts of the credits by currency_conversion"),
        ({"cost": None}, "cost must be a plain amount in USD"),
        ({"cost": "1,5"}, "cost must be a plain amount in USD"),
        ({"credits": [{"name": "x"}]}, "credits.amount must be a plain amount in USD like 1234.50, got empty"),
        ({"credits": {"amount": 1}}, "credits must be a list of credits with an amount each, got"),
        ({"credits": [1]}, "credits must be a list of credits with an amount each, got [1]"),
        ({"credits": "[{"}, "credits must be a list of credits in JSON, got '[{'"),
        ({"credits": "[" * 100_000}, "credits must be a list of credits in JSON, got"),
        ({"credits": '[{"amount": NaN}]'}, "credits.amount must be a plain amount in USD"),
        ({"invoice": {"month": "2026-11"}}, "invoice.month must be a month like 202611, got '2026-11'"),
        ({"invoice": {"month": "20261"}}, "invoice.month must be a month like 202611, got '20261'"),
        ({"invoice": None}, "invoice.month must be text, got empty"),
        ({"cost_type": "gift"}, "cost_type must be one of regular, tax, adjustment, rounding_error, got 'gift'"),
        ({"service": "Vertex AI"}, "service.description must be text, got empty"),
        ({"usage_start_time": "2026-11-19 08:00 PST"}, "usage_start_time must be an instant like"),
    ],
)
def test_a_row_that_cannot_be_read_says_what_would_be_right(
    tmp_path: Path, changed: dict[str, object], said: str
) -> None:
    first, second = focus.read(jsonl(tmp_path / "a.jsonl", ROW, ROW | changed), now=NOW)

    assert not isinstance(first, Rejected)
    assert isinstance(second, Rejected)
    assert second.reason.startswith(said)


def test_an_export_without_its_credits_is_refused(tmp_path: Path) -> None:
    path = jsonl(tmp_path / "a.jsonl", {name: value for name, value in ROW.items() if name != "credits"})
    with pytest.raises(LoadError, match="not a Google Cloud billing export: there is no column credits; the file has"):
        list(focus.read(path, now=NOW))


def test_a_month_that_is_exported_again_replaces_the_one_before(tmp_path: Path) -> None:
    with new_store() as store:
        other = {"sku": {"id": "1", "description": "output"}, "credits": []}
        load(store, jsonl(tmp_path / "a.jsonl", ROW, ROW | other))
        assert sums(store) == (Decimal("2.15"), Decimal("2.15"))
        assert load(store, jsonl(tmp_path / "a.jsonl", ROW), whole="periods").removed == 1
        assert sums(store) == (Decimal("0.9"), Decimal("0.9"))
