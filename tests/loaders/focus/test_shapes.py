import json
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loaders import focus
from loaders.item import LoadError, Parsed, Rejected, WholePart
from store import Charge
from tests.loaders.focus.conftest import NOW, ROW, charge_of, charges, load, read, write
from tests.stores import new_store

LEAST = {
    "EffectiveCost": "2.5",
    "BillingCurrency": "USD",
    "ChargePeriodStart": "2026-11-19T22:00:00Z",
    "ChargePeriodEnd": "2026-11-19T23:00:00Z",
    "ChargeCategory": "Usage",
    "ServiceName": "Gemini API",
}


def test_the_least_that_a_bill_needs(tmp_path: Path) -> None:
    [charge] = charges(read(tmp_path, LEAST))

    assert (charge.amount_usd, charge.billed_usd, charge.vendor) == (Decimal("2.5"), None, None)
    assert (charge.starts_on, charge.category) == (date(2026, 11, 19), "inference")
    assert charge.part == "- | - | 2026-11-01 | day 19"


def test_a_bill_with_one_view_of_the_cost_has_it_as_both(tmp_path: Path) -> None:
    billed = {name: value for name, value in LEAST.items() if name != "EffectiveCost"} | {"BilledCost": "3E-1"}
    [charge] = charges(read(tmp_path, billed))

    assert (charge.amount_usd, charge.billed_usd) == (Decimal("0.3"), Decimal("0.3"))


def test_what_was_billed_is_unknown_where_the_cell_is_empty_and_rejected_where_it_is_no_amount(tmp_path: Path) -> None:
    assert charge_of(tmp_path, BilledCost="NULL").billed_usd is None
    [item] = read(tmp_path, ROW | {"BilledCost": "NaN"})
    assert isinstance(item, Rejected)
    assert item.reason == "BilledCost must be a plain amount in USD like 1234.50, got 'NaN'"


def test_version_1_4_names_the_vendor_anew_and_gives_the_same_charges(tmp_path: Path) -> None:
    dropped = {name: value for name, value in ROW.items() if name != "ProviderName"}
    later = dropped | {"ServiceProviderName": "AWS", "HostProviderName": "AWS", "InvoiceDetailId": "d-1"}

    assert charges(read(tmp_path, later)) == charges(read(tmp_path, ROW))


@pytest.mark.parametrize(
    ("columns", "name"),
    [
        (["ContractCommitmentId", "ContractCommitmentCost", "BillingCurrency"], "ContractCommitment"),
        (["InvoiceDetailId", "InvoiceId", "BilledCost", "BillingPeriodStart"], "InvoiceDetail"),
        (["BillingPeriodStart", "BillingPeriodEnd", "BillingPeriodStatus"], "BillingPeriod"),
    ],
)
def test_a_data_set_that_is_no_bill_is_refused_by_its_name(tmp_path: Path, columns: list[str], name: str) -> None:
    said = f"not a FOCUS cost and usage file but one of the data set {name}, whose amounts are in CostAndUsage too"
    with pytest.raises(LoadError, match=said):
        read(tmp_path, dict.fromkeys(columns, "1"))


def test_a_table_of_something_else_is_refused_with_what_it_has(tmp_path: Path) -> None:
    with pytest.raises(LoadError, match=r"there is no column EffectiveCost or BilledCost, .*; the file has a, b"):
        read(tmp_path, {"a": "1", "b": "2"})


def test_each_kind_of_charge_can_be_asked_for_by_itself(tmp_path: Path) -> None:
    kinds = {"Tax": "1", "Credit": "-2", "Purchase": "3", "Adjustment": "4"}
    rows = [ROW | {"ChargeCategory": kind, "EffectiveCost": cost} for kind, cost in kinds.items()]
    correction = {"ChargeClass": "Correction", "ResourceId": "i-9", "EffectiveCost": "7"}
    with new_store() as store:
        load(store, write(tmp_path / "a.csv", ROW, *rows, ROW | correction))
        for kind, cost in (kinds | {"Correction": "7"}).items():
            asked = f"SELECT sum(amount_usd) FROM charges WHERE starts_with(description, '{kind}: ')"
            assert store.read(asked).rows == [(Decimal(cost),)]


def parquet(path: Path, select: str) -> Path:
    with duckdb.connect() as connection:
        connection.execute(f"COPY ({select}) TO '{path}' (FORMAT parquet)")
    return path


