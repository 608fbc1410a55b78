"""The file of the ledger: whose it is, what damages it, and that several may use it at once."""

import stat
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from threading import Thread

import pytest

from store import StoreBusyError, StoreError
from store.ledger import Hold, Ledger
from store.ledger.money import joined, rounded, split

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def hold(name: str, usd: str = "0.1") -> Hold:
    return Hold(
        hold_id=name, reserved_at=NOW, expires_at=NOW + timedelta(hours=1), trigger="cron", max_usd=Decimal(usd)
    )


def add(ledger: Ledger, *names: str) -> None:
    """All of them in one transaction."""
    with ledger.writing() as books:
        for name in names:
            books.holds.add(hold(name))


def held(ledger: Ledger) -> Decimal:
    with ledger.reading() as books:
        day = (NOW.replace(hour=0), NOW.replace(hour=23))
        return books.holds.committed("global", *day, now=NOW, version=0, member=None).held_usd


def test_the_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    with Ledger.beside(tmp_path / "costs.duckdb") as ledger, ledger.writing() as books:
        books.holds.add(hold("h"))
        files = sorted(tmp_path.iterdir())
        assert [file.name for file in files] == [f"costs.duckdb.ledger{end}" for end in ("", "-shm", "-wal")]
        assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


def test_what_fails_half_way_leaves_nothing(tmp_path: Path) -> None:
    with Ledger.open(tmp_path / "ledger") as ledger:
        add(ledger, "first")
        with pytest.raises(StoreError, match="UNIQUE constraint failed"):
            add(ledger, "second", "first")
        assert held(ledger) == Decimal("0.1")


def test_a_reader_does_not_wait_for_a_writer(tmp_path: Path) -> None:
    with Ledger.open(tmp_path / "ledger") as ledger, ledger.writing() as books:
        books.holds.add(hold("h"))
        assert held(ledger) == 0


def test_a_writer_that_waits_too_long_for_another_process_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Ledger.open(tmp_path / "ledger") as one:
        monkeypatch.setattr("store.beside.BUSY_S", 0.01)
        other = Ledger.open(tmp_path / "ledger")
        with one.writing(), pytest.raises(StoreBusyError, match="another process has been writing"), other.writing():
            pass
        other.close()


def test_many_open_a_new_ledger_at_once(tmp_path: Path) -> None:
    failures: list[Exception] = []

    def work(number: int) -> None:
        try:
            with Ledger.open(tmp_path / "ledger") as ledger, ledger.writing() as books:
                books.holds.add(hold(f"h{number}"))
        except StoreError as error:
            failures.append(error)

    threads = [Thread(target=work, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with Ledger.open(tmp_path / "ledger") as ledger:
        assert held(ledger) == Decimal("1.2")


@pytest.mark.parametrize("content", [b"text that is no database" * 100, b"SQLite format 3\x00" + b"\xff" * 5000])
def test_what_is_no_ledger_is_refused_and_left_as_it_is(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "ledger"
    path.write_bytes(content)
    with pytest.raises(StoreError, match="ledger cannot be opened"):
        Ledger.open(path)
    assert path.read_bytes() == content


def test_a_directory_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="Reservations are kept there"):
        Ledger.open(tmp_path / "nowhere" / "ledger")


@pytest.mark.parametrize("usd", ["0", "0.000000000001", "999999.999999999999", "1000000", "0.3"])
def test_an_amount_comes_back_to_the_last_place(usd: str) -> None:
    assert joined(*split(Decimal(usd))) == Decimal(usd)


def test_what_may_be_spent_is_rounded_up_and_what_was_spent_to_the_nearest() -> None:
    assert rounded(Decimal("0.0000000000001"), up=True) == Decimal("0.000000000001")
    assert rounded(Decimal("0.0000000000001"), up=False) == 0


def test_sums_of_many_holds_are_exact(tmp_path: Path) -> None:
    with Ledger.open(None) as ledger:
        with ledger.writing() as books:
            for number in range(1_000):
                books.holds.add(hold(f"h{number}", "999999.999999999999"))
        assert held(ledger) == Decimal("999999999.999999999")


def test_old_windows_are_forgotten() -> None:
    with Ledger.open(None) as ledger, ledger.writing() as books:
        books.holds.add(hold("h"))
        books.holds.forget(NOW)
        assert books.holds.open_holds(NOW) == 1
        books.holds.forget(NOW + timedelta(seconds=1))
        assert books.holds.open_holds(NOW) == 0
