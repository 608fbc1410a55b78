"""The loads of the process that owns the store: each reads in a process of its own, one at a time for each source.

A job is what is asked for; a load is what was stored. A job that comes to nothing leaves a load with its error.
"""

import logging
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from threading import Event, Lock, Thread
from typing import Literal

from loaders import LoadError, Task
from loaders.apart import GivenUpError, staged_apart
from loaders.job import StalePricesError, apply_load
from loaders.schedule import is_due
from loaders.sources import Source
from store import LoadReport, Stage, Store, StoreError

State = Literal["waiting", "running", "stored", "failed"]
Place = tuple[str, str]
"""A kind of loader and a location: of one place one load at a time."""

AT_ONCE = 4
KEPT = 200
TRIES = 5
TICK_S = 15.0
_LOG = logging.getLogger(__name__)


class JobRefusedError(Exception):
    """The server is going down."""


@dataclass(frozen=True, slots=True)
class Job:
    """One load that was asked for, as it stands now."""

    number: int
    source: Source
    asked_at: datetime
    state: State = "waiting"
    read_bytes: int = 0
    total_bytes: int | None = None
    report: LoadReport | None = None
    error: str | None = None
    token: str | None = field(default=None, repr=False)
    """Only until the job is over."""

    @property
    def is_over(self) -> bool:
        return self.state in ("stored", "failed")

    @property
    def place(self) -> Place:
        return place_of(self.source)


