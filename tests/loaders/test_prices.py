from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from loaders import prices
from loaders.item import Item, LoadError, Location, Parsed, Rejected
from loaders.job import run_load
from store import Price, Request
from tests.stores import new_store

NOW = datetime(2026, 3, 1, tzinfo=UTC)
HEADER = (
    "price_id,provider,model,effective_from,effective_to,input,cache_read,cache_write_5m,cache_write_1h,output,"
    "tier_over,t_input,t_cache_read,t_cache_write_5m,t_cache_write_1h,t_output,per_call_fee\n"
)
OPUS = Price(
    price_id="P1",
    source="prices",
    provider="anthropic",
    model="claude-opus-4-6",
    effective_from=datetime(2026, 2, 5, tzinfo=UTC),
    effective_to=datetime(2026, 3, 13, tzinfo=UTC),
    input=Decimal("5"),
    cache_read=Decimal("0.50"),
    cache_write_5m=Decimal("6.25"),
    cache_write_1h=Decimal("10"),
    output=Decimal("25"),
    tier_over=200_000,
    tier_input=Decimal("10"),
    tier_cache_read=Decimal("1"),
    tier_cache_write_5m=Decimal("12.50"),
    tier_cache_write_1h=Decimal("20"),
    tier_output=Decimal("37.50"),
    per_call_fee=Decimal("0.01"),
    known_at=NOW,
)


def read(tmp_path: Path, text: str, name: str = "prices.csv") -> list[Item]:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return list(prices.read(path, now=NOW))


def reasons(items: list[Item]) -> list[str]:
    return [item.reason if isinstance(item, Rejected) else "" for item in items]


def test_a_row_is_a_line_of_the_book(tmp_path: Path) -> None:
    items = read(
        tmp_path,
        HEADER + "P1,anthropic,claude-opus-4-6,2026-02-05T00:00:00Z,2026-03-13,"
        "5,0.50,6.25,10,25,200000,10,1,12.50,20,37.50,0.01\n",
    )

    assert items == [Parsed(Location(str(tmp_path / "prices.csv"), 2), (OPUS,))]


def test_yaml_says_the_same_in_the_same_words_and_numbers_stay_exact(tmp_path: Path) -> None:
    items = read(
        tmp_path,
        """\
# a comment
prices:
  - price_id: P1
    provider: anthropic
    model: claude-opus-4-6
    effective_from: 2026-02-05
    effective_to: "2026-03-13T00:00:00+00:00"
    input: 5
    cache_read: 0.50
    cache_write_5m: "6.25"
    cache_write_1h: 10
    output: 25
    tier_over: 200000
    t_input: 10
    t_cache_read: 1
    t_cache_write_5m: 12.50
    t_cache_write_1h: 20
    t_output: 37.50
    per_call_fee: 0.01
  - {price_id: P2, provider: acme, model: tiny, effective_from: 2026-01-01, output: 0.1234567890123, input: ~}
""",
        "prices.yaml",
    )

    assert items[0] == Parsed(Location(str(tmp_path / "prices.yaml"), 3), (OPUS,))
    assert isinstance(items[1], Parsed)
    assert isinstance(items[1].records[0], Price)
    assert items[1].location.line == 20
    assert items[1].records[0].output == Decimal("0.123456789012")
    assert items[1].records[0].input is None


def test_an_empty_price_is_unknown_and_zero_is_free(tmp_path: Path) -> None:
    [item] = read(tmp_path, "price_id,provider,model,effective_from,input,output\nP,ollama,qwen,2025-01-01,0,\n")

    assert isinstance(item, Parsed)
    assert isinstance(item.records[0], Price)
    assert item.records[0].input == 0
    assert item.records[0].output is None


