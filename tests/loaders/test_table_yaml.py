import gzip
import time
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from loaders import cash, charges, outcomes, prices, runs
from loaders.item import Item, LoadError, Location, Parsed, Rejected
from loaders.loader import Task
from loaders.table import open_table
from store import CashBalance, Charge, Outcome, Price, Request

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ROW = "{account: operating, as_of_on: 2026-02-28, balance_usd: 81234.07}"


def read(tmp_path: Path, text: str, name: str = "cash.yaml") -> list[Item]:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return list(cash.read(path, now=NOW))


def balance(item: Item) -> CashBalance:
    assert isinstance(item, Parsed)
    [record] = item.records
    assert isinstance(record, CashBalance)
    return record


@pytest.mark.parametrize("text", [f"- {ROW}\n", f"balances:\n- {ROW}\n", f"cash: [{ROW}]\n", f"# ours\n---\n- {ROW}\n"])
def test_a_list_or_one_word_with_a_list_under_it_is_a_table(tmp_path: Path, text: str) -> None:
    [item] = read(tmp_path, text)

    assert balance(item) == CashBalance(
        account="operating", as_of_on=date(2026, 2, 28), balance_usd=Decimal("81234.07"), source="cash"
    )


def test_amounts_never_pass_through_binary_floats(tmp_path: Path) -> None:
    [one, other] = read(
        tmp_path,
        "- {account: a, as_of_on: 2026-02-28, balance_usd: 123456789012345.123456789012}\n"
        "- {account: b, as_of_on: 2026-02-28, balance_usd: 1e-3}\n",
    )

    assert balance(one).balance_usd == Decimal("123456789012345.123456789012")
    assert balance(other).balance_usd == Decimal("0.001")


@pytest.mark.parametrize("amount", ["1_000", "0x10", "yes", ".inf", ".nan", "1:30", "[5]", "{usd: 5}", "1,5"])
def test_what_yaml_would_guess_at_is_no_amount(tmp_path: Path, amount: str) -> None:
    [item] = read(tmp_path, f"- {{account: a, as_of_on: 2026-02-28, balance_usd: {amount}}}\n".replace("1,5", "'1,5'"))

    assert isinstance(item, Rejected)
    assert item.reason.startswith("balance_usd must be a plain amount in USD like 1234.50")


def test_each_row_has_the_line_it_starts_at_and_a_bad_one_costs_only_itself(tmp_path: Path) -> None:
    items = read(
        tmp_path,
        "balances:\n"
        "  - account: a\n"
        "    as_of_on: 2026-02-28\n"
        "    balance_usd: 1\n"
        "  - account: b\n"
        "    as_of_on: 2026-02-28\n"
        "    balance: 2\n"
        "  - just text\n"
        f"  - {ROW}\n",
    )

    assert [item.location.line for item in items] == [2, 5, 8, 9]
    assert [type(item) for item in items] == [Parsed, Rejected, Rejected, Parsed]
    assert items[1] == Rejected(
        Location(str(tmp_path / "cash.yaml"), 5),
        "unknown word 'balance'; did you mean 'balance_usd'?; known are account, as_of_on, balance_usd, currency",
        '{"account": "b", "as_of_on": "2026-02-28", "balance": "2"}',
    )
    assert isinstance(items[2], Rejected)
    assert items[2].reason == "must be an entry of words with values, like `word: value`"


