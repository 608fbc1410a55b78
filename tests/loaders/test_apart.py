"""A load in a process of its own: what it stages, and what is left when it dies, hangs or is given up."""

import multiprocessing
import os
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from time import monotonic, sleep

import pytest

from loaders import LoadError, Task
from loaders.apart import staged_apart
from loaders.job import StalePricesError, apply_load, run_load
from loaders.prices import read as read_prices
from store import Stage, Store, StoreError
from tests.loaders.github.stub import Reply, served

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
HEADER = "account,as_of_on,balance_usd\n"
PRICES = "price_id,provider,model,effective_from,input,output\nP1,acme,big,2026-01-01,1,2\n"


def balances(folder: Path, rows: int = 3) -> Task:
    path = folder / "cash.csv"
    path.write_text(HEADER + "".join(f"account-{number},2026-03-01,{number}.50\n" for number in range(rows)))
    return Task(str(path), NOW)


def test_what_another_process_has_staged_is_stored_by_the_owner(tmp_path: Path) -> None:
    task = balances(tmp_path)
    told: list[int] = []
    with Store.open(tmp_path / "s.duckdb") as store:
        directory = store.stage_directory
        with (
            staged_apart("cash", task, [], directory, timeout_s=60, on_bytes=told.append) as staged,
            Stage.reopened(staged.directory) as stage,
        ):
            report = apply_load(store, stage, [], staged.stated, now=NOW)
        assert (report.read, report.stored, report.location) == (3, 3, task.location)
        assert store.read("SELECT sum(balance_usd)::VARCHAR FROM cash_balances").rows == [("4.500000000000",)]
        assert sum(told) == Path(task.location).stat().st_size
        assert list(store.stage_directory.iterdir()) == []


def test_a_loader_that_cannot_go_on_says_so_in_its_own_words(tmp_path: Path) -> None:
    task = Task(str(tmp_path / "none.csv"), NOW)
    with (
        pytest.raises(LoadError, match=r"none\.csv: there is no such file"),
        staged_apart("cash", task, [], tmp_path, timeout_s=60),
    ):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_process_that_is_killed_leaves_nothing_and_is_told(tmp_path: Path) -> None:
    task = balances(tmp_path, rows=200_000)

    def kill(_: int) -> None:
        for process in multiprocessing.active_children():
            process.kill()

    stages = tmp_path / "stages"
    stages.mkdir()
    with (
        pytest.raises(LoadError, match=r"the process that read it died \(signal 9\)"),
        staged_apart("cash", task, [], stages, timeout_s=60, on_bytes=kill),
    ):
        pass
    assert list(stages.iterdir()) == []
    assert multiprocessing.active_children() == []


def test_a_load_that_takes_too_long_is_stopped(tmp_path: Path) -> None:
    task = balances(tmp_path)
    with (
        pytest.raises(LoadError, match="took longer than 0 s and was stopped"),
        staged_apart("cash", task, [], tmp_path, timeout_s=0),
    ):
        pass
    assert multiprocessing.active_children() == []


def test_a_load_that_nobody_waits_for_any_more_is_given_up(tmp_path: Path) -> None:
    with (
        pytest.raises(LoadError, match="was given up; nothing of it is stored"),
        staged_apart("cash", balances(tmp_path), [], tmp_path, timeout_s=60, is_given_up=lambda: True),
    ):
        pass


ORPHANED = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from loaders import Task
from loaders.apart import staged_apart

if __name__ == "__main__":
    task = Task(sys.argv[1], datetime(2026, 3, 10, tzinfo=UTC), {"url": sys.argv[2]}, token="t")
    with staged_apart("github", task, [], Path(sys.argv[3]), timeout_s=60):
        pass
"""


def test_a_process_whose_parent_was_killed_ends_too_and_what_it_waits_for_does_not_hold_it(tmp_path: Path) -> None:
    asked = Event()

    def silent(path: str, headers: Mapping[str, str]) -> Reply:
        asked.set()
        sleep(30)
        return Reply(200)

    (tmp_path / "parent.py").write_text(ORPHANED)
    with served(silent) as url:
        command = [sys.executable, str(tmp_path / "parent.py"), "acme/shop", url, str(tmp_path)]
        with subprocess.Popen(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}) as parent:
            assert asked.wait(60)
            children = Path(f"/proc/{parent.pid}/task/{parent.pid}/children").read_text().split()
            parent.kill()
        deadline = monotonic() + 20
        while any(Path(f"/proc/{child}/stat").exists() and not is_zombie(child) for child in children):
            assert monotonic() < deadline, children
            sleep(0.05)
    assert children


def is_zombie(process: str) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def test_what_was_priced_with_an_old_book_is_not_stored(tmp_path: Path) -> None:
    path = tmp_path / "prices.csv"
    path.write_text(PRICES)
    with Store.open(tmp_path / "s.duckdb") as store:
        book = store.prices()
        with Stage(source="cash", location="x", directory=store.stage_directory) as stage:
            run_load(store, "prices", str(path), read_prices(path, now=NOW), now=NOW)
            with pytest.raises(StalePricesError):
                apply_load(store, stage, book, [], now=NOW)


def test_a_directory_without_a_manifest_is_no_finished_load(tmp_path: Path) -> None:
    with (
        Stage(source="x", location="x", directory=tmp_path) as stage,
        pytest.raises(StoreError, match="holds no finished load"),
    ):
        Stage.reopened(stage.directory)