@pytest.mark.parametrize(
    "tags",
    ["MAP {'team': 'agents'}", '\'{"team": "agents"}\'', "[{'Key': 'team', 'Value': 'agents'}]", "NULL::VARCHAR"],
)
def test_tags_of_every_kind_are_passed_over(tmp_path: Path, tags: str) -> None:
    columns = ", ".join(f"{value!r} AS {name}" for name, value in ROW.items())
    path = parquet(tmp_path / "a.parquet", f"SELECT {columns}, {tags} AS Tags, {tags} AS x_Labels")

    assert charges(focus.read(path, now=NOW)) == charges(read(tmp_path, ROW))


def test_decimals_of_parquet_keep_their_digits_and_doubles_their_shortest_text(tmp_path: Path) -> None:
    other = ", ".join(f"{value!r} AS {name}" for name, value in ROW.items() if not name.endswith("Cost"))
    costs = "0.12345678901::DECIMAL(38,11) AS EffectiveCost, 0.1::DOUBLE + 0.2::DOUBLE AS BilledCost"
    [charge] = charges(focus.read(parquet(tmp_path / "a.parquet", f"SELECT {other}, {costs}"), now=NOW))

    assert (charge.amount_usd, charge.billed_usd) == (Decimal("0.12345678901"), Decimal("0.3"))


def test_jsonl_gives_the_same_charges_as_csv(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps(ROW | {"EffectiveCost": 3.2174105, "BilledCost": 4, "Tags": {"team": ["a"]}}))

    assert charges(focus.read(path, now=NOW)) == charges(read(tmp_path, ROW))


def test_a_parquet_file_that_is_none_or_damaged_ends_the_load(tmp_path: Path) -> None:
    columns = ", ".join(f"{value!r} AS {name}" for name, value in ROW.items())
    path = parquet(tmp_path / "a.parquet", f"SELECT {columns}, range AS x_Id FROM range(5000)")
    cut = path.read_bytes()[: path.stat().st_size // 2]
    for content in (b"PAR1", b"EffectiveCost,BilledCost\n1,2\n", cut, path.read_bytes()[:50] + b"\0" * 500 + cut):
        path.write_bytes(content)
        with pytest.raises(LoadError, match="cannot be read as Parquet"):
            list(focus.read(path, now=NOW))


def test_a_parquet_file_with_more_rows_than_bytes_ends_the_load(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("loaders.focus.shape._MOST_ROWS_A_BYTE_FROM", 1000)
    columns = ", ".join(f"{value!r} AS {name}" for name, value in ROW.items())
    path = parquet(tmp_path / "a.parquet", f"SELECT {columns} FROM range(6000)")
    assert path.stat().st_size < 6_000

    with pytest.raises(LoadError, match="has more rows than bytes; this looks like a decompression bomb"):
        list(focus.read(path, now=NOW))


CELLS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=30), st.lists(st.none(), max_size=2),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2), st.sampled_from(sorted(ROW.values())),
)  # fmt: skip


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cells=st.dictionaries(st.sampled_from(sorted(ROW)), CELLS, max_size=4))
def test_whatever_a_cell_holds_its_row_is_a_charge_or_is_rejected(tmp_path: Path, cells: Mapping[str, object]) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps(ROW) + "\n" + json.dumps(dict(ROW) | dict(cells)))

    first, second = (item for item in focus.read(path, now=NOW) if isinstance(item, Parsed | Rejected))
    assert isinstance(first, Parsed)
    assert isinstance(second, Parsed) or second.reason


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    bills=st.lists(
        st.lists(st.tuples(st.integers(1, 28), st.integers(0, 3), st.integers(-5, 9)), min_size=1, max_size=6),
        max_size=4,
    )
)
def test_after_any_exports_of_a_whole_period_the_bill_is_the_last_one(
    tmp_path: Path, bills: list[list[tuple[int, int, int]]]
) -> None:
    kept: dict[str, Charge] = {}
    for bill in bills:
        rows = [
            ROW
            | {"ChargePeriodStart": f"2026-11-{day:02}", "ChargePeriodEnd": "2026-11-30", "BilledCost": "0"}
            | {"ResourceId": f"i-{resource}", "EffectiveCost": str(cost)}
            for day, resource, cost in bill
        ]
        items = list(focus.read(write(tmp_path / "a.csv", *rows), now=NOW, whole="periods"))
        whole = {item.part for item in items if isinstance(item, WholePart)}
        kept = {key: charge for key, charge in kept.items() if charge.part not in whole}
        kept |= {charge.charge_id: charge for charge in charges(items)}
    assert sum(charge.amount_usd for charge in kept.values()) == sum(cost for bill in bills[-1:] for _, _, cost in bill)
