"""The log: one line for each event on the standard error, as JSON for machines or as text for people.

A line is redacted when it is finished and then escaped, so that neither a secret nor a line of somebody else's making
gets into it. uvicorn's loggers, warnings and what kills a thread are written in the same form.
"""

import json
import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any, Literal, TextIO

from server.telemetry.exchange import CURRENT
from server.telemetry.redaction import Redactor

Form = Literal["text", "json"]
MOST_READ, MOST_WRITTEN = 60_000, 16_000
"""Characters of one text that are looked at for secrets, and of those the ones that are written."""
_OURS = frozenset({"time", "level", "logger", "surface", "code"})
"""Facts that nobody else can write into."""
_TALKATIVE = ("httpx", "httpx2", "httpcore", "httpcore2", "urllib3", "asyncio", "uvicorn", "uvicorn.error")
"""Loggers of libraries whose lines below a warning are for those who debug."""


class _Lines(logging.Formatter):
    """What both forms have in common: the facts of a record, without secrets."""

    def __init__(self, redactor: Redactor) -> None:
        super().__init__()
        self._redactor = redactor

    def facts(self, record: logging.LogRecord) -> dict[str, Any]:
        exchange = CURRENT.get()
        facts: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": _message(record),
        }
        if exchange is not None:
            facts["request_id"] = exchange.request_id
        facts |= getattr(record, "facts", {})
        if record.exc_info:
            facts["exception"] = self.formatException(record.exc_info)
        if record.stack_info:
            facts["stack"] = record.stack_info
        return {name: value if name in _OURS else self._cleaned(value) for name, value in facts.items()}

    def _cleaned(self, value: Any) -> Any:
        return self._redactor.clean(value[:MOST_READ])[:MOST_WRITTEN] if isinstance(value, str) else value


class JsonLines(_Lines):
    """One object a line, in ASCII: every other character is escaped, control characters among them."""

    def format(self, record: logging.LogRecord) -> str:
        return json.dumps(self.facts(record), default=repr, separators=(",", ":"))


class TextLines(_Lines):
    """One line for an event; those of a traceback follow it, each indented, so that none can pass for an event."""

    def format(self, record: logging.LogRecord) -> str:
        facts = self.facts(record)
        more = [str(facts.pop(name, "")) for name in ("exception", "stack")]
        head = f"{facts.pop('time')} {facts.pop('level').upper():<8} {facts.pop('logger')}: {facts.pop('message')}"
        lines = [" ".join([head, *(f"{name}={_quoted(value)}" for name, value in facts.items())])]
        lines += [f"    {line}" for text in more for line in text.splitlines()]
        return "\n".join(map(_escaped, lines))


class _Handler(logging.StreamHandler[TextIO]):
    def __init__(self, stream: TextIO, count: Callable[[str], None]) -> None:
        super().__init__(stream)
        self._count = count

    def emit(self, record: logging.LogRecord) -> None:
        self._count(record.levelname.lower())
        super().emit(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the name is that of the standard library
        """The standard one prints the record's arguments as they are."""
        with suppress(OSError, ValueError):
            self.stream.write(f"a line of {record.name!r} could not be written to the log\n")


class OncePerMinute(logging.Filter):
    """Lets a line of whoever sends spans through once a minute: a receiver that is gone is news only once."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._told: dict[tuple[str, int], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if not record.name.startswith(("opentelemetry", "urllib3")):
            return True
        place, now = (record.pathname, record.lineno), self._clock()
        if now - self._told.get(place, float("-inf")) < 60:
            return False
        self._told[place] = now
        return True


@contextmanager
def logging_to(
    stream: TextIO, form: Form, level: str, redactor: Redactor, count: Callable[[str], None] = lambda level: None
) -> Iterator[None]:
    """All loggers of this process write there for as long as the block runs; `level` is a name such as info."""
    handler = _Handler(stream, count)
    handler.addFilter(OncePerMinute())
    handler.setFormatter(JsonLines(redactor) if form == "json" else TextLines(redactor))
    root, number = logging.getLogger(), logging.getLevelNamesMapping()[level.upper()]
    hook, talkative = threading.excepthook, [logging.getLogger(name) for name in _TALKATIVE]
    before = [(logger, logger.handlers[:], logger.level, logger.propagate) for logger in (root, *talkative)]
    root.handlers[:] = [handler]
    root.setLevel(number)
    for logger in talkative:
        logger.handlers[:], logger.propagate = [], True
        logger.setLevel(number if number <= logging.DEBUG else max(number, logging.WARNING))
    logging.captureWarnings(True)
    threading.excepthook = _log_death_of_a_thread
    try:
        yield
    finally:
        logging.captureWarnings(False)
        threading.excepthook = hook
        for logger, handlers, old, propagates in before:
            logger.handlers[:], logger.propagate = handlers, propagates
            logger.setLevel(old)


def _log_death_of_a_thread(died: threading.ExceptHookArgs) -> None:
    name = died.thread.name if died.thread else "a thread"
    kind, error, trace = died.exc_type, died.exc_value, died.exc_traceback
    logging.getLogger(__name__).critical("%s died", name, exc_info=(kind, error or kind(), trace))


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except (TypeError, ValueError, KeyError):
        return f"{record.msg} (its arguments do not fit)"


def _quoted(value: object) -> str:
    text = str(value)
    return text if text and all(c.isprintable() and c not in ' "=' for c in text) else json.dumps(text)


def _escaped(text: str) -> str:
    """Without control characters, line ends or marks that turn the direction of writing."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)
