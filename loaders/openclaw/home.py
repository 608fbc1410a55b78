"""A whole state directory, in the order in which it has to be read.

Stores come first, because a parent is named by its session key, and only the stores know which session that is. A home
may be half-way through its move from files into databases: what lies in both places has the same keys and ids, so it
is counted once.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from loaders.item import Ignored, Item, LoadError, Location, Rejected
from loaders.openclaw.agent_events import keeps_sessions, read_agent_events
from loaders.openclaw.agent_sessions import AgentSessions, read_agent_sessions
from loaders.openclaw.audit import read_message_runs
from loaders.openclaw.calls import Owner
from loaders.openclaw.cron import read_run_log
from loaders.openclaw.harness import Binding, bindings_of, read_codex_binding
from loaders.openclaw.jobs import Job, read_jobs
from loaders.openclaw.keys import Directory, unique_id
from loaders.openclaw.layout import Kind, Layout, Place
from loaders.openclaw.registry import read_registry
from loaders.openclaw.rows import Meter, opened
from loaders.openclaw.sessions import StoreEntry, evidence, read_store
from loaders.openclaw.stale import without_stale
from loaders.openclaw.state import read_state, read_state_jobs
from loaders.openclaw.transcript import read_transcript
from loaders.openclaw.usage_check import Tally, check_usage
from loaders.openclaw.values import FieldError
from loaders.source import OnBytes, excerpt, read_document, read_lines
from loaders.sqlite import SqliteError

_MISSING = "no session and no call in it is in this load"


def read_home(layout: Layout, now: datetime, on_bytes: OnBytes | None) -> Iterator[Item]:
    """One item for each line, row or entry, and for each file that is left out.

    Raises `LoadError` where there are agent databases and none can be read: the files beside them would pass for all.
    """
    home = _Home(layout, now, on_bytes)
    yield from layout.left
    yield from home.jobs()
    yield from home.stores()
    yield from home.runs()
    tally = Tally() if home.places("usage check") else None
    for item in home.transcripts():
        if tally is not None:
            tally.take(item)
        yield item
    if tally is not None:
        yield from home.checks(tally)


@dataclass(slots=True)
class _Home:
    layout: Layout
    now: datetime
    on_bytes: OnBytes | None
    job_names: dict[str, str] = field(default_factory=dict)
    directory: Directory = field(default_factory=lambda: Directory(()))
    bindings: dict[str, Binding] = field(default_factory=dict)
    databases: list[tuple[Place, AgentSessions]] = field(default_factory=list)
    """Those of agents that keep sessions and can be read."""

    def places(self, kind: Kind) -> list[Place]:
        return [place for place in self.layout.places if place.kind == kind]

    def jobs(self) -> Iterator[Item]:
        for place in self.places("jobs"):
            document = read_document(place.path, place.shown_as, self.on_bytes)
            yield from self._named(
                [document] if isinstance(document, Rejected) else read_jobs(document, place.shown_as)
            )
        for place in self.places("state database"):
            yield from self._named(read_state_jobs(place))

    def stores(self) -> Iterator[Item]:
        yield from self._open_databases()
        entries, left = self._entries()
        yield from left
        windows = [window for _, sessions in self.databases for window in sessions.windows]
        self.directory = Directory(entries, windows)
        self.bindings = bindings_of((*entries, *windows))
        yield from self._codex_bindings()
        for entry in (*entries, *windows):
            yield evidence(entry, self.directory, self.now, self.job_names)

    def runs(self) -> Iterator[Item]:
        for place in self.places("registry"):
            document = read_document(place.path, place.shown_as, self.on_bytes)
            if isinstance(document, Rejected):
                yield document
            else:
                yield from read_registry(document, place.shown_as, self.directory, self.now)
        for place in self.places("cron log"):
            lines = read_lines(place.path, place.shown_as, self.on_bytes)
            yield from read_run_log(lines, self.now, self.job_names)
        for place in self.places("state database"):
            with Meter.of(place.path, self.on_bytes):
                yield from read_state(place, self.directory, self.now, self.job_names)

    def transcripts(self) -> Iterator[Item]:
        for place in self.places("transcript"):
            owner = Owner(unique_id(place.session, place.agent), place.agent, started_at=None)
            lines = read_lines(place.path, place.shown_as, self.on_bytes)
            yield from read_transcript(lines, owner, self.now, is_archive=place.is_archive, bindings=self.bindings)
        readable = {place.path: sessions for place, sessions in self.databases}
        for place in self.places("agent database"):
            with Meter.of(place.path, self.on_bytes) as meter:
                if place.path not in readable:
                    continue  # it was said why
                try:
                    with opened(place) as database:
                        yield from read_message_runs(database, self.directory, self.now)
                        sessions = readable[place.path]
                        yield from read_agent_events(
                            database, place.agent, sessions, self.bindings, self.now, meter.took
                        )
                except SqliteError as error:
                    yield Rejected(Location(place.shown_as), f"{error.reason}; what was not read is not in this load")

    def checks(self, tally: Tally) -> Iterator[Item]:
        for place in self.places("usage check"):
            document = read_document(place.path, place.shown_as, self.on_bytes)
            if isinstance(document, Rejected):
                yield document
            else:
                yield from check_usage(document, place.shown_as, tally)

    def _codex_bindings(self) -> Iterator[Item]:
        for place in self.places("codex binding"):
            document = read_document(place.path, place.shown_as, self.on_bytes)
            if isinstance(document, Rejected):
                yield document
                continue
            location, session_id = Location(place.shown_as), unique_id(place.session, place.agent)
            try:
                found = read_codex_binding(document, place.agent)
            except FieldError as error:
                yield Rejected(location, str(error), excerpt(document))
                continue
            self.bindings[session_id] = self.bindings.get(session_id, Binding()).joined(found)
            yield Ignored(location, "codex binding: says whose calls a transcript totals")

    def _named(self, jobs: Iterator[Job | Rejected] | list[Rejected]) -> Iterator[Item]:
        for job in jobs:
            if isinstance(job, Rejected):
                yield job
                continue
            if job.name is not None:
                self.job_names[job.job_id] = job.name
            yield job.item

    def _open_databases(self) -> Iterator[Item]:
        broken: list[str] = []
        places = self.places("agent database")
        for place in places:
            location = Location(place.shown_as)
            try:
                with opened(place) as database:
                    keeps = keeps_sessions(database)
                    if keeps is True:
                        sessions = read_agent_sessions(database, place.agent, self.now)
                        self.databases.append((place, sessions))
                        yield from sessions.left
            except SqliteError as error:
                keeps = error.reason
            if keeps is False:
                yield Ignored(location, "agent database of a release that keeps sessions in files")
            elif isinstance(keeps, str):
                broken.append(f"{place.shown_as} {keeps}")
                yield Rejected(location, f"{keeps}; {_MISSING}")
        if broken and len(broken) == len(places):
            raise LoadError("the sessions of this home are in databases, and none can be read: " + "; ".join(broken))

    def _entries(self) -> tuple[list[StoreEntry], list[Ignored | Rejected]]:
        """Of all stores that say what is; those of databases first."""
        entries = [entry for _, sessions in self.databases for entry in sessions.entries]
        left: list[Ignored | Rejected] = []
        for place in self.places("store"):
            document = read_document(place.path, place.shown_as, self.on_bytes)
            if isinstance(document, Rejected):
                left.append(document)
                continue
            found = list(read_store(document, place.shown_as, place.agent, self.now))
            left += [item for item in found if isinstance(item, Rejected)]
            in_files = [entry for entry in found if isinstance(entry, StoreEntry)]
            beside = [e for other, s in self.databases if other.agent == place.agent for e in (*s.entries, *s.windows)]
            for entry in without_stale(in_files, beside):
                if isinstance(entry, Ignored):
                    left.append(entry)
                else:
                    entries.append(entry)
        return entries, left
