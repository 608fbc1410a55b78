"""A disk that is full while a load is staged."""

import resource
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from store import Stage, StoreError


@pytest.fixture
def full_disk() -> Iterator[None]:
    """No file may grow beyond 64 KB."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (65_536, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    signal.signal(signal.SIGXFSZ, ignored)


def test_a_load_that_does_not_fit_on_the_disk_says_where_and_leaves_nothing(tmp_path: Path, full_disk: None) -> None:
    def fill() -> None:
        with Stage(source="test", location="a.jsonl", directory=tmp_path) as stage:
            for line in range(10_000):
                stage.reject(f"a.jsonl:{line}", "is not JSON", "x" * 100)

    with pytest.raises(StoreError, match=r"the load of a\.jsonl cannot be staged in .*: File too large"):
        fill()
    assert list(tmp_path.iterdir()) == []
