"""What every loader holds: whatever is read twice, in parts, in another order, or after a kill, is stored once."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from loaders import Task
from loaders.item import Item, Note
from loaders.job import run_load
from loaders.kinds import LOADERS
from store import LoadReport, Store
from store.tables import BUDGETS, CASH_FLOWS, TABLES, Table
from tests.loaders.samples import NOW, SAMPLES, Sample, one_github
from tests.stores import check_facts, new_store

ROOT = Path(__file__).parents[2]
STORE = "store.duckdb"
Rows = dict[str, list[tuple[Any, ...]]]

each_sample = pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.title)


@contextmanager
def items_of(
    sample: Sample, folder: Path, units: Sequence[str], cursor: str | None = None
) -> Iterator[tuple[str, Iterator[Item | Note]]]:
    """The location of a source with these units, and what its loader reads there."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in sample.extra.items():
        (folder / name).write_text(text)
    location = str(sample.write(folder, units))
    given = {name: str(folder / value[1:]) if value[:1] == "@" else value for name, value in sample.options.items()}
    with ExitStack() as stack:
        if sample.serve is not None:
            given["url"] = stack.enter_context(sample.serve(units))
            location = given["url"] if location == "@" else location
        yield location, LOADERS[sample.loader].read(Task(location, NOW, given, cursor, sample.token))


def load(store: Store, sample: Sample, folder: Path, units: Sequence[str]) -> LoadReport:
    with items_of(sample, folder, units) as (location, items):
        return run_load(store, sample.loader, location, items, now=NOW)


def rows_of(store: Store) -> Rows:
    """All rows, without the numbers of the loads that brought them and the place of the file that a budget is from."""
    check_facts(store)
    return {
        table.name: store.read(f"SELECT {', '.join(_columns(table))} FROM {table.name} ORDER BY ALL").rows
        for table in TABLES
    }


def _columns(table: Table) -> list[str]:
    return [column for column in table.columns if table not in (BUDGETS, CASH_FLOWS) or column != "part"]


@pytest.fixture(scope="module", autouse=True)
def github() -> Iterator[None]:
    with one_github():
        yield


_WHOLE: dict[str, Rows] = {}


def whole(sample: Sample, folder: Path) -> Rows:
    """What an undisturbed load stores; found once for each loader."""
    if sample.title not in _WHOLE:
        with new_store() as store:
            report = load(store, sample, folder, sample.units)
            assert (report.rejected, report.conflicts) == (0, 0)
            assert report.stored >= len(sample.units)
            _WHOLE[sample.title] = rows_of(store)
    return _WHOLE[sample.title]


def test_every_loader_has_a_sample() -> None:
    assert {sample.loader for sample in SAMPLES} == set(LOADERS)


@each_sample
def test_a_second_load_changes_nothing(sample: Sample, tmp_path: Path) -> None:
    with new_store() as store:
        first = load(store, sample, tmp_path / "a", sample.units)
        before = rows_of(store)
        again = load(store, sample, tmp_path / "a", sample.units)
        assert rows_of(store) == before
    assert (again.stored, again.unchanged, again.removed) == (0, first.stored, 0)


@each_sample
@pytest.mark.parametrize("order", [(0, 1), (1, 0)], ids=["in order", "backwards"])
def test_halves_in_any_order_and_a_source_that_has_grown_are_the_whole(
    sample: Sample, order: tuple[int, int], tmp_path: Path
) -> None:
    middle = len(sample.units) // 2
    halves = (sample.units[:middle], sample.units[middle:])
    expected = whole(sample, tmp_path / "whole")
    with new_store() as store:
        for number in order:
            load(store, sample, tmp_path / str(number), halves[number])
        assert rows_of(store) == expected
        load(store, sample, tmp_path / "0", sample.units)
        assert rows_of(store) == expected


@each_sample
def test_a_bad_record_in_the_middle_is_rejected_with_its_place_and_costs_no_other(
    sample: Sample, tmp_path: Path
) -> None:
    middle = len(sample.units) // 2
    units = [*sample.units[:middle], sample.bad, *sample.units[middle:]]
    expected = whole(sample, tmp_path / "whole")
    with new_store() as store:
        report = load(store, sample, tmp_path / "a", units)
        found = rows_of(store)
    assert report.rejected >= 1
    for location, reason in report.rejections:
        assert location.startswith(sample.place or str(tmp_path / "a"))
        assert reason
    for table, rows in expected.items():
        assert set(map(repr, rows)) <= set(map(repr, found[table])), table


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a store for each loader, whose first load was killed half-way, by signal 9."""
    folder = tmp_path_factory.mktemp("killed")
    code = "import sys; from tests.loaders.test_conformance import kill_all; kill_all(sys.argv[1])"
    subprocess.run([sys.executable, "-c", code, str(folder)], cwd=ROOT, check=True, timeout=300)
    return folder


def kill_all(folder: str) -> None:
    """Forks a process for each loader, which kills itself in the middle of its load."""
    for sample in SAMPLES:
        child = os.fork()
        if child == 0:
            _load_half_and_die(sample, Path(folder) / sample.title)
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == -signal.SIGKILL, sample.loader


def _load_half_and_die(sample: Sample, folder: Path) -> None:
    def dying(items: Iterator[Item | Note]) -> Iterator[Item | Note]:
        for number, item in enumerate(items):
            if number >= len(sample.units) // 2:
                os.kill(os.getpid(), signal.SIGKILL)
            yield item

    with items_of(sample, folder / "a", sample.units) as (location, items), Store.open(folder / STORE) as store:
        run_load(store, sample.loader, location, dying(items), now=NOW)
    os._exit(0)


@each_sample
def test_a_load_after_a_kill_stores_what_an_undisturbed_one_does(sample: Sample, killed: Path, tmp_path: Path) -> None:
    folder = killed / sample.title
    with Store.open(folder / STORE) as store:
        assert store.loads() == []
        load(store, sample, folder / "a", sample.units)
        assert rows_of(store) == whole(sample, tmp_path / "whole")
        assert list(store.stage_directory.iterdir()) == []
