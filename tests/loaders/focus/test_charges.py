import gzip
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from loaders import focus
from loaders.item import Ignored, LoadError, Location, Parsed
from store import Charge
from tests.loaders.focus.conftest import NOW, ROW, charge_of, charges, csv_of, load, read, reason, total, write
from tests.stores import new_store


def test_a_row_is_a_charge_of_its_effective_cost(tmp_path: Path) -> None:
    [item] = read(tmp_path, ROW)

    assert isinstance(item, Parsed)
    [charge] = item.records
    assert isinstance(charge, Charge)
    assert item.location == Location(str(tmp_path / "costs.csv"), 2)
    assert charge == Charge(
        charge_id=charge.charge_id,
        source="focus",
        category="inference",
        amount_usd=Decimal("3.2174105"),
        starts_on=date(2026, 11, 19),
        ends_on=date(2026, 11, 20),
        vendor="AWS",
        description="Amazon Bedrock: input tokens",
        billed_usd=Decimal(4),
        part="AWS | 1001 | 2026-11-01 | day 19",
    )


def test_a_commitment_and_the_use_that_it_covers_are_counted_once(tmp_path: Path) -> None:
    purchase = ROW | {"ChargeCategory": "Purchase", "BilledCost": "300", "EffectiveCost": "0"}
    use = ROW | {"BilledCost": "0", "EffectiveCost": "10"}

    bought, used = charges(read(tmp_path, purchase, use))
    assert (bought.amount_usd, used.amount_usd) == (Decimal(0), Decimal(10))
    assert (bought.billed_usd, used.billed_usd) == (Decimal(300), Decimal(0))
    assert bought.description == "Purchase: Amazon Bedrock: input tokens"


@pytest.mark.parametrize("kind", ["Purchase", "Tax", "Credit", "Adjustment"])
def test_what_is_not_plain_usage_says_so_and_stays_with_its_service(tmp_path: Path, kind: str) -> None:
    charge = charge_of(tmp_path, ChargeCategory=kind, EffectiveCost="-5.0E-1", ServiceCategory="Compute")

    assert (charge.category, charge.amount_usd) == ("compute", Decimal("-0.5"))
    assert charge.description == f"{kind}: Amazon Bedrock: input tokens"


@pytest.mark.parametrize(
    ("service", "category"),
    [
        ("AI and Machine Learning", "inference"),  # of Amazon Bedrock
        ("Compute", "compute"),
        ("Storage", "storage"),
        ("Networking", "network"),
        ("Databases", "software"),
        ("Management and Governance", "software"),
        ("Other", "other"),
        ("Quantum", "other"),
        ("", "other"),
        ("NULL", "other"),
    ],
)
def test_the_service_category_decides_ours(tmp_path: Path, service: str, category: str) -> None:
    assert charge_of(tmp_path, ServiceCategory=service).category == category


@pytest.mark.parametrize(
    ("service", "described", "category"),
    [
        ("Amazon Bedrock", "$0.003 per 1K input tokens", "inference"),
        ("Amazon Bedrock", "NULL", "inference"),
        ("Amazon Bedrock", "Claude cache write, 1 hour, tokens", "inference"),
        ("AmazonBedrock", "USE1-ProvisionedThroughput, $39.60 per model unit", "compute"),
        ("Amazon Bedrock AgentCore", "AgentCore Runtime vCPU", "compute"),
        ("9rp1", "Claude (Amazon Bedrock Edition), input tokens", "inference"),
        ("Claude Sonnet 4.6", "AWS Marketplace software usage", "inference"),
        ("Azure OpenAI", "gpt-4o Inp glbl Tokens", "inference"),
        ("Azure OpenAI", "Fine-tuned model hosting, 1 Hour", "compute"),
        ("Cognitive Services", "Azure OpenAI - gpt-4o Outp Tokens", "inference"),
        ("Cognitive Services", "Speech to Text", "compute"),
        ("Azure AI Foundry", "DeepSeek R1 Inp Tokens", "inference"),
        ("Foundry Models", "Outp", "inference"),
        ("Gemini API", "Generate content output", "inference"),
        ("Vertex AI", "Gemini 2.5 Pro Text Input - Predictions", "inference"),
        ("Vertex AI", "Online Prediction N1 Predefined Instance Core running in Iowa", "compute"),
        ("Vertex AI", "Gemini 2.5 Flash tuning training tokens", "compute"),
        ("Vertex AI", "Workbench: Managed Notebooks", "compute"),
        ("Amazon SageMaker", "$1.41 per Host ml.g5.2xlarge hour in US East", "compute"),
        ("Amazon SageMaker", "Llama, tokens", "compute"),
        ("Azure Machine Learning", "Virtual Machines Dv2 Series", "compute"),
        ("", "", "compute"),
    ],
)
def test_of_services_for_ai_only_calls_by_tokens_are_inference_and_the_rest_is_compute(
    tmp_path: Path, service: str, described: str, category: str
) -> None:
    charge = charge_of(tmp_path, ServiceName=service, ChargeDescription=described)
    assert charge.category == category


