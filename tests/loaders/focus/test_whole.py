from decimal import Decimal
from pathlib import Path

import pytest

from loaders import focus
from loaders.focus.bill import Bill
from loaders.item import LoadError, Rejected, WholePart
from tests.loaders.focus.conftest import NOW, ROW, charges, load, read, sums, total, write
from tests.stores import new_store

USE = ROW | {"ResourceId": "i-1", "EffectiveCost": "10", "BilledCost": "10"}
COVERED = USE | {"CommitmentDiscountId": "sp-1", "EffectiveCost": "6", "BilledCost": "0"}
NEXT_DAY = USE | {"ChargePeriodStart": "2026-11-20T00:00:00Z", "ChargePeriodEnd": "2026-11-21T00:00:00Z"}
OCTOBER = USE | {"BillingPeriodStart": "2026-10-01T00:00:00Z"}
ELSEWHERE = USE | {"BillingAccountId": "1002"}


def parts(path: Path, whole: str | None) -> list[str]:
    return [item.part for item in focus.read(path, now=NOW, whole=whole) if isinstance(item, WholePart)]


def test_a_part_is_a_day_of_one_accounts_bill_for_one_period(tmp_path: Path) -> None:
    month = {"ChargePeriodStart": "2026-11-01T00:00:00Z", "ChargePeriodEnd": "2026-12-01T00:00:00Z"}
    correction = {"ChargeClass": "Correction", "BillingPeriodStart": "2026-12-01T00:00:00Z"}
    rows = [USE, ELSEWHERE, OCTOBER, ROW | {"ProviderName": "NULL"}, USE | month, USE | correction]

    assert [charge.part for charge in charges(read(tmp_path, *rows))] == [
        "AWS | 1001 | 2026-11-01 | day 19",
        "AWS | 1002 | 2026-11-01 | day 19",
        "AWS | 1001 | 2026-10-01 | day 32",  # the last there is: the charge is for a day after the period
        "- | 1001 | 2026-11-01 | day 19",
        "AWS | 1001 | 2026-11-01 | day 1",
        "AWS | 1001 | 2026-12-01 | day 1",  # a correction is on the bill that it comes with
    ]


def test_long_names_make_no_long_part() -> None:
    [charge] = [Bill("v" * 1024, "a" * 5000, NOW.date()).part(0)]
    assert len(charge) < 200


def test_what_a_whole_period_has_no_more_is_removed(tmp_path: Path) -> None:
    with new_store() as store:
        load(store, write(tmp_path / "a.csv", USE, NEXT_DAY, OCTOBER, ELSEWHERE))
        report = load(store, write(tmp_path / "b.csv", COVERED), whole="periods")

        # The use is covered by a commitment now, which makes it another row; the next day is gone from the bill.
        assert (report.stored, report.removed) == (1, 2)
        assert sums(store) == (Decimal(20), Decimal(26))  # October's and the other account's are as they were


def test_a_file_of_some_days_replaces_those_days_alone(tmp_path: Path) -> None:
    with new_store() as store:
        load(store, write(tmp_path / "a.csv", USE, NEXT_DAY))
        report = load(store, write(tmp_path / "b.csv", COVERED), whole="days")

        assert (report.stored, report.removed) == (1, 1)
        assert sums(store) == (Decimal(10), Decimal(16))


def test_a_file_that_nobody_calls_whole_removes_nothing(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", USE, NEXT_DAY)
    assert [len(parts(path, whole)) for whole in (None, "no", "days", "periods")] == [0, 0, 2, 32]


def test_halves_of_a_bill_one_after_the_other_are_the_bill(tmp_path: Path) -> None:
    first, second = write(tmp_path / "1.csv", USE, OCTOBER), write(tmp_path / "2.csv", NEXT_DAY, COVERED, ELSEWHERE)
    with new_store() as store:
        for half in (second, first, second):
            load(store, half)
        assert total(store) == Decimal(46)


def test_a_day_with_a_rejected_row_keeps_what_it_had_and_the_others_are_replaced(tmp_path: Path) -> None:
    with new_store() as store:
        load(store, write(tmp_path / "a.csv", USE, NEXT_DAY))
        report = load(
            store, write(tmp_path / "b.csv", COVERED | {"EffectiveCost": "six"}, ELSEWHERE, OCTOBER), "periods"
        )
        assert (report.rejected, report.removed) == (1, 0)  # no row of the bill was read, so nothing is said of it

        spent = USE | {"ChargePeriodStart": "2026-11-02T00:00:00Z", "EffectiveCost": "1"}
        report = load(store, write(tmp_path / "c.csv", COVERED | {"EffectiveCost": "six"}, spent), "periods")
        assert (report.rejected, report.removed) == (1, 1)  # the next day's
        assert total(store) == Decimal(10 + 1 + 20)


@pytest.mark.parametrize(
    "damage", [{"ChargePeriodStart": "yesterday"}, {"BillingPeriodStart": ""}, {"BillingAccountId": "\udcff"}]
)
def test_a_row_that_might_be_anybodys_lets_nothing_be_removed(tmp_path: Path, damage: dict[str, str]) -> None:
    path = write(tmp_path / "a.csv", USE)
    text = path.read_text().splitlines()
    broken = ",".join((USE | damage)[column] for column in text[0].split(","))
    path.write_bytes("\n".join([*text, broken]).encode("utf-8", "surrogateescape"))

    assert [isinstance(item, Rejected) for item in focus.read(path, now=NOW, whole="periods")] == [False, True]


def test_an_archive_that_is_cut_off_lets_nothing_be_removed(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv.gz", *(USE | {"ResourceId": f"i-{n}"} for n in range(500)))
    assert len(parts(path, "periods")) == 32
    path.write_bytes(path.read_bytes()[:-20])
    assert parts(path, "periods") == []


def test_an_unknown_extent_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", USE)
    with pytest.raises(LoadError, match="the option whole must be one of periods, days, no, got 'yes'"):
        focus.read(path, now=NOW, whole="yes")
    with pytest.raises(LoadError, match="focus has no option 'hole'; it takes whole"):
        focus.LOADER.check_options({"hole": "no"})
