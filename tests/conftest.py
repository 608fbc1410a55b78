"""What tests share: material that lies beside the repository, which CI must have and a laptop may lack."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

SHARED = Path(__file__).parents[2] / "shared"
REQUIRE_ALL = os.environ.get("CLAWBACK_REQUIRE_ALL") == "1"


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
