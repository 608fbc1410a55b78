"""The process that reads bodies: it decodes, prices and stages what is in them, and never has the store open.

A body that crashes it takes nobody along. It is asked one thing after the other over a pipe; between two questions it
keeps one open stage for each kind, so that many small bodies become one load.
"""

import signal
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path
from threading import Thread

from loaders.costing import Costing
from loaders.item import Item, LoadError, Parsed, Rejected
from loaders.job import stage_items
from loaders.orphan import end_with_parent
from loaders.otlp import Around
from server.intake.kinds import read_body
from server.intake.questions import (
    Book,
    Close,
    Drop,
    Question,
    Read,
    Refused,
    Reject,
    Unreadable,
    Verdict,
    WhoseAre,
)
from server.intake.rights import Rights
from server.intake.spool import Body
from store import Price, RecordError, Request, Session, Stage, StoreError
from store.stage import INTAKE

MOST_REFUSED = 1_000
"""Items of a body that its sender is told of one by one."""
MOST_OWNERS = 100_000


@dataclass
class _Open:
    """A stage that is being filled."""

    stage: Stage
    costing: Costing
    items: int = 0


@dataclass
class Desk:
    """What the process knows between two questions."""

    pipe: Connection
    directory: Path
    book: list[Price] = field(default_factory=list)
    stages: dict[str, _Open] = field(default_factory=dict)
    owners: dict[str, frozenset[str]] = field(default_factory=dict)
    """Of sessions that were read lately, and that the store may not have yet."""
    around: Around = field(default_factory=Around)

    def answer(self, question: Question) -> Verdict | Unreadable | Path | None:
        match question:
            case Read(body, rights):
                return self._read(body, rights)
            case Reject(kind, location, reason):
                self._open(kind).stage.reject(location, reason)
            case Book(lines):
                self.book = lines
            case Close(kind):
                return self._close(kind)
            case Drop(kind):
                self._drop(kind)
        return None

    def _read(self, body: Body, rights: bytes | None) -> Verdict | Unreadable:
        opened = self._open(body.kind)
        counted = _Counted(opened.stage, self.remember)
        try:
            items: Iterable[Item] = read_body(body, body.received_at, self.around)
            if rights is not None:
                items = Rights.read(rights).checked(items, self._owners)
            stage_items(opened.stage, counted.of(items), opened.costing, opened.items)
        except (LoadError, StoreError, RecordError, ValueError, OSError) as error:
            return self._unreadable(body, counted, str(error) or repr(error))
        except Exception as error:  # noqa: BLE001 - the edge of a process: one body must not end the reading of others
            return self._unreadable(body, counted, f"unexpected: {error!r}")
        opened.items += counted.items
        return counted.verdict

    def _unreadable(self, body: Body, counted: "_Counted", reason: str) -> Unreadable:
        if counted.items:
            self._drop(body.kind)
        return Unreadable(reason, is_stage_spoiled=counted.items > 0)

    def _open(self, kind: str) -> _Open:
        if kind not in self.stages:
            stage = Stage(source=kind, location=INTAKE, directory=self.directory)
            self.stages[kind] = _Open(stage, Costing(self.book, now=datetime.now(UTC)))
        return self.stages[kind]

    def _close(self, kind: str) -> Path | None:
        opened = self.stages.pop(kind, None)
        if opened is None:
            return None
        opened.stage.close()
        return opened.stage.directory

    def _drop(self, kind: str) -> None:
        if kind in self.stages:
            with self.stages.pop(kind).stage:
                """Leaving it removes its files."""

    def _owners(self, sessions: list[str]) -> Mapping[str, frozenset[str]]:
        self.pipe.send(WhoseAre(sessions))
        known: dict[str, frozenset[str]] = self.pipe.recv()
        heard_of = [each for each in sessions if each in known or each in self.owners]
        nobody: frozenset[str] = frozenset()
        return {each: known.get(each, nobody) | self.owners.get(each, nobody) for each in heard_of}

    def remember(self, session: str, agent: str | None) -> None:
        """Whose a session is, until the store has it for long."""
        self.owners[session] = self.owners.pop(session, frozenset()) | ({agent} if agent is not None else set())
        if len(self.owners) > MOST_OWNERS:
            del self.owners[next(iter(self.owners))]


class _Counted:
    """Looks at items on their way into the stage."""

    def __init__(self, stage: Stage, on_session: Callable[[str, str | None], None]) -> None:
        self.items = 0
        self._stage, self._rejected_before = stage, stage.rejected
        self._on_session = on_session
        self._refused: list[Refused] = []

    def of(self, items: Iterable[Item]) -> Iterator[Item]:
        for item in items:
            self.items += 1
            if isinstance(item, Rejected):
                if len(self._refused) < MOST_REFUSED:
                    self._refused.append(Refused(str(item.location), item.location.line, item.reason))
            elif isinstance(item, Parsed):
                for record in item.records:
                    if isinstance(record, Request | Session) and record.session_id is not None:
                        self._on_session(record.session_id, record.agent)
            yield item

    @property
    def verdict(self) -> Verdict:
        rejected = self._stage.rejected - self._rejected_before
        return Verdict(self.items, rejected, tuple(self._refused))


def work(pipe: Connection, directory: Path) -> None:
    """Answers until its parent goes or closes the pipe. It ends by its parent's hand alone, also at a Ctrl-C."""
    for stop in (signal.SIGINT, signal.SIGTERM):
        signal.signal(stop, signal.SIG_IGN)
    Thread(target=end_with_parent, daemon=True).start()
    desk = Desk(pipe, directory)
    with suppress(EOFError, OSError):
        while True:
            pipe.send(desk.answer(pipe.recv()))
