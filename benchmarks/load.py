"""Loading transcripts: MB/s beside a floor, and beside other programs that read the same files, in the same run.

The floor reads the same bytes and parses every line with orjson, and does nothing with it. Each step of ours does all
that those before it do: `parse` makes the items, `stage` prices them and writes the stage, `load` stores it in a new
file. Each runs in a process of its own, in turn, and the median counts; `cpu` is the processor's time of that process
and its children, which other work on the machine disturbs less than the clock. Nothing is asserted.

    load.py [--mb 1024] [--rounds 3] [--peers /tmp/peers] [--records 1000000]

`benchmarks/peers/README.md` says how the other programs are installed; those that are missing are left out.
"""

import argparse
import hashlib
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from shutil import rmtree

from peers.readers import READERS, Reader, said
from workload import transcripts

FOLDER_OF = {"claude": ".claude", "openclaw": ".openclaw"}
HERE = Path(__file__).parent
STEPS = ("parse", "stage", "load")


@dataclass(frozen=True, slots=True)
class Run:
    wall_s: float
    cpu_s: float
    peak_mb: float
    found: int | None
    """Output tokens."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mb", type=int, default=64, help="size of the home; the page has 1024")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--records", type=int, default=1_000_000, help="ready records into the store; 0 for none")
    parser.add_argument("--peers", type=Path, default=Path("/tmp/peers"))
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "clawback-benchmarks")
    arguments = parser.parse_args()
    print(f"{datetime.now(UTC):%Y-%m-%d}, Python {platform.python_version()}, orjson {version('orjson')}", end=", ")
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, medians of {arguments.rounds}")
    home, truth = written_home(arguments.cache, arguments.mb)
    for whose, holds in truth.items():
        print_table(home, whose, holds, [r for r in READERS if whose in r.reads], arguments.peers, arguments.rounds)
    if arguments.records:
        print(
            subprocess.run(ours("records", str(arguments.records)), check=True, capture_output=True, text=True).stdout
        )


def written_home(cache: Path, mb: int) -> tuple[Path, dict[str, dict[str, int]]]:
    """The home of that size, with what it holds; written where it is missing or was written by another recipe."""
    recipe = hashlib.sha256(Path(transcripts.__file__).read_bytes()).hexdigest()[:8]
    home = cache / f"home-{mb}-{recipe}"
    truth = home / "truth.json"
    if not truth.exists():
        rmtree(home, ignore_errors=True)
        start = time.perf_counter()
        holds = transcripts.write_home(home, mb << 20)
        truth.write_text(json.dumps({whose: asdict(what) for whose, what in holds.items()}))
        print(f"wrote {home} in {time.perf_counter() - start:.0f} s")
    return home, json.loads(truth.read_text())


def print_table(home: Path, whose: str, holds: dict[str, int], readers: list[Reader], peers: Path, rounds: int) -> None:
    folder = home / FOLDER_OF[whose]
    files = list(files_below(folder))
    size = sum(path.stat().st_size for path in files)
    print(f"\n{whose}: {size / 1e6:,.0f} MB, {len(files):,} files, {holds['lines']:,} lines, {holds['calls']:,} calls")
    print(f"{'':22} {'wall s':>7} {'MB/s':>6} {'calls/s':>8} {'cpu s':>6} {'of floor':>8} {'peak MB':>8}")
    works: dict[str, Callable[[], Run]] = {
        "floor": lambda: measured([sys.executable, str(HERE / "peers" / "floor.py"), str(folder)], {})
    }
    works |= {step: work_of_ours(step, folder) for step in STEPS}
    works |= {r.name: work_of(r, peers / r.program, home, whose) for r in readers if (peers / r.program).exists()}
    runs: dict[str, list[Run]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            runs[name].append(work())
    floor = statistics.median(run.cpu_s for run in runs["floor"])
    for name, taken in runs.items():
        wall, cpu = (statistics.median(getattr(run, column) for run in taken) for column in ("wall_s", "cpu_s"))
        found = taken[-1].found
        verdict = "" if found in (None, holds["output_tokens"]) else f"  finds {found:,} of {holds['output_tokens']:,}"
        print(
            f"{name:22} {wall:7.2f} {size / 1e6 / wall:6.0f} {holds['calls'] / wall:8,.0f} {cpu:6.2f} "
            f"{cpu / floor:8.2f} {max(run.peak_mb for run in taken):8.0f}{verdict}"
        )


def work_of_ours(step: str, folder: Path) -> Callable[[], Run]:
    return lambda: measured(ours(step, str(folder)), {})


def work_of(reader: Reader, program: Path, home: Path, whose: str) -> Callable[[], Run]:
    """It runs in a home of its own where it can be told of ours: what it remembered would spare it the work."""

    def work() -> Run:
        with tempfile.TemporaryDirectory() as own:
            at = own if "--home" in reader.arguments(home, whose) else str(home)
            return measured([str(program), *reader.arguments(home, whose)], {"HOME": at}, reader)

    return work


def ours(step: str, what: str) -> list[str]:
    return [sys.executable, str(HERE / "peers" / "clawback_load.py"), step, what]


def measured(command: list[str], environment: dict[str, str], reader: Reader | None = None) -> Run:
    """One process, and what the kernel says of it when it has ended."""
    with tempfile.TemporaryFile() as answer:
        start = time.perf_counter()
        process = subprocess.Popen(
            command, stdout=answer, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL, env=os.environ | environment
        )
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        answer.seek(0)
        text = answer.read()
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
    found = said(reader, text) if reader else int(text) or None
    return Run(wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, found)


def files_below(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file())


if __name__ == "__main__":
    main()
