"""What takes too long is stopped, wherever the signal finds it."""

import signal
import time

import orjson
import pytest

from loaders import LoadError
from server.cli.time_limit import at_most


def _slow(value: object) -> str:
    time.sleep(5)
    return str(value)


def test_what_takes_too_long_is_stopped() -> None:
    with (
        pytest.raises(LoadError, match=r"^the load took longer than 0.05 s and was stopped$"),
        at_most(0.05, "the load"),
    ):
        time.sleep(5)


def test_a_signal_that_c_code_turns_into_an_error_of_its_own_is_still_the_limit() -> None:
    with (
        pytest.raises(LoadError, match=r"^the load took longer than 0.05 s and was stopped$"),
        at_most(0.05, "the load"),
    ):
        orjson.dumps(object(), default=_slow)


def _deaf(rejected: list[Exception]) -> None:
    try:
        time.sleep(5)
    except Exception as error:  # noqa: BLE001 - what the test is about
        rejected.append(error)


def test_code_that_takes_any_error_for_the_fault_of_a_row_does_not_take_the_limit_for_one() -> None:
    rejected: list[Exception] = []
    with pytest.raises(LoadError, match="took longer"), at_most(0.05, "the load"):
        _deaf(rejected)
    assert rejected == []


def test_an_error_of_the_block_itself_is_raised_as_it_is() -> None:
    with pytest.raises(ValueError, match="of the block"), at_most(5, "the load"):
        raise ValueError("of the block")


def test_nothing_is_left_of_the_limit_behind_the_block() -> None:
    before = signal.getsignal(signal.SIGALRM)
    with at_most(5, "the load"):
        pass
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
    assert signal.getsignal(signal.SIGALRM) is before