def test_the_category_is_no_part_of_what_tells_a_charge_from_others(tmp_path: Path) -> None:
    calls, other = charge_of(tmp_path), charge_of(tmp_path, ServiceCategory="Compute")
    assert (calls.category, other.category) == ("inference", "compute")
    assert calls.charge_id == other.charge_id


@pytest.mark.parametrize(
    ("start", "end", "days"),
    [
        ("2026-11-19T22:00:00Z", "2026-11-19T23:00:00Z", ("2026-11-19", "2026-11-20")),
        ("2026-11-19T23:00:00Z", "2026-11-20T00:00:00Z", ("2026-11-19", "2026-11-20")),
        ("2026-11-19T23:30:00Z", "2026-11-20T00:30:00Z", ("2026-11-19", "2026-11-20")),
        ("2026-11-19T07:00:00Z", "2026-11-20T07:00:00Z", ("2026-11-19", "2026-11-20")),
        ("2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z", ("2026-11-01", "2026-12-01")),
        ("2026-11-01T00:00:00Z", "2026-11-30T23:59:59Z", ("2026-11-01", "2026-12-01")),
        ("2026-11-20T00:00:00+02:00", "2026-11-20T01:00:00+02:00", ("2026-11-19", "2026-11-20")),
        ("2026-11-19 22:00:00", "2026-11-19 23:00:00", ("2026-11-19", "2026-11-20")),
        ("2026-11-19", "2026-11-21", ("2026-11-19", "2026-11-21")),
    ],
)
def test_a_period_covers_whole_days_from_the_utc_day_it_starts_in(
    tmp_path: Path, start: str, end: str, days: tuple[str, str]
) -> None:
    charge = charge_of(tmp_path, ChargePeriodStart=start, ChargePeriodEnd=end)

    assert (charge.starts_on.isoformat(), charge.ends_on.isoformat()) == days


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("BillingCurrency", "EUR", "BillingCurrency is 'EUR': export the costs in USD, or convert EffectiveCost and"),
        ("BillingCurrency", "NULL", "BillingCurrency must be text, got empty"),
        ("EffectiveCost", "NULL", "EffectiveCost must be a plain amount in USD like 1234.50, got empty"),
        ("EffectiveCost", "1,5", "EffectiveCost must be a plain amount in USD like 1234.50: no thousands separator"),
        ("ChargeCategory", "Usages", "ChargeCategory must be one of Usage, Purchase, Tax, Credit, Adjustment; did you"),
        ("ChargePeriodStart", "19.11.2026", "ChargePeriodStart must be an instant like 2026-02-28T09:30:00Z"),
        ("ChargePeriodStart", "", "ChargePeriodStart must be an instant like 2026-02-28T09:30:00Z, got empty"),
        ("ChargePeriodEnd", "2026-11-19T00:00:00Z", "must be after ChargePeriodStart 2026-11-19T00:00:00+00:00"),
        ("ChargePeriodEnd", "9999-12-31T23:59:59Z", "must be before the year 10000"),
        ("ChargePeriodEnd", "2046-11-19T00:00:00Z", "spans more than ten years"),
    ],
)
def test_a_row_that_cannot_be_read_says_what_would_be_right(tmp_path: Path, column: str, value: str, said: str) -> None:
    assert said in reason(tmp_path, **{column: value})


def test_the_vendor_is_named_by_the_first_column_that_knows_it(tmp_path: Path) -> None:
    named = {"InvoiceIssuerName": "Reseller", "ProviderName": "NULL", "ServiceProviderName": ""}

    assert charge_of(tmp_path, **named).vendor == "Reseller"
    assert charge_of(tmp_path, **named | {"ProviderName": "AWS"}).vendor == "AWS"
    assert charge_of(tmp_path, **named | {"ProviderName": "AWS", "ServiceProviderName": "Acme"}).vendor == "Acme"
    assert charge_of(tmp_path, ProviderName="").vendor is None


def test_a_description_is_what_there_is_and_cut_where_it_is_too_long(tmp_path: Path) -> None:
    assert charge_of(tmp_path, ChargeDescription="NULL").description == "Amazon Bedrock"
    assert charge_of(tmp_path, ChargeDescription="", ServiceName="").description is None

    long = charge_of(tmp_path, ChargeDescription="é" * 2000).description
    assert long == f"Amazon Bedrock: {'é' * 1007}…"
    assert len(long) == 1024


def test_columns_that_are_required_are_named_together_when_missing(tmp_path: Path) -> None:
    kept = {c: v for c, v in ROW.items() if c not in {"EffectiveCost", "BilledCost", "ServiceName"}}

    with pytest.raises(LoadError) as raised:
        read(tmp_path, kept)
    assert str(raised.value).startswith(
        f"{tmp_path / 'costs.csv'}: not a FOCUS cost and usage file: "
        "there is no column EffectiveCost or BilledCost, ServiceName; the file has BillingAccountId, BillingCurrency"
    )