@pytest.mark.parametrize("empty", ["", "~", "null", "NULL", "''"])
def test_an_empty_value_is_unknown(tmp_path: Path, empty: str) -> None:
    path = tmp_path / "outcomes.yml"
    path.write_text(f"- session_id: s1\n  kind: IDLE_EXIT\n  is_success: {empty}\n")

    [item] = outcomes.read(path, now=NOW)
    assert isinstance(item, Parsed)
    assert isinstance(item.records[0], Outcome)
    assert item.records[0].is_success is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ("just text\n", "must be a list of entries"),
        ("a: 1\nb: 2\n", "must be a list of entries"),
        (f"- {ROW}\n---\n- {ROW}\n", "cash.yaml:3: a second document begins here; one file holds one"),
        ("- {a: 1, a: 2}\n", "cash.yaml:1: 'a' is given twice"),
        ("- &x {a: 1}\n- *x\n", "cash.yaml:1: write values out; anchors and aliases"),
        ("- {a: *x}\n", "anchors and aliases"),
        ("- {a: &x [&y [1, 1], *y]}\n", "anchors and aliases"),
        ("- {a: 1}\n- {a: !!python/object/apply:os.system [ls]}\n", "cash.yaml:2: write the value alone; tags"),
        ("- !secret 1\n", "tags ('!secret') are not supported"),
        ("- {[1]: 2}\n", "a key must be a word"),
        ("- " + "[" * 49, "is not YAML"),
        ("- " + "[" * 20_000, "cash.yaml:1: is nested over 50 deep, which no list of ours is"),
        ("- a\n b: [\n", "is not YAML"),
        ("- a: 1\n\tb: 2\n", "is not YAML"),
    ],
)
def test_yaml_that_is_no_list_of_entries_or_that_bites_stops_the_load(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(LoadError) as raised:
        read(tmp_path, text)
    assert said in str(raised.value)


def test_a_file_over_the_limit_or_a_bomb_stops_the_load_at_once(tmp_path: Path) -> None:
    path = tmp_path / "cash.yaml.gz"
    path.write_bytes(gzip.compress(b"- x\n" * 10_000_000))
    began = time.process_time()

    with pytest.raises(LoadError, match="is over 1,000,000 bytes"):
        cash.read(path, now=NOW)
    assert time.process_time() - began < 2


def test_a_packed_file_and_a_byte_order_mark_make_no_difference(tmp_path: Path) -> None:
    path = tmp_path / "cash.yaml.gz"
    path.write_bytes(gzip.compress(f"- {ROW}\n".encode("utf-8-sig")))
    told: list[int] = []

    [item] = cash.read(path, now=NOW, on_bytes=told.append)
    assert balance(item).account == "operating"
    assert sum(told) == path.stat().st_size


def test_a_file_that_is_not_utf8_stops_the_load(tmp_path: Path) -> None:
    path = tmp_path / "cash.yaml"
    path.write_bytes(b"- {account: M\xfcnchen}\n")
    with pytest.raises(LoadError, match="is not YAML"):
        cash.read(path, now=NOW)


def test_charges_prices_and_runs_read_yaml_too(tmp_path: Path) -> None:
    path = tmp_path / "bills.yaml"
    path.write_text(
        "charges:\n- {charge_id: c, category: other, amount_usd: 0.1, starts_on: 2026-02-01, ends_on: 2026-02-02}\n"
    )
    [charge] = charges.read(path, now=NOW)
    path.write_text("prices:\n- {price_id: P, provider: acme, model: m, effective_from: 2026-01-01, input: 0.1}\n")
    [price] = prices.read(path, now=NOW)
    mapping = tmp_path / "mapping.yaml"
    mapping.write_text("source: ours\nsession_id: id\ncost_usd: cost\n")
    path.write_text("- {id: r-1, cost: 0.1, note: x}\n")
    [run] = runs.LOADER.read(Task(str(path), NOW, {"mapping": str(mapping)}))

    assert isinstance(charge, Parsed)
    assert isinstance(charge.records[0], Charge)
    assert charge.records[0].amount_usd == Decimal("0.1")
    assert isinstance(price, Parsed)
    assert isinstance(price.records[0], Price)
    assert price.records[0].input == Decimal("0.1")
    assert isinstance(run, Parsed)
    assert isinstance(run.records[1], Request)
    assert run.records[1].reported_usd == Decimal("0.1")


def test_a_key_that_first_occurs_late_in_json_lines_is_rejected_and_not_dropped(tmp_path: Path) -> None:
    path = tmp_path / "outcomes.jsonl"
    good = '{"session_id": "s%d", "kind": "RUN"}\n'
    path.write_text(
        "".join(good % number for number in range(1000)) + '{"session_id": "x", "kind": "RUN", "sucess": 1}\n'
    )

    items = list(outcomes.read(path, now=NOW))
    assert len(items) == 1001
    assert isinstance(items[-1], Rejected)
    assert items[-1].reason.startswith("unknown word 'sucess'; did you mean 'is_success'?")


def test_the_columns_of_a_yaml_table_are_the_words_of_all_its_rows(tmp_path: Path) -> None:
    path = tmp_path / "any.yaml"
    path.write_text("- {a: 1}\n- {b: 2}\n")

    assert open_table(path).columns == ("a", "b")
