"""The steps of a load, each in a process of its own: `clawback_load.py STEP PATH`, or `records COUNT`.

`parse` makes the items of all transcripts below a folder, `stage` prices them and writes the stage as well, `load`
stores it in a new file and prints the output tokens that the store then holds. `records` applies a stage of that many
priced requests to an empty file and prints what that took.
"""

import resource
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from loaders.costing import Costing
from loaders.job import run_load, stage_items
from loaders.kinds import LOADERS
from loaders.loader import Loader, Task
from store import PricedRequest, Request, Stage, Store

STARTS, NOW = datetime(2026, 8, 1, tzinfo=UTC), datetime(2027, 6, 1, tzinfo=UTC)
LOADER_OF = {".claude": "claude-code", ".openclaw": "openclaw"}
MODELS = ("claude-opus-4-6", "claude-sonnet-4-5", "claude-haiku-4-5")
USD_PER_TOKEN = Decimal("0.000015")


def parse(folder: Path) -> int:
    for _ in loader_of(folder).read(Task(str(folder), NOW)):
        pass
    return 0


def stage(folder: Path) -> int:
    with Stage(source="benchmark", location=str(folder)) as staged:
        stage_items(staged, loader_of(folder).read(Task(str(folder), NOW)), Costing([], now=NOW))
        staged.close()
    return 0


def load(folder: Path) -> int:
    loader = loader_of(folder)
    with tempfile.TemporaryDirectory() as directory, Store.open(Path(directory) / "store.duckdb") as store:
        run_load(store, loader.name, str(folder), loader.read(Task(str(folder), NOW)), now=NOW)
        return int(str(store.read("SELECT sum(output_tokens) FROM requests").rows[0][0]))


def store_records(count: int) -> str:
    """A stage of `count` priced requests into an empty file; only applying it is measured."""
    with tempfile.TemporaryDirectory() as directory, Store.open(Path(directory) / "store.duckdb") as store:
        with Stage(source="benchmark", location="ready", directory=store.stage_directory) as staged:
            for number in range(count):
                staged.add(number, ready(number))
            wall, cpu = time.perf_counter(), time.process_time()
            stored = store.apply(staged, now=NOW).stored
            wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        return f"\n{stored:,} ready records into a new file: {wall:.1f} s, cpu {cpu:.1f} s, peak {peak:,.0f} MB"


def ready(number: int) -> PricedRequest:
    at = STARTS + timedelta(seconds=number)
    request = Request(
        request_key=f"anthropic:msg_{number:024}",
        source="benchmark",
        session_id=f"session-{number // 15}",
        agent=f"agent-{number % 12}",
        provider="anthropic",
        model=MODELS[number % 3],
        started_at=at,
        ended_at=at + timedelta(seconds=3),
        uncached_input_tokens=3,
        cache_read_tokens=30_000 + number % 7_000,
        cache_write_5m_tokens=number % 4_000,
        cache_write_1h_tokens=0,
        output_tokens=40 + number % 3_000,
        owner_started_at=at,
    )
    assert request.output_tokens is not None
    return PricedRequest(request, USD_PER_TOKEN * request.output_tokens, "PRICED", "benchmark")


def loader_of(folder: Path) -> Loader:
    return LOADERS[LOADER_OF[folder.name]]


STEP_OF: dict[str, Callable[[Path], int]] = {"parse": parse, "stage": stage, "load": load}

if __name__ == "__main__":
    step, what = sys.argv[1:]
    print(store_records(int(what)) if step == "records" else STEP_OF[step](Path(what)))
