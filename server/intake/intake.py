"""From the spool into the store: bodies are read in the order of arrival and stored some at a time.

One thread decides and asks the reader; another stores. While a load is stored the next one is gathered. So the more
arrives and the longer a load takes, the more bodies are in one load, and a body that comes alone is visible at once.
"""

import logging
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from threading import Condition, Thread
from time import monotonic

from loaders.job import StalePricesError, apply_load
from server.intake.batch import Batch, Found, Told, Waiting, listener_of
from server.intake.questions import Read, Reject, Unreadable
from server.intake.reading import ReaderLostError, Reading
from server.intake.spool import Body, Spool
from store import LoadReport, Stage, Store, StoreError

GATHER_S = 0.2
"""How long a body waits for others before they are stored."""
APART_S = 1.0
"""From the begin of one load of a kind to that of the next, at least: each leaves a row in the table of loads."""
REST = 1.5
"""The same as a multiple of what the last load took: at least a third of the time is for those who ask."""
MOST_ITEMS = 100_000
"""Read and not stored; beyond it bodies wait in the spool."""
BACK_OFF_S = 5.0
"""How long nothing is read or stored after the store could not be written, or asked for its prices."""
IDLE_S = 0.5
_LOG = logging.getLogger(__name__)


@dataclass
class Intake:
    """`kept_going` runs it; `read` and what can be seen of it are for any thread."""

    store: Store
    spool: Spool
    reading: Reading
    clock: Callable[[], datetime]
    is_expected: bool = False
    """Whether the reader starts at once: it takes a second, which the first body would wait."""
    visible_at: datetime | None = field(default=None, init=False)
    """When the newest body came whose rows can be seen."""
    _waiting: Waiting = field(default_factory=Waiting, init=False)
    _woken: Condition = field(default_factory=Condition, init=False)
    _batches: dict[str, Batch] = field(default_factory=dict, init=False)
    _storing: tuple[Batch, float, Future[LoadReport]] | None = field(default=None, init=False)
    """What is being stored, and since when."""
    _rests_until: dict[str, float] = field(default_factory=dict, init=False)
    _reads_from: float = field(default=0.0, init=False)
    _is_ending: bool = field(default=False, init=False)

    def read(self, body: Body) -> Told:
        """What is found in a body that is in the spool, once it is its turn."""
        told: Told = Future()
        with self._woken:
            self._waiting.add(body, told)
            self._woken.notify()
        return told

    @contextmanager
    def kept_going(self) -> Iterator[None]:
        """For as long as the block runs; then what was read is stored, and the rest waits for the next start."""
        for body in self.spool.bodies():
            self._waiting.add(body, None)
        thread = Thread(target=self._run, name="intake")
        thread.start()
        try:
            yield
        finally:
            with self._woken:
                self._is_ending = True
                self._woken.notify()
            thread.join()

    def _run(self) -> None:
        with ThreadPoolExecutor(1, thread_name_prefix="intake-store") as pool:
            if self.is_expected:
                self._safely(lambda: self.reading.use_book(self.store.prices()))
            while not self._is_ending:
                self._safely(lambda: self._step(pool))
            self._safely(lambda: self._end(pool))
        self.reading.end()
        self.spool.close()

    def _safely(self, act: Callable[[], None]) -> None:
        try:
            act()
        except ReaderLostError as lost:
            if not self._is_ending:
                _LOG.warning("%s; what it had read and not stored is read again", lost)
            self._read_again(list(self._batches.values()))
        except Exception:  # noqa: BLE001 - the edge of a thread: one bad moment must not end the intake
            _LOG.exception("the intake stumbled; what it had read and not stored is read again in %s s", BACK_OFF_S)
            self._read_again(list(self._batches.values()))
            self._rest_all(BACK_OFF_S)

    def _step(self, pool: ThreadPoolExecutor) -> None:
        """Ends a load, or begins one, or reads a body, or waits until one of these can be done."""
        if self._storing is not None and self._storing[2].done():
            self._end_load()
        elif self._storing is None and (due := self._due()) is not None:
            self._begin_load(due, pool)
        elif self._may_read():
            self._read(*self._waiting.next())
        else:
            with self._woken:
                self._woken.wait_for(self._can_go_on, self._patience_s())

    def _may_read(self) -> bool:
        is_full = sum(batch.items for batch in self._batches.values()) >= MOST_ITEMS
        return len(self._waiting) > 0 and not is_full and monotonic() >= self._reads_from

    def _can_go_on(self) -> bool:
        return self._is_ending or self._may_read() or (self._storing is not None and self._storing[2].done())

    def _due(self) -> Batch | None:
        now = monotonic()
        return next((b for b in self._batches.values() if not b.is_empty and self._due_at(b) <= now), None)

    def _due_at(self, batch: Batch) -> float:
        return max(batch.opened + GATHER_S, self._rests_until.get(batch.kind, 0.0))

    def _patience_s(self) -> float:
        if self._storing is not None:
            return IDLE_S
        due = min((self._due_at(batch) for batch in self._batches.values() if not batch.is_empty), default=None)
        return IDLE_S if due is None else min(max(due - monotonic(), 0.0), IDLE_S)

    def _read(self, body: Body, told: Told | None) -> None:
        try:
            batch = self._batch(body.kind)
            found = self.reading.read(Read(body, self.spool.rights(body.rights)))
        except ReaderLostError as lost:
            self._read_again(list(self._batches.values()))
            if self._waiting.may_try_again(body, told):
                _LOG.warning("%s: %s; it is read once more", body.path.name, lost)
                return
            batch, found = self._batch(body.kind), Unreadable(str(lost))
        except OSError as error:
            batch, found = self._batch(body.kind), Unreadable(f"it is not there any more: {error}")
        except StoreError:
            self._waiting.put_back(body, told)
            raise
        if isinstance(found, Unreadable):
            self._is_unreadable(body, told, found)
            return
        if found.items:
            batch.opened = monotonic() if batch.is_empty else batch.opened
            batch.bodies.append(body)
            batch.items += found.items
        else:
            self.spool.remove([body])
        if (listener := listener_of(told)) is not None:
            listener.set_result(found)

    def _is_unreadable(self, body: Body, told: Told | None, found: Unreadable) -> None:
        """Its sender is told; where he was told before that it is safe, it is kept for people to look at."""
        if found.is_stage_spoiled:
            self._read_again([self._batches[body.kind]])
        if (listener := listener_of(told)) is not None:
            self.spool.remove([body])
            listener.set_result(found)
            return
        _LOG.error("a body that was acknowledged cannot be read and is set aside: %s: %s", body.path.name, found.reason)
        batch = self._batch(body.kind)
        self.reading.reject(Reject(body.kind, str(self.spool.place_of_unreadable(body)), found.reason))
        batch.unreadable.append((body, found.reason))

    def _batch(self, kind: str) -> Batch:
        """The one that is gathered; a new one with the prices of now where none is."""
        batch = self._batches.get(kind)
        if batch is None or batch.is_empty:
            known = self.store.prices()
            self.reading.use_book(known)
            self.reading.drop_stage(kind)
            batch = self._batches[kind] = Batch(kind, known, self.clock())
        return batch

    def _read_again(self, batches: list[Batch]) -> None:
        """What was staged of them is gone or will not be stored."""
        for batch in batches:
            if self._batches.get(batch.kind) is batch:
                del self._batches[batch.kind]
            self._waiting.add_again(batch.all_bodies)

    def _begin_load(self, batch: Batch, pool: ThreadPoolExecutor) -> None:
        directory = self.reading.close_stage(batch.kind)
        del self._batches[batch.kind]
        future = pool.submit(self._store, batch, directory)
        self._storing = batch, monotonic(), future
        future.add_done_callback(self._wake)

    def _wake(self, _: object) -> None:
        with self._woken:
            self._woken.notify()

    def _store(self, batch: Batch, directory: Path) -> LoadReport:
        try:
            with Stage.reopened(directory) as stage:
                return apply_load(self.store, stage, batch.known, [], now=self.clock(), began_at=batch.began_at)
        except (StalePricesError, StoreError, OSError):
            raise
        except Exception as mistake:
            # The edge of a thread: a mistake of ours is one of this load, and the bodies in it are kept.
            _LOG.exception("a load of the intake ended unexpectedly")
            raise StoreError(f"unexpected: {mistake!r}") from mistake

    def _end_load(self) -> None:
        assert self._storing is not None
        (batch, began, future), self._storing = self._storing, None
        self._rests_until[batch.kind] = began + max(APART_S, REST * (monotonic() - began))
        try:
            future.result()
        except StalePricesError:
            self._read_again([batch])
        except (StoreError, OSError) as error:
            _LOG.error("%s bodies could not be stored together, so each is by itself: %s", len(batch.bodies), error)
            self._store_one_by_one(batch)
        else:
            self._is_stored(batch)

    def _is_stored(self, batch: Batch) -> None:
        for body, reason in batch.unreadable:
            self.spool.set_aside(body, reason)
        self.spool.remove(batch.bodies)
        newest = max((body.received_at for body in batch.bodies), default=None)
        if newest is not None:
            self.visible_at = newest if self.visible_at is None else max(self.visible_at, newest)

    def _store_one_by_one(self, batch: Batch) -> None:
        """One that cannot be stored is set aside, unless the store cannot be written at all: then all of them wait."""
        if batch.kind in self._batches:
            self._read_again([self._batches[batch.kind]])
        bodies = batch.all_bodies
        for place, body in enumerate(bodies):
            try:
                if (failure := self._failure_of(body)) is not None:
                    self._set_aside_now(body, failure)
            except ReaderLostError:
                self._waiting.add_again(bodies[place:])
                raise
            except (StoreError, OSError) as error:
                _LOG.error("the store cannot be written, and the intake waits for %s s: %s", BACK_OFF_S, error)
                self._waiting.add_again(bodies[place:])
                self._rest_all(BACK_OFF_S)
                return

    def _failure_of(self, body: Body) -> str | None:
        """Reads and stores one body by itself; why that is not possible, where it is not."""
        batch = self._batch(body.kind)
        found: Found = self.reading.read(Read(body, self.spool.rights(body.rights)))
        if isinstance(found, Unreadable):
            return found.reason
        batch.bodies.append(body)
        try:
            self._store_now(batch)
        except StalePricesError:
            self._waiting.add_again([body])
        except StoreError as error:
            return str(error)
        return None

    def _set_aside_now(self, body: Body, reason: str) -> None:
        """Stores that a body could not be stored. `StoreError` where that cannot be stored either."""
        _LOG.error("a body that was acknowledged cannot be stored and is set aside: %s: %s", body.path.name, reason)
        batch = self._batch(body.kind)
        self.reading.reject(Reject(body.kind, str(self.spool.place_of_unreadable(body)), reason))
        batch.unreadable.append((body, reason))
        self._store_now(batch)

    def _store_now(self, batch: Batch) -> None:
        del self._batches[batch.kind]
        self._store(batch, self.reading.close_stage(batch.kind))
        self._is_stored(batch)

    def _rest_all(self, seconds: float) -> None:
        self._reads_from = monotonic() + seconds
        self._rests_until |= dict.fromkeys(("otlp", "calls"), self._reads_from)

    def _end(self, pool: ThreadPoolExecutor) -> None:
        """What is being stored is finished, and what was read is stored; the next start reads what is left."""
        if self._storing is not None:
            self._storing[2].exception()
            self._end_load()
        for batch in [batch for batch in self._batches.values() if not batch.is_empty]:
            self._begin_load(batch, pool)
            assert self._storing is not None
            self._storing[2].exception()
            self._end_load()