class Jobs:
    """Safe to use from many threads. Whoever makes it ends it, before the store is closed."""

    def __init__(
        self,
        store: Store,
        clock: Callable[[], datetime],
        timeout_s: float,
        sources: Iterable[Source] = (),
        around: Callable[[str], AbstractContextManager[object]] = lambda kind: nullcontext(),
    ) -> None:
        """`around` is entered for the time of one load of a kind."""
        self._store = store
        self._clock = clock
        self._timeout_s = timeout_s
        self._around = around
        self.sources = tuple(sources)
        """Those that are loaded by their schedule, too."""
        self._jobs: dict[int, Job] = {}
        self._busy: set[Place] = set()
        """Places of which a job was given to the pool and is not over."""
        self._lock = Lock()
        self._ending = Event()
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="load")

    def start(self, source: Source, token: str | None = None) -> Job:
        """A job that will begin to read after this call: a new one, or the same wish that waits already.

        Raises `JobRefusedError` while the server goes down.
        """
        with self._lock:
            if self._ending.is_set():
                raise JobRefusedError("the server is going down; load again when it is back")
            for job in self._jobs.values():
                if job.state == "waiting" and (job.source, job.token) == (source, token):
                    return job
            job = Job(max(self._jobs, default=0) + 1, source, self._clock(), token=token)
            self._jobs[job.number] = job
            self._forget_the_oldest()
            self._go_on(job.place)
        return job

    def start_if_due(self, source: Source, token: str | None = None) -> Job | None:
        """None where its schedule does not say so, or where it is being loaded."""
        began_at, has_failed = self._store.last_attempts().get(place_of(source), (None, False))
        is_now = is_due(source.schedule, source.zone, began_at, self._clock(), has_failed=has_failed)
        if not is_now or any(job.place == place_of(source) for job in self.running()):
            return None
        return self.start(source, token)

    def job(self, number: int) -> Job | None:
        return self._jobs.get(number)

    def running(self) -> list[Job]:
        """Those that are not over, in the order in which they were asked for."""
        return [job for job in list(self._jobs.values()) if not job.is_over]

    def start_due(self) -> list[Job]:
        """Starts every source whose schedule says so, and that is not being loaded."""
        return [job for source in self.sources if (job := self.start_if_due(source)) is not None]

    @contextmanager
    def kept_going(self) -> Iterator[None]:
        """Starts what is due, now and from time to time, for as long as the block runs; then ends all jobs."""
        watch = Thread(target=self._watch, name="schedule")
        watch.start()
        try:
            yield
        finally:
            self.end()
            watch.join()

    def give_up(self) -> None:
        """Loads that still read are given up, and none begins; those that are being stored go on."""
        with self._lock:
            self._ending.set()

    def end(self) -> None:
        """Loads that are being stored are finished, those that still read are given up: nothing of them is stored."""
        self.give_up()
        self._pool.shutdown(cancel_futures=True)
        for job in self.running():
            self._change(job.number, state="failed", error="the server went down before it began", token=None)

    def _watch(self) -> None:
        while not self._ending.is_set():
            for step in (self.start_due, self._pass_time):
                try:
                    step()
                except JobRefusedError:
                    return
                except Exception:  # noqa: BLE001 - the edge of a thread: one bad moment must not end all schedules
                    _LOG.exception("%s failed; it is tried again in %s s", step.__name__, TICK_S)
            self._ending.wait(TICK_S)

    def _pass_time(self) -> None:
        """What came of tasks as of now, also where nothing is loaded."""
        self._store.advance(self._clock())

    def _go_on(self, place: Place) -> None:
        """Gives the pool the next job of a place where none is on its way. The lock is held by whoever calls."""
        following = (job for job in self._jobs.values() if job.state == "waiting" and job.place == place)
        if place not in self._busy and not self._ending.is_set() and (job := next(following, None)):
            self._busy.add(place)
            self._pool.submit(self._run, job.number)

    def _run(self, number: int) -> None:
        job = self._jobs[number]
        self._change(number, state="running")
        report, error = None, None
        try:
            with self._around(job.source.loader.name):
                report = self._load(job)
        except GivenUpError as given_up:
            error = str(given_up)
        except (LoadError, StoreError, OSError) as failure:
            error = self._noted(job, str(failure))
        except Exception as mistake:  # noqa: BLE001 - the edge of a thread: a mistake of ours must show, not vanish
            _LOG.exception("the load of %s %s ended unexpectedly", *job.place)
            error = self._noted(job, f"unexpected: {mistake!r}")
        with self._lock:
            over = replace(self._jobs[number], state="failed" if error else "stored", report=report, error=error)
            self._jobs[number] = replace(over, token=None)
            self._busy.discard(job.place)
            self._go_on(job.place)

    def _load(self, job: Job) -> LoadReport:
        source, (kind, location) = job.source, job.place
        for _ in range(TRIES):
            now, book = self._clock(), self._store.prices()
            cursor = self._store.last_cursor(kind, location)
            task = Task(location, now, dict(source.options), cursor, job.token or source.token(), source.repull)
            self._change(job.number, read_bytes=0)
            with staged_apart(
                kind,
                task,
                book,
                self._store.stage_directory,
                timeout_s=self._timeout_s,
                on_bytes=lambda read: self._advance(job.number, read),
                on_size=lambda total: self._change(job.number, total_bytes=total),
                is_given_up=self._ending.is_set,
            ) as staged:
                try:
                    with Stage.reopened(staged.directory) as stage:
                        return apply_load(self._store, stage, book, staged.stated, now=self._clock(), began_at=now)
                except StalePricesError:
                    continue
        raise LoadError(f"{location}: the price book changed {TRIES} times while it was read; load it again")

    def _advance(self, number: int, read: int) -> None:
        self._change(number, read_bytes=self._jobs[number].read_bytes + read)

    def _change(self, number: int, **values: object) -> None:
        with self._lock:
            self._jobs[number] = replace(self._jobs[number], **values)  # type: ignore[arg-type]  # named by ourselves

    def _noted(self, job: Job, error: str) -> str:
        """Keeps the error of a source that somebody named or loaded before; a slip of the pen is no source."""
        kind, location = job.place
        with suppress(StoreError):  # the job says it, too; a store that cannot be written has other troubles
            if job.source in self.sources or job.place in self._store.last_attempts():
                self._store.note_failure(kind, location, error, now=self._clock(), began_at=job.asked_at)
        return error

    def _forget_the_oldest(self) -> None:
        over = [number for number, job in self._jobs.items() if job.is_over]
        for number in over[: max(len(self._jobs) - KEPT, 0)]:
            del self._jobs[number]


def place_of(source: Source) -> Place:
    return source.loader.name, source.location
