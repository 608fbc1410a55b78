import gzip
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from loaders import charges
from loaders.item import Ignored, Item, LoadError, Location, Parsed, Rejected
from store import Charge

NOW = datetime(2026, 3, 1, tzinfo=UTC)
HEADER = "charge_id,category,amount_usd,starts_on,ends_on,vendor,description\n"


def read(tmp_path: Path, text: str) -> list[Item]:
    path = tmp_path / "charges.csv"
    path.write_text(text, encoding="utf-8")
    return list(charges.read(path, now=NOW))


def reason(items: list[Item]) -> str:
    assert len(items) == 1
    assert isinstance(items[0], Rejected)
    return items[0].reason


def test_a_row_is_a_charge_for_the_days_up_to_its_end(tmp_path: Path) -> None:
    items = read(tmp_path, HEADER + "inv-7,compute,1234.50,2026-02-01,2026-03-01,Hetzner,two servers\n")

    assert items == [
        Parsed(
            Location(str(tmp_path / "charges.csv"), 2),
            (
                Charge(
                    charge_id="inv-7",
                    source="charges",
                    category="compute",
                    amount_usd=Decimal("1234.50"),
                    starts_on=date(2026, 2, 1),
                    ends_on=date(2026, 3, 1),
                    vendor="Hetzner",
                    description="two servers",
                ),
            ),
        )
    ]


def test_a_credit_is_a_negative_charge_and_empty_text_is_unknown(tmp_path: Path) -> None:
    [item] = read(tmp_path, HEADER + "c,other,-5,2026-02-01,2026-02-02,,\n")

    assert isinstance(item, Parsed)
    [charge] = item.records
    assert isinstance(charge, Charge)
    assert charge.amount_usd == Decimal(-5)
    assert charge.vendor is None


def test_text_in_quotes_may_hold_commas_lines_and_blank_lines(tmp_path: Path) -> None:
    items = read(
        tmp_path,
        HEADER
        + 'a,other,1,2026-02-01,2026-02-02,"Acme, Inc.","first\n\nthird"\n'
        + "\n"
        + "b,other,1,2026-02-01,2026-02-02,,\n",
    )

    first, second = items
    assert isinstance(first, Parsed)
    assert isinstance(first.records[0], Charge)
    assert (first.location.line, first.records[0].vendor) == (2, "Acme, Inc.")
    assert first.records[0].description == "first\n\nthird"
    assert second.location.line == 6


def test_a_byte_order_mark_windows_lines_and_gzip_make_no_difference(tmp_path: Path) -> None:
    text = HEADER + "a,other,1,2026-02-01,2026-02-02,Größe,\n"
    marked, zipped = tmp_path / "marked.csv", tmp_path / "zipped.csv.gz"
    marked.write_bytes(text.replace("\n", "\r\n").encode("utf-8-sig"))
    zipped.write_bytes(gzip.compress(text.encode("utf-8-sig")))

    [one], [other] = list(charges.read(marked, now=NOW)), list(charges.read(zipped, now=NOW))
    assert isinstance(one, Parsed)
    assert isinstance(other, Parsed)
    assert one.records == other.records


@pytest.mark.parametrize(
    ("amount", "said"),
    [
        ("1,234.50", "amount_usd must be a plain amount in USD like 1234.50: no thousands separator"),
        ("1.234,50", "a point before the decimals"),
        ("NaN", "amount_usd must be a plain amount in USD like 1234.50, got 'NaN'"),
        ("inf", "got 'inf'"),
        ("1e400", "amount_usd must be an amount below 1e+15 USD, got '1e400'"),
        ("1e99999999999", "got '1e99999999999'"),
        ("$5", "got '$5'"),
        ("1_000", "got '1_000'"),
        ("٣", "got '\\u0663'"),
        ("", "amount_usd must be a plain amount in USD like 1234.50, got empty"),
    ],
)
def test_an_amount_that_is_not_plain_is_rejected_with_what_would_be_right(
    tmp_path: Path, amount: str, said: str
) -> None:
    assert said in reason(read(tmp_path, HEADER + f'a,other,"{amount}",2026-02-01,2026-02-02,,\n'))


