"""The process that reads bodies, as the server holds it: started when it is needed, and again after it died."""

import multiprocessing
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from pathlib import Path
from time import monotonic
from typing import Any, cast

from server.intake.questions import Book, Close, Drop, Question, Read, Reject, Unreadable, Verdict, WhoseAre
from server.intake.reader import work
from server.intake.rights import Owners
from store import Price

_PROCESSES = multiprocessing.get_context("spawn")
_STEP_S = 0.5
READ_S = 120.0
"""How long the reading of one body may take."""


class ReaderLostError(Exception):
    """The process died or hung, and what it had staged is gone: read that again."""


@dataclass
class Reading:
    """For one thread."""

    directory: Path
    """Where it stages."""
    owners: Owners
    timeout_s: float
    _process: SpawnProcess | None = None
    _pipe: Connection | None = None
    _book: list[Price] | None = None

    def use_book(self, book: list[Price]) -> None:
        """Prices for the stages that are opened from now on."""
        if self._process is None or self._book != book:
            self._ask(Book(book))
            self._book = book

    def read(self, question: Read) -> Verdict | Unreadable:
        return cast(Verdict | Unreadable, self._ask(question))

    def reject(self, question: Reject) -> None:
        self._ask(question)

    def close_stage(self, kind: str) -> Path:
        """Where what was read of a kind is staged. Raises `ReaderLostError`, also where nothing is."""
        directory = cast(Path | None, self._ask(Close(kind)))
        if directory is None:
            raise ReaderLostError(f"nothing of {kind} is staged")
        return directory

    def drop_stage(self, kind: str) -> None:
        """What was read of a kind is not to be stored."""
        self._ask(Drop(kind))

    def end(self) -> None:
        process, pipe = self._process, self._pipe
        self._process, self._pipe, self._book = None, None, None
        if pipe is not None:
            pipe.close()
        if process is not None:
            process.kill()
            process.join()
            process.close()

    def _ask(self, question: Question) -> Any:
        """Raises `ReaderLostError`."""
        try:
            pipe = self._pipe or self._start()
            pipe.send(question)
            return self._answer(pipe, monotonic() + self.timeout_s)
        except (EOFError, OSError) as error:
            fate = self._fate()
            self.end()
            raise ReaderLostError(fate) from error
        except ReaderLostError:
            self.end()
            raise

    def _answer(self, pipe: Connection, deadline: float) -> Any:
        while True:
            if monotonic() > deadline:
                raise ReaderLostError(f"reading it took longer than {self.timeout_s:,.0f} s")
            if pipe.poll(_STEP_S):
                answer = pipe.recv()
                if not isinstance(answer, WhoseAre):
                    return answer
                pipe.send(self.owners(answer.sessions))

    def _start(self) -> Connection:
        ours, theirs = _PROCESSES.Pipe()
        process = _PROCESSES.Process(target=work, args=(theirs, self.directory), name="intake", daemon=True)
        process.start()
        theirs.close()
        self._process, self._pipe = process, ours
        return ours

    def _fate(self) -> str:
        if self._process is None:
            return "the process that reads could not be started"
        self._process.join(_STEP_S)
        code = self._process.exitcode
        how = f"signal {-code}" if code is not None and code < 0 else f"exit code {code}"
        return f"the process that read it died ({how})"
