import json
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from loaders import focus
from loaders.item import LoadError, Rejected
from store import Charge
from tests.loaders.focus.conftest import NOW, charges, load, read, sums, write
from tests.stores import new_store

PAYER, MEMBER = "123456789012", "210987654321"
LINE = {
    "identity_line_item_id": "x",
    "bill_billing_period_start_date": "2026-11-01T00:00:00.000Z",
    "bill_payer_account_id": PAYER,
    "line_item_currency_code": "USD",
    "line_item_line_item_description": "$0.0030 per 1K input tokens",
    "line_item_line_item_type": "Usage",
    "line_item_product_code": "AmazonBedrock",
    "line_item_resource_id": "arn:aws:bedrock:us-east-1::foundation-model/example",
    "line_item_unblended_cost": "3.2174105",
    "line_item_usage_account_id": MEMBER,
    "line_item_usage_end_date": "2026-11-19T09:00:00.000Z",
    "line_item_usage_start_date": "2026-11-19T08:00:00.000Z",
    "pricing_rate_code": "R.1.2",
    "product_product_family": "",
    "product_region_code": "us-east-1",
    "product_sku": "S1",
    "reservation_effective_cost": "0.0",
    "reservation_reservation_a_r_n": "",
    "reservation_unused_amortized_upfront_fee_for_billing_period": "0.0",
    "reservation_unused_recurring_fee": "0.0",
    "savings_plan_savings_plan_a_r_n": "",
    "savings_plan_savings_plan_effective_cost": "0.0",
    "savings_plan_total_commitment_to_date": "0.0",
    "savings_plan_used_commitment": "0.0",
    "resource_tags": '{"user_team": "agents"}',
}
PLAN, RESERVED = "arn:aws:savingsplans::1:savingsplan/p", "arn:aws:ec2:us-east-1:1:reserved-instances/r"


def line(kind: str, unblended: str, **columns: str) -> dict[str, str]:
    return LINE | {"line_item_line_item_type": kind, "line_item_unblended_cost": unblended, **columns}


MONTH = [
    line("Usage", "10"),
    line("SavingsPlanCoveredUsage", "8", savings_plan_savings_plan_effective_cost="5"),
    line("SavingsPlanNegation", "-8"),
    # 7 were committed so far and 5 of them used: 2 are paid for nothing.
    line(
        "SavingsPlanRecurringFee", "7", savings_plan_total_commitment_to_date="7", savings_plan_used_commitment="5"
    ),
    line("SavingsPlanUpfrontFee", "365", savings_plan_savings_plan_a_r_n=PLAN),
    line("DiscountedUsage", "0", reservation_effective_cost="4", reservation_reservation_a_r_n=RESERVED),
    line(
        "RIFee", "3", reservation_reservation_a_r_n=RESERVED, reservation_unused_recurring_fee="0.25",
        reservation_unused_amortized_upfront_fee_for_billing_period="0.5",
    ),
    line("Fee", "100", reservation_reservation_a_r_n=RESERVED),
    line("Fee", "29", line_item_product_code="AWSSupportDeveloper"),
    line("Tax", "2"),
    line("Credit", "-1"),
    line("Refund", "-0.5"),
    line("EdpDiscount", "-0.25"),
]  # fmt: skip
EFFECTIVE = ["10", "5", "0", "2", "0", "4", "0.75", "0", "29", "2", "-1", "-0.5", "-0.25"]


def test_a_line_is_a_charge_of_its_hour(tmp_path: Path) -> None:
    [charge] = charges(read(tmp_path, LINE))

    assert charge == Charge(
        charge_id=charge.charge_id,
        source="focus",
        category="inference",
        amount_usd=Decimal("3.2174105"),
        starts_on=date(2026, 11, 19),
        ends_on=date(2026, 11, 20),
        vendor="AWS",
        description="AmazonBedrock: $0.0030 per 1K input tokens",
        billed_usd=Decimal("3.2174105"),
        part="AWS | 123456789012 | 2026-11-01 | day 19",
    )


def test_each_type_of_line_costs_in_effect_what_awss_rule_says(tmp_path: Path) -> None:
    found = charges(read(tmp_path, *MONTH))

    assert [charge.amount_usd for charge in found] == list(map(Decimal, EFFECTIVE))
    assert [charge.billed_usd for charge in found] == [Decimal(row["line_item_unblended_cost"]) for row in MONTH]
    assert [str(charge.description).split(": ")[0] for charge in found] == [
        *["AmazonBedrock"] * 3, *["Purchase"] * 2, "AmazonBedrock", *["Purchase"] * 3,
        "Tax", "Credit", "Adjustment", "Adjustment",
    ]  # fmt: skip


def test_a_month_sums_to_the_invoice_and_to_what_was_used_and_wasted(tmp_path: Path) -> None:
    with new_store() as store:
        load(store, write(tmp_path / "a.csv.gz", *MONTH))
        assert sums(store) == (Decimal("514.25"), Decimal(51))


@pytest.mark.parametrize(
    ("kind", "column"),
    [
        ("SavingsPlanCoveredUsage", "savings_plan_savings_plan_effective_cost"),
        ("SavingsPlanRecurringFee", "savings_plan_used_commitment"),
        ("DiscountedUsage", "reservation_effective_cost"),
        ("RIFee", "reservation_unused_recurring_fee"),
    ],
)
def test_a_line_without_the_column_of_its_rule_is_rejected_by_its_name(tmp_path: Path, kind: str, column: str) -> None:
    [item] = read(tmp_path, {name: value for name, value in line(kind, "1").items() if name != column})

    assert isinstance(item, Rejected)
    assert item.reason == f"{column} must be a plain amount in USD like 1234.50, got empty"