def test_lines_of_one_model_must_not_be_in_force_at_one_time(tmp_path: Path) -> None:
    short = "price_id,provider,model,effective_from,effective_to,input,known_at\n"
    items = read(
        tmp_path,
        short + "A,acme,m,2026-01-01,2026-02-01,1,\n"
        "B,acme,m,2026-02-01,,2,\n"
        "C,Acme,M,2026-03-01,,3,\n"
        "D,acme,m,2026-01-15,2026-01-20,4,2026-04-01T00:00:00Z\n"
        "E,other,m,2026-01-01,,5,\n",
    )

    in_force_with = f"price line 'C' is in force at the same time as 'B' at {tmp_path / 'prices.csv'}:3"
    advice = "give the earlier one an effective_to, or the correcting one a later known_at"
    assert reasons(items) == ["", "", f"{in_force_with}; {advice}", "", ""]


def test_a_line_that_is_given_twice_must_say_the_same(tmp_path: Path) -> None:
    short = "price_id,provider,model,effective_from,input\n"
    items = read(tmp_path, short + "A,acme,m,2026-01-01,1\nA,acme,m,2026-01-01,1.0\nA,acme,m,2026-01-01,2\n")

    assert reasons(items) == [
        "",
        "",
        f"price line 'A' is already given at {tmp_path / 'prices.csv'}:2 with other values: remove one of the two",
    ]


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ("P,acme,m,2026-01-01,,-1", "input must not be negative, got '-1'"),
        ("P,acme,m,2026-01-01,,1 USD", "input must be a plain amount in USD like 1234.50, got '1 USD'"),
        ("P,acme,m,2026-01-01T10:00,,1", "effective_from has no zone: add the offset"),
        ("P,acme,m,yesterday,,1", "effective_from must be an instant like 2026-02-28T09:30:00Z, got 'yesterday'"),
        ("P,acme,m,,,1", "effective_from must be an instant like 2026-02-28T09:30:00Z, got empty"),
        ("P,acme,m,2026-02-01,2026-01-01,1", "must be after effective_from"),
        ("P,,m,2026-02-01,,1", "provider must be text, got empty"),
    ],
)
def test_a_row_that_cannot_be_read_says_what_would_be_right(tmp_path: Path, cells: str, said: str) -> None:
    [reason] = reasons(read(tmp_path, f"price_id,provider,model,effective_from,effective_to,input\n{cells}\n"))

    assert said in reason


BOOK = "price_id,provider,model,effective_from,effective_to,input,output,reason,known_at\n"
CALLED = datetime(2026, 2, 20, tzinfo=UTC)


def test_a_line_may_say_why_it_corrects(tmp_path: Path) -> None:
    first, last = read(tmp_path, BOOK + "A,acme,m,2026-01-01,2026-02-01,1,1,,\nB,acme,m,2026-02-01,,2,2, a  typo ,\n")

    assert isinstance(first, Parsed)
    assert isinstance(last, Parsed)
    assert [record.reason for record in (first.records[0], last.records[0]) if isinstance(record, Price)] == [
        None,
        "a  typo",
    ]


def reasons_of_restatements(tmp_path: Path, *books: str) -> list[str]:
    """Those of a call that was priced by the first book, after each of the others has been loaded."""
    call = Request(
        request_key="r1",
        source="test",
        provider="acme",
        model="m",
        started_at=CALLED,
        uncached_input_tokens=1_000_000,
        cache_read_tokens=0,
        cache_write_5m_tokens=0,
        cache_write_1h_tokens=0,
        output_tokens=0,
    )
    path = tmp_path / "book.csv"
    with new_store() as store:
        for day, book in enumerate(books):
            path.write_text(BOOK + book)
            now = NOW + timedelta(days=day)
            run_load(store, "prices", str(path), prices.read(path, now=now), now=now)
            if day == 0:
                run_load(store, "calls", "x", [Parsed(Location("x"), (call,))], now=now)
        rows = store.read("SELECT reason FROM restatements ORDER BY restated_at").rows
    return [str(reason) for (reason,) in rows]


