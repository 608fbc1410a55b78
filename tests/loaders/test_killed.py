"""Loads that are killed at random moments; `python -m tests.loaders.killed` does it as often as one likes."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.whole
def test_after_a_kill_at_any_moment_the_next_load_stores_what_an_undisturbed_one_does() -> None:
    command = [sys.executable, "-m", "tests.loaders.killed", "--times", "20", "--seed", "20260310"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=500, check=False)
    assert run.returncode == 0, run.stderr
    assert run.stdout.startswith("20 kills, every next load right: ")