def test_another_currency_is_rejected_with_what_to_do(tmp_path: Path) -> None:
    [item] = read(tmp_path, LINE | {"line_item_currency_code": "CNY"})

    assert isinstance(item, Rejected)
    assert item.reason.startswith(
        "line_item_currency_code is 'CNY': convert line_item_unblended_cost and the effective"
    )


def test_columns_that_are_needed_are_named_when_missing(tmp_path: Path) -> None:
    left = {name: value for name, value in LINE.items() if not name.startswith("bill_")}
    with pytest.raises(
        LoadError,
        match=r"not an AWS Cost and Usage Report 2.0: there is no column bill_billing_period_start_date, bill_payer",
    ):
        read(tmp_path, left)


@pytest.mark.parametrize(
    ("columns", "category"),
    [
        ({"line_item_product_code": "AmazonEC2", "product_product_family": "Compute Instance"}, "compute"),
        ({"line_item_product_code": "AmazonEC2", "product_product_family": "Storage"}, "storage"),
        ({"line_item_product_code": "AmazonEC2", "product_product_family": "Data Transfer"}, "network"),
        ({"line_item_product_code": "AmazonS3"}, "storage"),
        ({"line_item_product_code": "AmazonRDS"}, "software"),
        ({"line_item_product_code": "9rp1", "line_item_line_item_description": "Claude on Bedrock"}, "inference"),
        ({"line_item_product_code": "AmazonBedrock"}, "inference"),
        ({"line_item_product_code": "AmazonSageMaker", "product_product_family": "ML Instance"}, "compute"),
        ({"line_item_product_code": "9rp1", "line_item_line_item_description": "AMI"}, "other"),
    ],
)
def test_the_category_follows_from_family_and_product(tmp_path: Path, columns: dict[str, str], category: str) -> None:
    [charge] = charges(read(tmp_path, LINE | {"line_item_line_item_description": "x"} | columns))
    assert charge.category == category


@pytest.mark.parametrize("end", ["", "2026-11-19T08:00:00.000Z"])
def test_a_fee_of_one_instant_is_a_charge_of_its_day(tmp_path: Path, end: str) -> None:
    [charge] = charges(read(tmp_path, line("Fee", "1", line_item_usage_end_date=end)))
    assert (charge.starts_on, charge.ends_on) == (date(2026, 11, 19), date(2026, 11, 20))


def test_parquet_with_maps_gives_the_same_charges_as_csv(tmp_path: Path) -> None:
    path = tmp_path / "main-00001.snappy.parquet"
    kinds = {"_cost": "DOUBLE", "_start_date": "TIMESTAMP", "_end_date": "TIMESTAMP", "_fee": "DOUBLE"}
    columns = ", ".join(
        f"{value!r}::{next((kind for end, kind in kinds.items() if name.endswith(end)), 'VARCHAR')} AS {name}"
        for name, value in LINE.items()
        if name != "resource_tags"
    )
    with duckdb.connect() as connection:
        connection.execute(
            f"COPY (SELECT {columns}, MAP {{'user_team': 'agents'}} AS resource_tags) TO '{path}' (FORMAT parquet)"
        )

    assert charges(focus.read(path, now=NOW)) == charges(read(tmp_path, LINE))


def test_a_report_and_the_focus_export_of_one_account_take_each_others_place(tmp_path: Path) -> None:
    """Their rows differ, their bill does not: with both loaded it would be counted twice."""
    other = {"BillingAccountId": PAYER, "ProviderName": "AWS", "BillingPeriodStart": "2026-11-01", "BilledCost": "3"}
    row = other | {
        "EffectiveCost": "3",
        "BillingCurrency": "USD",
        "ChargeCategory": "Usage",
        "ChargePeriodStart": "2026-11-19",
        "ChargePeriodEnd": "2026-11-20",
        "ServiceName": "Amazon Bedrock",
    }
    with new_store() as store:
        load(store, write(tmp_path / "focus.csv", row), whole="periods")
        assert load(store, write(tmp_path / "cur.csv", LINE), whole="periods").removed == 1
        assert sums(store) == (Decimal("3.2174105"), Decimal("3.2174105"))


def test_the_manifest_of_a_report_replaces_the_month(tmp_path: Path) -> None:
    manifest = tmp_path / "metadata" / "BILLING_PERIOD=2026-11" / "cur-Manifest.json"
    manifest.parent.mkdir(parents=True)
    name = "data/BILLING_PERIOD=2026-11/cur-00001.csv.gz"
    arn = f"arn:aws:bcm-data-exports:us-east-1:{PAYER}:export/cur-1"
    manifest.write_text(json.dumps({"exportArn": arn, "dataFiles": [f"s3://bills/cur/{name}"]}))
    with new_store() as store:
        write(tmp_path / name, *MONTH)
        assert load(store, tmp_path).stored == len(MONTH)
        write(tmp_path / name, *MONTH[1:])
        load(store, tmp_path)
        assert sums(store) == (Decimal("504.25"), Decimal(41))