def test_digits_after_the_twelfth_place_are_rounded_half_to_even(tmp_path: Path) -> None:
    [item] = read(tmp_path, HEADER + "a,other,0.0000000000005,2026-02-01,2026-02-02,,\n")

    assert isinstance(item, Parsed)
    assert isinstance(item.records[0], Charge)
    assert item.records[0].amount_usd == 0


@pytest.mark.parametrize(
    ("starts_on", "ends_on", "said"),
    [
        ("2026-02-28", "2026-02-01", "ends_on 2026-02-01 must be after starts_on 2026-02-28"),
        ("2026-02-01", "2026-02-01", "the end is the first day that is not charged"),
        ("01.02.2026", "2026-02-02", "starts_on must be a day like 2026-02-28, got '01.02.2026'"),
        ("2026-02-30", "2026-03-02", "starts_on must be a day like 2026-02-28 (day is out of range for month)"),
        ("", "2026-03-02", "starts_on must be a day like 2026-02-28, got empty"),
        ("2026-02-01T00:00:00Z", "2026-03-02", "starts_on must be a day like 2026-02-28"),
        ("2026-02-01", "2046-02-01", "spans more than ten years"),
    ],
)
def test_days_that_make_no_period_are_rejected(tmp_path: Path, starts_on: str, ends_on: str, said: str) -> None:
    assert said in reason(read(tmp_path, HEADER + f"a,other,1,{starts_on},{ends_on},,\n"))


def test_an_unknown_category_is_rejected_with_the_nearest_one(tmp_path: Path) -> None:
    assert "did you mean 'compute'" in reason(read(tmp_path, HEADER + "a,computer,1,2026-02-01,2026-02-02,,\n"))


def test_another_currency_is_rejected_with_what_to_do(tmp_path: Path) -> None:
    header = "charge_id,category,amount_usd,starts_on,ends_on,currency\n"
    items = read(tmp_path, header + "a,other,1,2026-02-01,2026-02-02,EUR\nb,other,1,2026-02-01,2026-02-02,usd\n")

    assert isinstance(items[0], Rejected)
    assert items[0].reason == (
        "currency is 'EUR': convert the amount to US dollars, put it in amount_usd and leave this empty"
    )
    assert isinstance(items[1], Parsed)


def test_a_row_with_too_few_columns_is_rejected_and_the_next_one_is_read(tmp_path: Path) -> None:
    items = read(tmp_path, HEADER + "a,other,1\nb,other,1,2026-02-01,2026-02-02,,\n")

    assert items[0] == Rejected(
        Location(str(tmp_path / "charges.csv"), 2), "has 3 columns where the header has 7", "a,other,1"
    )
    assert isinstance(items[1], Parsed)


def test_a_quote_that_is_not_closed_is_rejected_where_it_was_opened(tmp_path: Path) -> None:
    items = read(tmp_path, HEADER + 'a,other,1,2026-02-01,2026-02-02,"Acme,\nb,other,1,2026-02-01,2026-02-02,,\n')

    assert reason(items) == "(to line 3) is not CSV: unexpected end of data"
    assert items[0].location.line == 2


def test_a_line_that_is_not_utf8_is_rejected_and_the_next_one_is_read(tmp_path: Path) -> None:
    path = tmp_path / "charges.csv"
    lines = HEADER.encode() + b"a,other,1,2026-02-01,2026-02-02,M\xfcller,\nb,other,1,2026-02-01,2026-02-02,,\n"
    path.write_bytes(lines)

    items = sorted(charges.read(path, now=NOW), key=lambda item: item.location.line or 0)
    assert isinstance(items[0], Rejected)
    assert items[0].location.line == 2
    assert items[0].reason.startswith("is not UTF-8")
    assert isinstance(items[1], Parsed)


