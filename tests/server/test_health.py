"""Readiness: the reasons for which a server takes no questions, each by its code."""

import asyncio
import threading
from collections.abc import Iterator

import pytest

from semantic import Catalog, load_catalog
from server.health import Readiness
from server.lifecycle import Lifecycle
from server.systemd import Notifier
from store import Store
from tests.stores import new_store

LACKING = """
models:
  sessions: {source: session_facts, key: session_id, time: started_at, dimensions: {colour: string}}
metrics:
  sessions: {count: sessions}
"""


@pytest.fixture(scope="module")
def store() -> Iterator[Store]:
    with new_store() as opened:
        yield opened


def looked(readiness: Readiness) -> tuple[int | None, tuple[str, ...]]:
    try:
        return asyncio.run(readiness.found())
    finally:
        readiness.close()


def test_a_store_that_can_be_read_is_ready(store: Store, catalog: Catalog) -> None:
    assert looked(Readiness(store, catalog, Lifecycle(), 60)) == (0, ())


def test_a_column_that_the_store_lacks_is_a_reason(store: Store) -> None:
    assert looked(Readiness(store, load_catalog(LACKING), Lifecycle(), 60)) == (None, ("COLUMNS_MISSING",))


def test_a_store_that_hangs_is_a_reason_and_costs_one_thread_however_many_ask(store: Store, catalog: Catalog) -> None:
    released = threading.Event()

    class Hanging(Readiness):
        def _version(self) -> int:
            released.wait(60)
            return super()._version()

    readiness = Hanging(store, catalog, Lifecycle(), 0.01)

    async def many() -> set[tuple[str, ...]]:
        return {reasons for _, reasons in await asyncio.gather(*(readiness.found() for _ in range(50)))}

    before = threading.active_count()
    try:
        assert asyncio.run(many()) == {("STORE_SLOW",)}
        assert threading.active_count() <= before + 1
    finally:
        released.set()
    readiness.patience_s = 60
    assert looked(readiness) == (0, ())


def test_a_server_that_was_asked_to_stop_is_not_ready_and_tells_everybody_once(store: Store, catalog: Catalog) -> None:
    lifecycle, told = Lifecycle(), []

    def fail() -> None:
        raise RuntimeError

    lifecycle.when_stopping(fail)
    lifecycle.when_stopping(lambda: told.append("jobs"))
    lifecycle.stop()
    lifecycle.stop()
    assert told == ["jobs"]
    assert looked(Readiness(store, catalog, lifecycle, 60)) == (0, ("DRAINING",))


def test_systemd_is_told_as_often_as_it_wants_to_hear() -> None:
    assert Notifier.of({}) == Notifier()
    assert Notifier.of({"NOTIFY_SOCKET": "relative", "WATCHDOG_USEC": "1000000"}) == Notifier()
    assert Notifier.of({"NOTIFY_SOCKET": "@abstract", "WATCHDOG_USEC": "60000000"}).every_s == 30
    assert Notifier.of({"NOTIFY_SOCKET": "/run/x", "WATCHDOG_USEC": "x"}).every_s is None
    Notifier("/nowhere/at/all").ready()
