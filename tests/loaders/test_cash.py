from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from loaders import cash
from loaders.item import Item, LoadError, Location, Parsed, Rejected
from store import CashBalance

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def read(tmp_path: Path, text: str) -> list[Item]:
    path = tmp_path / "cash.csv"
    path.write_text(text, encoding="utf-8")
    return list(cash.read(path, now=NOW))


def test_a_row_is_a_closing_balance(tmp_path: Path) -> None:
    items = read(tmp_path, "account,as_of_on,balance_usd\noperating,2026-02-28,81234.07\n")

    balance = CashBalance(
        account="operating", as_of_on=date(2026, 2, 28), balance_usd=Decimal("81234.07"), source="cash"
    )
    assert items == [Parsed(Location(str(tmp_path / "cash.csv"), 2), (balance,))]


def test_spaces_around_a_cell_are_not_part_of_it(tmp_path: Path) -> None:
    [item] = read(tmp_path, "account, as_of_on ,balance_usd\n operating ,2026-02-28 , 5\n")

    assert isinstance(item, Parsed)
    assert item.records == (
        CashBalance(account="operating", as_of_on=date(2026, 2, 28), balance_usd=Decimal(5), source="cash"),
    )


def test_an_account_may_be_overdrawn(tmp_path: Path) -> None:
    [item] = read(tmp_path, "account,as_of_on,balance_usd\noperating,2026-02-28,-12.5\n")

    assert isinstance(item, Parsed)
    assert isinstance(item.records[0], CashBalance)
    assert item.records[0].balance_usd == Decimal("-12.5")


def test_a_balance_of_a_day_to_come_is_rejected(tmp_path: Path) -> None:
    [first, second] = read(tmp_path, "account,as_of_on,balance_usd\na,2026-03-03,1\na,2026-03-02,1\n")

    assert isinstance(first, Rejected)
    assert first.reason.startswith("as_of_on 2026-03-03 is in the future")
    assert isinstance(second, Parsed), "it may be the second of March already, east of Greenwich"


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("a,2026-02-28,1,GBP", "currency is 'GBP': convert the amount to US dollars, put it in balance_usd"),
        (",2026-02-28,1,", "account must be text, got empty"),
        ("a,,1,", "as_of_on must be a day like 2026-02-28, got empty"),
        ("a,28/02/2026,1,", "as_of_on must be a day like 2026-02-28, got '28/02/2026'"),
    ],
)
def test_a_row_that_cannot_be_read_says_what_would_be_right(tmp_path: Path, row: str, said: str) -> None:
    [item] = read(tmp_path, f"account,as_of_on,balance_usd,currency\n{row}\n")

    assert isinstance(item, Rejected)
    assert said in item.reason
    assert item.location.line == 2


def test_two_balances_of_one_account_and_day_contradict_each_other(tmp_path: Path) -> None:
    items = read(tmp_path, "account,as_of_on,balance_usd\na,2026-02-28,1\nb,2026-02-28,2\na,2026-02-28,3\n")

    assert [type(item) for item in items] == [Parsed, Parsed, Rejected]
    assert isinstance(items[2], Rejected)
    assert items[2].reason.startswith("the balance of 'a' on 2026-02-28 is already given at ")


def test_balances_may_come_as_json_lines_too(tmp_path: Path) -> None:
    path = tmp_path / "cash.jsonl"
    path.write_text('{"account": "a", "as_of_on": "2026-02-28", "balance_usd": 0.1}\n')

    [item] = cash.read(path, now=NOW)
    assert isinstance(item, Parsed)
    assert isinstance(item.records[0], CashBalance)
    assert item.records[0].balance_usd == Decimal("0.1")


def test_a_missing_column_stops_the_load(tmp_path: Path) -> None:
    with pytest.raises(LoadError, match="there is no column 'as_of_on'"):
        read(tmp_path, "account,balance_usd\na,1\n")
