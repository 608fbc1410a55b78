"""The loads of the process that owns the store: each reads in a process of its own, one at a time for each source.

A job is what is asked for; a load is what was stored. A job that comes to nothing leaves a load with its error.
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from threading import Event, Lock, Thread
from typing import Literal

from loaders import LoadError, Task
from loaders.apart import staged_apart
from loaders.job import StalePricesError, apply_load
from loaders.schedule import is_due
from loaders.sources import Source
from store import LoadReport, Stage, Store, StoreError

State = Literal["waiting", "running", "stored", "failed"]

AT_ONCE = 2
KEPT = 200
TRIES = 5
TICK_S = 15.0


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

    @property
    def is_over(self) -> bool:
        return self.state in ("stored", "failed")


class Jobs:
    """Safe to use from many threads. Whoever makes it ends it, before the store is closed."""

    def __init__(
        self, store: Store, clock: Callable[[], datetime], timeout_s: float, sources: Iterable[Source] = ()
    ) -> None:
        self._store = store
        self._clock = clock
        self._timeout_s = timeout_s
        self.sources = tuple(sources)
        """Those that are loaded by their schedule, too."""
        self._jobs: dict[int, Job] = {}
        self._lock = Lock()
        self._applying = Lock()
        self._ending = Event()
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="load")

    def start(self, source: Source, token: str | None = None) -> Job:
        """A job that will begin to read after this call: a new one, or one for the same source that waits already.

        Raises `JobRefusedError` while the server goes down.
        """
        with self._lock:
            if self._ending.is_set():
                raise JobRefusedError("the server is going down; load again when it is back")
            others = [job for job in self._jobs.values() if not job.is_over and _place(job.source) == _place(source)]
            if waiting := next((job for job in others if job.state == "waiting"), None):
                return waiting
            job = Job(max(self._jobs, default=0) + 1, source, self._clock(), token=token)
            self._jobs[job.number] = job
            self._forget_the_oldest()
            if not others:
                self._pool.submit(self._run, job.number)
        return job

    def job(self, number: int) -> Job | None:
        return self._jobs.get(number)

    def running(self) -> list[Job]:
        return [job for job in list(self._jobs.values()) if not job.is_over]

    def start_due(self) -> list[Job]:
        """Starts every source whose schedule says so, and that is not being loaded."""
        started = []
        for source in self.sources:
            is_going_on = any(_place(job.source) == _place(source) for job in self.running())
            if not is_going_on and self.is_due(source):
                with suppress(JobRefusedError):
                    started.append(self.start(source))
        return started

    def is_due(self, source: Source) -> bool:
        began_at = self._store.last_attempts().get(_place(source))
        return is_due(source.schedule, source.zone, began_at, self._clock())

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

    def end(self) -> None:
        """Loads that are being stored are finished, those that still read are given up: nothing of them is stored."""
        with self._lock:
            self._ending.set()
        self._pool.shutdown(cancel_futures=True)
        for job in self.running():
            self._change(job.number, state="failed", error="the server went down before it began")

    def _watch(self) -> None:
        while not self._ending.is_set():
            with suppress(StoreError):  # a store that cannot be asked now is asked again at the next tick
                self.start_due()
            self._ending.wait(TICK_S)

    def _run(self, number: int) -> None:
        job = self._jobs[number]
        self._change(number, state="running")
        try:
            report = self._load(job)
        except (LoadError, StoreError, OSError) as error:
            self._change(number, state="failed", error=str(error))
            self._note_failure(job, str(error))
        except Exception as error:  # noqa: BLE001 - the edge of a thread: a mistake of ours must show, not vanish
            self._change(number, state="failed", error=f"unexpected: {error!r}")
            self._note_failure(job, f"unexpected: {error!r}")
        else:
            self._change(number, state="stored", report=report)
        finally:
            self._go_on(job.source)

    def _go_on(self, source: Source) -> None:
        """Starts the job that waited for this source to be free."""
        with self._lock:
            waiting = [j for j in self._jobs.values() if j.state == "waiting" and _place(j.source) == _place(source)]
            if waiting and not self._ending.is_set():
                self._pool.submit(self._run, waiting[0].number)

    def _load(self, job: Job) -> LoadReport:
        source = job.source
        if source.loader.size is not None:
            self._change(job.number, total_bytes=source.loader.size(Task(source.location, job.asked_at).path))
        for _ in range(TRIES):
            now, book = self._clock(), self._store.prices()
            cursor = self._store.last_cursor(source.loader.name, source.location)
            task = Task(source.location, now, dict(source.options), cursor, job.token or source.token(), source.repull)
            self._change(job.number, read_bytes=0)
            with staged_apart(
                source.loader.name,
                task,
                book,
                self._store.stage_directory,
                timeout_s=self._timeout_s,
                on_bytes=lambda read: self._advance(job.number, read),
                is_given_up=self._ending.is_set,
            ) as staged:
                try:
                    with self._applying, Stage.reopened(staged.directory) as stage:
                        return apply_load(self._store, stage, book, staged.stated, now=self._clock(), began_at=now)
                except StalePricesError:
                    continue
        raise LoadError(f"{source.location}: the price book changed {TRIES} times while it was read; load it again")

    def _advance(self, number: int, read: int) -> None:
        self._change(number, read_bytes=self._jobs[number].read_bytes + read)

    def _change(self, number: int, **values: object) -> None:
        with self._lock:
            self._jobs[number] = replace(self._jobs[number], **values)  # type: ignore[arg-type]  # named by ourselves

    def _note_failure(self, job: Job, error: str) -> None:
        """Of a source that somebody named or loaded before; a slip of the pen is no source."""
        if job.source not in self.sources and _place(job.source) not in self._store.last_attempts():
            return
        with suppress(StoreError):  # the job says it, too; a store that cannot be written has other troubles
            self._store.note_failure(job.source.loader.name, job.source.location, error, now=self._clock())

    def _forget_the_oldest(self) -> None:
        over = [number for number, job in self._jobs.items() if job.is_over]
        for number in over[: max(len(self._jobs) - KEPT, 0)]:
            del self._jobs[number]


def _place(source: Source) -> tuple[str, str]:
    return source.loader.name, source.location
