"""Compiles the same questions with each peer in turn, several times over, and prints the medians side by side.

    compare.py clawback=.venv/bin/python sidemantic=/tmp/peers/sidemantic/bin/python ... [--rounds 3]

Each name is a script `NAME_compile.py` here and the Python that has the peer installed (README.md says how).
"""

import argparse
import json
import os
import statistics
import subprocess
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

HERE = Path(__file__).parent
Times = dict[str, list[float]]
_, CPU, FIRST, SIZE = range(4)
PACKAGES = {
    "clawback": ("clawback", "sqlglot", "sqlglotc"),
    "sidemantic": ("sidemantic", "sqlglot", "sqlglotc"),
    "metricflow": ("metricflow", "dbt-metricflow", "dbt-core"),
    "bsl": ("boring-semantic-layer", "ibis-framework", "sqlglot"),
}
VERSIONS = """
import sys
from importlib.metadata import PackageNotFoundError, version
for name in sys.argv[1:]:
    try: print(name, version(name))
    except PackageNotFoundError: pass
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("peers", nargs="+", metavar="NAME=PYTHON")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    pythons = dict(peer.split("=", 1) for peer in arguments.peers)
    told: dict[str, list[Times]] = {name: [] for name in pythons}
    print(f"{datetime.now(UTC):%Y-%m-%d}, load {os.getloadavg()[0]:.1f}")
    for name, python in pythons.items():
        print(f"{name}: {versions(name, python)}")
    with tempfile.TemporaryDirectory() as directory:
        for _ in range(arguments.rounds):
            for name, python in pythons.items():
                told[name].append(run(name, python, directory))
    print_table(told)


def versions(name: str, python: str) -> str:
    asked = [python, "-c", VERSIONS, *PACKAGES[name.partition("+")[0]]]
    return ", ".join(subprocess.run(asked, check=True, capture_output=True, text=True).stdout.split("\n")[:-1])


def run(name: str, python: str, directory: str) -> Times:
    """What one script says; `clawback+c` runs the same script with another Python."""
    script = HERE / f"{name.partition('+')[0]}_compile.py"
    environment = {**os.environ, "PYTHONPATH": str(HERE.parents[1])} if name.startswith("clawback") else None
    asked = [python, str(script), directory]
    answer = subprocess.run(
        asked, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment
    )
    return cast(Times, json.loads(answer.stdout.splitlines()[-1]))


def print_table(told: dict[str, list[Times]]) -> None:
    """Processor milliseconds, warm; in brackets the first compile of that question; then characters of SQL."""
    questions = list(next(iter(told.values()))[0])
    print(f"{'processor ms, warm (first)':28}" + "".join(f"{name:>18}" for name in told))
    for question in questions:
        cells = (f"{_median(r, question, CPU):.1f} ({_median(r, question, FIRST):.0f})" for r in told.values())
        print(f"{question:28}" + "".join(f"{cell:>18}" for cell in cells))
    print("characters of SQL")
    for question in questions:
        sizes = (f"{_median(r, question, SIZE):,.0f}" for r in told.values())
        print(f"{question:28}" + "".join(f"{size:>18}" for size in sizes))


def _median(rounds: list[Times], question: str, at: int) -> float:
    return statistics.median(times[question][at] for times in rounds)


if __name__ == "__main__":
    main()