def test_what_a_line_says_of_its_reason_stands_beside_the_cost_that_it_restates(tmp_path: Path) -> None:
    assert reasons_of_restatements(
        tmp_path, "A,acme,m,2026-01-01,,1,1,,\n", "A,acme,m,2026-01-01,,2,2,the list was wrong,\n"
    ) == ["the list was wrong"]


def test_a_restatement_without_a_stated_reason_names_the_book(tmp_path: Path) -> None:
    assert reasons_of_restatements(tmp_path, "A,acme,m,2026-01-01,,1,1,,\n", "A,acme,m,2026-01-01,,2,2,,\n") == [
        f"price book {tmp_path / 'book.csv'}"
    ]


def test_the_reason_of_the_line_that_was_ended_explains_the_one_that_follows(tmp_path: Path) -> None:
    ended = "A,acme,m,2026-01-01,2026-02-10,1,1,price cut,\n"
    assert reasons_of_restatements(
        tmp_path, "A,acme,m,2026-01-01,,1,1,,\n", ended + "B,acme,m,2026-02-10,,0.5,1,,\n"
    ) == ["price cut"]


def test_a_reason_that_was_stated_before_explains_no_later_change(tmp_path: Path) -> None:
    corrected = "A,acme,m,2026-01-01,,2,2,the list was wrong,2026-03-02\n"
    assert reasons_of_restatements(
        tmp_path,
        "A,acme,m,2026-01-01,,1,1,,2026-01-01\n",
        corrected,
        corrected + "B,acme,m,2026-02-10,,3,1,,2026-03-03\n",
    ) == ["the list was wrong", f"price book {tmp_path / 'book.csv'}"]


@pytest.mark.parametrize(
    ("over", "said"),
    [
        ("", "tier_over is empty beside tier prices"),
        ("200k", "tier_over must be a whole number like 200000, got '200k'"),
        ("200,000", "no thousands separator"),
        ("-1", "tier_over must be a whole number from 0 to 2^62"),
        ("1.5", "tier_over must be a whole number from 0 to 2^62"),
    ],
)
def test_a_tier_needs_its_threshold(tmp_path: Path, over: str, said: str) -> None:
    header = "price_id,provider,model,effective_from,tier_over,t_input\n"
    [reason] = reasons(read(tmp_path, f'{header}P,acme,m,2026-01-01,"{over}",1\n'))

    assert said in reason


def test_an_unknown_column_stops_the_load_with_the_nearest_one(tmp_path: Path) -> None:
    with pytest.raises(LoadError, match="unknown column 'ouput'; did you mean 'output'"):
        read(tmp_path, "price_id,provider,model,effective_from,ouput\n")


def test_an_unknown_word_in_yaml_rejects_its_line_only(tmp_path: Path) -> None:
    items = read(
        tmp_path,
        "prices:\n"
        "  - {price_id: A, provider: acme, model: m, effective_from: 2026-01-01, inptu: 1}\n"
        "  - just text\n"
        "  - {price_id: B, provider: acme, model: m, effective_from: 2026-01-01, input: 1}\n",
        "prices.yml",
    )

    assert reasons(items)[0].startswith("unknown word 'inptu'; did you mean 'input'?; known are price_id, ")
    assert reasons(items)[1].startswith("must be an entry of words with values")
    assert isinstance(items[2], Parsed)
    assert [item.location.line for item in items] == [2, 3, 4]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ("prices: []\nlines: []\n", "one word with that list under it"),
        ("prices:\n  a: 1\n", "one word with that list under it"),
        ("prices:\n  - [\n", "prices.yaml:3: is not YAML"),
        ("prices:\n  - {input: 1, input: 2}\n", "prices.yaml:2: 'input' is given twice"),
        ("prices:\n  - &a {input: 1}\n  - *a\n", "anchors and aliases"),
        ("prices: " + "[" * 10_000, "is nested over 50 deep"),
    ],
)
def test_yaml_that_is_no_price_book_stops_the_load(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(LoadError) as raised:
        read(tmp_path, text, "prices.yaml")
    assert said in str(raised.value)
