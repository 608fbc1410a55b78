"""What tests share: material that lies beside the repository, which CI must have and a laptop may lack."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.serving import Serve, running

SHARED = Path(__file__).parents[2] / "shared"
REQUIRE_ALL = os.environ.get("CLAWBACK_REQUIRE_ALL") == "1"
os.environ.setdefault("CLAWBACK_OTLP_PORT", "0")  # one port, and servers of many tests at a time


@pytest.fixture
def shared() -> Callable[[str], Path]:
    """The path of something in ../shared; the test is skipped where it is absent, and fails there in CI."""

    def find(name: str) -> Path:
        path = SHARED / name
        if not path.exists():
            reason = f"{path} is not here"
            pytest.fail(reason) if REQUIRE_ALL else pytest.skip(reason)
        return path

    return find


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Runs an app until the test ends; gives its address."""
    with ExitStack() as stack:
        yield lambda app: stack.enter_context(running(app))
