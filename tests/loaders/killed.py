"""Kills a load with signal 9 at a random moment, again and again: the next must store what an undisturbed one does.

    python -m tests.loaders.killed --times 1000 --seed 7

Each round begins with a store that has a price book and half of a home. One process loads the whole home and is killed;
another loads it again and says what is stored then. Processes are forked from one that never opens a store.
"""

import argparse
import hashlib
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from loaders import Task
from loaders.job import run_load
from loaders.kinds import LOADERS
from store import Store
from store.tables import TABLES
from tests.loaders.samples import NOW, killed_home, killed_prices

FACTS = ("request_facts", "session_facts", "daily_spend")


def load(path: Path, kind: str, location: Path) -> None:
    with Store.open(path) as store:
        run_load(store, kind, str(location), LOADERS[kind].read(Task(str(location), NOW)), now=NOW)


def digest(path: Path) -> str:
    """Of all rows and all facts; without the numbers of the loads, which count also those that were repeated."""
    with Store.open(path) as store:
        parts = [f"SELECT {', '.join(table.columns)} FROM {table.name} ORDER BY ALL" for table in TABLES]
        parts += [f"SELECT * FROM {fact} ORDER BY ALL" for fact in FACTS]
        rows = [store.read(part).rows for part in parts]
        ((loads, versions),) = store.read("SELECT count(*), (SELECT version FROM data_version) FROM loads").rows
        assert loads == versions, f"every load makes one version, and there are {loads} and {versions}"
    return hashlib.sha256(repr(rows).encode()).hexdigest()


def in_a_process(work: Callable[[], str]) -> tuple[int, int]:
    """Forks; gives the child's number and the end of a pipe from which its answer can be read."""
    reading, writing = os.pipe()
    child = os.fork()
    if child:
        os.close(writing)
        return child, reading
    os.close(reading)
    status = 1
    try:
        os.write(writing, work().encode())
        status = 0
    finally:
        os._exit(status)


def answer(child: int, reading: int) -> tuple[int, str]:
    with os.fdopen(reading) as pipe:
        said = pipe.read()
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), said


def run(times: int, seed: int, folder: Path) -> Counter[str]:
    """How the rounds ended: where the kill struck. Raises `AssertionError` at the first round that ends otherwise."""
    chance = random.Random(seed)
    home, half, prices = killed_home(folder / "home"), killed_home(folder / "half", share=2), killed_prices(folder)
    template = folder / "template.duckdb"

    def prepare() -> str:
        load(template, "prices", prices)
        load(template, "openclaw", half)
        return ""

    def loaded(path: Path) -> Callable[[], str]:
        def work() -> str:
            load(path, "openclaw", home)
            return digest(path)

        return work

    assert answer(*in_a_process(prepare)) == (0, "")
    undisturbed = folder / "undisturbed.duckdb"
    shutil.copy(template, undisturbed)
    began = time.monotonic()
    status, expected = answer(*in_a_process(loaded(undisturbed)))
    assert status == 0
    lasts = time.monotonic() - began
    struck: Counter[str] = Counter()
    for number in range(times):
        path = folder / f"{number}.duckdb"
        shutil.copy(template, path)
        child, reading = in_a_process(loaded(path))
        time.sleep(chance.uniform(0, lasts))
        os.kill(child, signal.SIGKILL)
        status, said = answer(child, reading)
        staged = any((path.with_name(path.name + ".stage")).glob("*/*/*.ndjson"))
        logged = path.with_name(path.name + ".wal").exists()
        struck["too late" if said else "storing" if logged else "staging" if staged else "before or after"] += 1
        status, found = answer(*in_a_process(loaded(path)))
        assert (status, found) == (0, expected), f"round {number} of seed {seed} ended otherwise; see {path}"
        for left in folder.glob(f"{number}.duckdb*"):
            shutil.rmtree(left) if left.is_dir() else left.unlink()
    return struck


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        struck = run(given.times, given.seed, Path(folder))
    sys.stdout.write(f"{given.times} kills, every next load right: {dict(struck)}\n")


if __name__ == "__main__":
    main()
