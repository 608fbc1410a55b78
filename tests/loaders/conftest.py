"""Time and chance of the loaders that ask over the network: nothing waits in a test."""

import pytest

from loaders.web import Clock
from tests.loaders.http_stub import Time


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def clock(time: Time) -> Clock:
    return Clock(now=time.now, sleep=time.sleep, chance=lambda: 1.0)
