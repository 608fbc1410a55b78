"""A load that is killed at any instant is there as a whole or not at all."""

import random
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from store import Stage, Store
from tests.store.conftest import call, run

ROOT = Path(__file__).parents[2]
SIZE = 500
KILLS = 6


def write_until_killed(path: str) -> None:
    with Store.open(Path(path)) as store:
        number = len(store.loads())
        while True:
            with Stage(source="test", location=f"load {number}", directory=store.stage_directory) as stage:
                for item in range(SIZE):
                    stage.add(item, call(f"{number}-{item}", session_id=f"s{number}"))
                stage.add(SIZE, run(f"s{number}"))
                stage.reject(f"here:{number}", "bad")
                report = store.apply(stage, now=datetime.now(UTC))
            print(report.load_id, flush=True)  # noqa: T201 - the parent counts what was reported as stored
            number += 1


def test_a_killed_load_leaves_all_of_itself_or_nothing(tmp_path: Path) -> None:
    path = tmp_path / "clawback.duckdb"
    command = [
        sys.executable,
        "-c",
        "import sys; from tests.store.test_killed import write_until_killed; write_until_killed(sys.argv[1])",
        str(path),
    ]
    chance = random.Random(1)
    reported = 0
    for _ in range(KILLS):
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout is not None
            reported = int(writer.stdout.readline())
            time.sleep(chance.uniform(0, 0.2))
            writer.kill()
            reported = max([reported, *(int(line) for line in writer.stdout.read().split())])
        with Store.open(path) as store:
            loads = store.loads()
            assert len(loads) >= reported
            assert store.data_version() == len(loads)
            assert [load.load_id for load in reversed(loads)] == list(range(1, len(loads) + 1))
            counts = (
                "SELECT (SELECT count(*) FROM requests), (SELECT count(*) FROM sessions), count(*) FROM rejected_rows"
            )
            assert store.read(counts).rows == [(SIZE * len(loads), len(loads), len(loads))]
            assert list(store.stage_directory.iterdir()) == []
    assert reported >= KILLS