def test_rows_alike_are_charges_of_their_own_and_loading_twice_changes_nothing(tmp_path: Path) -> None:
    path = write(tmp_path / "costs.csv", ROW, ROW, ROW | {"ServiceName": "Amazon S3"})

    with new_store() as store:
        first, again = load(store, path), load(store, path)
        assert (first.stored, again.stored, again.unchanged) == (3, 0, 3)
        assert total(store) == Decimal("9.6522315")


def test_a_corrected_amount_replaces_the_one_before(tmp_path: Path) -> None:
    with new_store() as store:
        load(store, write(tmp_path / "first.csv", ROW, ROW | {"EffectiveCost": "1"}))
        load(store, write(tmp_path / "second.csv", ROW | {"EffectiveCost": "0"}, ROW | {"EffectiveCost": "1.5"}))
        assert total(store) == Decimal("1.5")


def test_rows_of_another_billing_period_or_account_are_added(tmp_path: Path) -> None:
    correction = ROW | {"ChargeClass": "Correction", "BillingPeriodStart": "2026-12-01T00:00:00Z"}

    found = charges(read(tmp_path, ROW, correction, ROW | {"BillingAccountId": "1002"}, ROW | {"ResourceId": "i-1"}))
    assert len({charge.charge_id for charge in found}) == 4


def test_the_order_of_columns_the_version_and_the_packing_do_not_change_a_charge(tmp_path: Path) -> None:
    later = dict(reversed(ROW.items())) | {"ServiceProviderName": "AWS", "SkuMeter": "input", "InvoiceId": "inv-7"}
    packed = tmp_path / "costs.csv.gz"
    packed.write_bytes(gzip.compress(csv_of([later], later).encode("utf-8-sig")))

    assert charges(focus.read(packed, now=NOW)) == charges(read(tmp_path, ROW))


def test_parquet_gives_the_same_charges_as_csv(tmp_path: Path) -> None:
    columns = ", ".join(
        f"{value!r}::{'DOUBLE' if name.endswith('Cost') else 'TIMESTAMP' if 'Period' in name else 'VARCHAR'} AS {name}"
        for name, value in ROW.items()
    )
    path = tmp_path / "costs.snappy.parquet"
    with duckdb.connect() as connection:
        connection.execute(f"COPY (SELECT {columns}, MAP {{'team': 'agents'}} AS Tags) TO '{path}' (FORMAT parquet)")

    assert charges(focus.read(path, now=NOW)) == charges(read(tmp_path, ROW))


def test_a_month_without_charges_gives_nothing(tmp_path: Path) -> None:
    with duckdb.connect() as connection:
        connection.execute(f"COPY (SELECT 1 AS BilledCost WHERE false) TO '{tmp_path / 'a.parquet'}' (FORMAT parquet)")
    (tmp_path / "b.csv").write_text(csv_of([]))

    assert list(focus.read(tmp_path, now=NOW)) == []


def test_the_parts_of_an_export_are_read_together(tmp_path: Path) -> None:
    parts = tmp_path / "2026-11"
    parts.mkdir()
    write(parts / "part-1.csv", ROW)
    write(parts / "part-0.csv", ROW, ROW)
    (parts / "manifest.json").write_text("{}")

    items = list(focus.read(parts, now=NOW))
    assert items[0] == Ignored(Location(str(parts / "manifest.json")), "is not a table")
    assert [item.location for item in items[1:] if isinstance(item, Parsed)] == [
        Location(str(parts / "part-0.csv"), 2),
        Location(str(parts / "part-0.csv"), 3),
        Location(str(parts / "part-1.csv"), 2),
    ]  # and nothing is stated as a whole: nobody says that these are all parts
    assert len({charge.charge_id for charge in charges(items[1:])}) == 3


def test_what_is_not_there_stops_the_load(tmp_path: Path) -> None:
    with pytest.raises(LoadError, match="there is no such file"):
        list(focus.read(tmp_path / "none.csv", now=NOW))
    with pytest.raises(LoadError, match=r"has no file that ends in \.csv"):
        focus.read(tmp_path, now=NOW)


def test_all_bytes_of_all_parts_are_told(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", ROW)
    write(tmp_path / "b.csv", ROW, ROW)
    told: list[int] = []

    assert len(list(focus.read(tmp_path, now=NOW, on_bytes=told.append))) == 3
    assert sum(told) == sum(path.stat().st_size for path in focus.paths(tmp_path))


def test_a_sum_moves_by_at_most_half_of_the_twelfth_place_a_row(tmp_path: Path) -> None:
    costs = ["0.12345678901249", "0.1234567890125", "0.1234567890135", "1E-13"]
    with new_store() as store:
        load(store, write(tmp_path / "costs.csv", *(ROW | {"EffectiveCost": cost} for cost in costs)))
        stored = total(store)

    assert stored == Decimal("0.370370367038")  # 0.123456789012 twice (half to even), 0.123456789014 and 0
    assert isinstance(stored, Decimal)
    assert abs(stored - sum(map(Decimal, costs))) <= len(costs) * Decimal("5e-13")
