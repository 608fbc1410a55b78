from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from loaders import flows
from loaders.item import Item, LoadError, Parsed, Rejected, WholePart
from loaders.job import run_load
from store import CashFlow, Store
from tests.stores import new_store

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def read(tmp_path: Path, text: str, name: str = "flows.csv") -> list[Item]:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return [item for item in flows.read(path, now=NOW) if isinstance(item, Parsed | Rejected)]


def test_revenue_of_a_day_and_rent_of_each_month(tmp_path: Path) -> None:
    text = """\
flows:
  - {flow_id: invoice-7, kind: Revenue, amount_usd: 2500.50, occurred_on: 2026-03-31, account: operating}
  - {flow_id: rent, kind: expense, amount_usd: -3000, day_of_month: 1, starts_on: 2026-01-01, ends_on: 2027-01-01}
"""
    items = read(tmp_path, text, "flows.yaml")

    records = [item.records[0] for item in items if isinstance(item, Parsed)]
    part = str(tmp_path / "flows.yaml")
    assert records == [
        CashFlow(
            flow_id="invoice-7",
            source="flows",
            kind="revenue",
            amount_usd=Decimal("2500.50"),
            occurred_on=date(2026, 3, 31),
            account="operating",
            part=part,
        ),
        CashFlow(
            flow_id="rent",
            source="flows",
            kind="expense",
            amount_usd=Decimal(-3000),
            day_of_month=1,
            starts_on=date(2026, 1, 1),
            ends_on=date(2027, 1, 1),
            part=part,
        ),
    ]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("a,revenue,-1,2026-03-01,,,,", "revenue is money in and positive, got -1; money that is paid back is of kind"),
        ("a,funding,-1,2026-03-01,,,,", "funding is money in and positive"),
        ("a,expense,1,2026-03-01,,,,", "an expense is money out and negative, got 1; money that comes back is of kind"),
        ("a,expense,-1,,,,,", "give occurred_on, or day_of_month with starts_on"),
        ("a,expense,-1,2026-03-01,1,2026-01-01,,", "give occurred_on, or day_of_month with starts_on"),
        ("a,expense,-1,,1,,,", "a flow with a day_of_month needs starts_on"),
        ("a,expense,-1,,32,2026-01-01,,", "day_of_month must be 1 to 31, got 32"),
        ("a,expense,-1,,0,2026-01-01,,", "day_of_month must be 1 to 31, got 0"),
        ("a,expense,-1,,1,2026-01-02,2026-01-02,", "ends_on 2026-01-02 must be after starts_on 2026-01-02"),
        ("a,expense,-1,,1,1026-01-02,,", "recurs within the years 1970 to 2100"),
        ("a,expense,-1,2026-03-01,,2026-01-02,,", "starts_on and ends_on are of a flow with a day_of_month"),
        ("a,revenu,1,2026-03-01,,,,", "kind must be one of revenue, funding, expense, other; did you mean 'revenue'"),
        ("a,revenue,NaN,2026-03-01,,,,", "amount_usd must be a plain amount in USD"),
        ("a,revenue,1e400,2026-03-01,,,,", "amount_usd must be an amount below"),
        ("a,revenue,1,2026-03-01,,,,EUR", "currency is 'EUR': convert the amount to US dollars, put it in amount_usd"),
    ],
)
def test_a_flow_that_makes_no_sense_says_what_would_be_right(tmp_path: Path, row: str, said: str) -> None:
    header = "flow_id,kind,amount_usd,occurred_on,day_of_month,starts_on,ends_on,currency"
    [item] = read(tmp_path, f"{header}\n{row}\n")

    assert isinstance(item, Rejected)
    assert said in item.reason


def test_a_missing_column_stops_the_load(tmp_path: Path) -> None:
    with pytest.raises(LoadError, match="there is no column 'kind'"):
        read(tmp_path, "flow_id,amount_usd\na,1\n")


def test_a_flow_that_left_its_file_leaves_the_store_unless_a_line_was_not_read(tmp_path: Path) -> None:
    path = tmp_path / "flows.csv"

    def load(store: Store, *rows: str) -> list[tuple[object, ...]]:
        path.write_text("flow_id,kind,amount_usd,occurred_on\n" + "".join(f"{row}\n" for row in rows))
        run_load(store, "flows", str(path), flows.read(path, now=NOW), now=NOW)
        return store.read("SELECT flow_id FROM flow_days ORDER BY flow_id").rows

    with new_store() as store:
        assert load(store, "a,revenue,1,2026-03-01", "b,revenue,1,2026-03-01") == [("a",), ("b",)]
        assert load(store, "a,revenue,1,2026-03-01", "c,revenue,x,2026-03-01") == [("a",), ("b",)]
        assert load(store, "a,revenue,1,2026-03-01") == [("a",)]


def test_the_last_day_of_a_shorter_month_stands_for_the_31st(tmp_path: Path) -> None:
    path = tmp_path / "flows.csv"
    path.write_text(
        "flow_id,kind,amount_usd,day_of_month,starts_on,ends_on\nstorage,expense,-50,31,2026-01-31,2026-05-31\n"
    )
    with new_store() as store:
        run_load(store, "flows", str(path), flows.read(path, now=NOW), now=NOW)
        days = [day for (day,) in store.read("SELECT day FROM flow_days ORDER BY day").rows]

    assert days == [date(2026, 1, 31), date(2026, 2, 28), date(2026, 3, 31), date(2026, 4, 30)]


def test_a_whole_file_says_so(tmp_path: Path) -> None:
    path = tmp_path / "flows.csv"
    path.write_text("flow_id,kind,amount_usd,occurred_on\na,revenue,1,2026-03-01\n")

    assert WholePart(str(path)) in list(flows.read(path, now=NOW))