def test_a_repeated_row_is_ignored_and_a_contradicting_one_rejected(tmp_path: Path) -> None:
    row = "a,other,{},2026-02-01,2026-02-02,,\n"
    items = read(tmp_path, HEADER + row.format(1) + row.format("1.00") + row.format(2))

    assert isinstance(items[0], Parsed)
    assert items[1] == Ignored(Location(str(tmp_path / "charges.csv"), 3), "repeats an earlier row")
    assert isinstance(items[2], Rejected)
    assert items[2].reason == (
        f"charge 'a' is already given at {tmp_path / 'charges.csv'}:2 with other values: remove one of the two"
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "there is no header line with the names of the columns: the file is empty"),
        (HEADER.replace("vendor", "charge_id"), "the header has 'charge_id' more than once"),
        (HEADER.replace("vendor", ""), "the header has a column without a name"),
        (HEADER.replace("ends_on,", ""), "there is no column 'ends_on'; required are charge_id, category"),
        (HEADER.replace("vendor", "vendr"), "unknown column 'vendr'; did you mean 'vendor'?; known are charge_id"),
        (HEADER.replace(",", ";"), "unknown column 'charge_id;category;amount_usd"),
    ],
)
def test_a_header_that_is_not_that_of_charges_stops_the_load(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(LoadError) as raised:
        read(tmp_path, text)
    assert said in str(raised.value)


def test_a_file_that_is_not_there_or_has_another_ending_stops_the_load(tmp_path: Path) -> None:
    with pytest.raises(LoadError, match="there is no such file"):
        charges.read(tmp_path / "none.csv", now=NOW)
    (tmp_path / "charges.xlsx").write_bytes(b"PK")
    with pytest.raises(LoadError, match=r"must end in \.csv, \.jsonl, \.yaml or \.parquet"):
        charges.read(tmp_path / "charges.xlsx", now=NOW)


def test_all_bytes_of_the_file_are_told(tmp_path: Path) -> None:
    path = tmp_path / "charges.csv"
    path.write_text(HEADER + "a,other,1,2026-02-01,2026-02-02,,\n")
    told: list[int] = []

    items = list(charges.read(path, now=NOW, on_bytes=told.append))
    assert len(items) == 1
    assert sum(told) == path.stat().st_size


PREPAID = "charge_id,category,amount_usd,starts_on,ends_on,vendor,credits,currency\n"


def test_credits_say_how_many_were_bought_and_need_no_end(tmp_path: Path) -> None:
    [item] = read(tmp_path, PREPAID + "top,credits,105.50,2026-02-01,,OpenRouter,100,USD\n")

    assert isinstance(item, Parsed)
    [charge] = item.records
    assert isinstance(charge, Charge)
    assert (charge.amount_usd, charge.credits) == (Decimal("105.50"), Decimal(100))
    assert charge.ends_on == date(2036, 2, 9)


@pytest.mark.parametrize(
    ("row", "advice"),
    [
        ("p,subscription,200,2026-02-01,2026-03-01,,,", "must name its vendor"),
        ("p,credits,200,2026-02-01,,,,", "must name its vendor"),
        ("p,subscription,200,2026-02-01,,Acme,,", "ends_on must be a day"),
        ("p,compute,200,2026-02-01,2026-03-01,Acme,5,", "credits is how many a charge of category credits bought"),
        ("p,credits,200,2026-02-01,,Acme,0,", "above 0"),
        ("p,credits,200,2026-02-01,,Acme,-1,", "credits must be how many credits were bought"),
        ("p,credits,200,9995-02-01,,Acme,1,", "before the year 9990"),
        ("p,subscription,200,2026-02-01,2026-03-01,Acme,,EUR", "EUR"),
    ],
)
def test_a_plan_or_a_purchase_that_cannot_be_is_refused_with_what_to_do(tmp_path: Path, row: str, advice: str) -> None:
    assert advice in reason(read(tmp_path, f"{PREPAID}{row}\n"))
