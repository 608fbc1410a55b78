"""What the server asks the process that reads, and what it answers: all that goes through the pipe between them."""

from dataclasses import dataclass

from server.intake.spool import Body
from store import Price


@dataclass(frozen=True, slots=True)
class Refused:
    """One item that was not taken."""

    location: str
    line: int | None
    reason: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found in a body."""

    items: int
    """All of them, what was refused included."""
    rejected: int = 0
    refused: tuple[Refused, ...] = ()
    """The first of those that were rejected."""


@dataclass(frozen=True, slots=True)
class Read:
    """Asks to stage a body. Answered by a `Verdict`, or `Unreadable`."""

    body: Body
    rights: bytes | None = None


@dataclass(frozen=True, slots=True)
class Reject:
    """Asks to stage that a body could not be read. Answered by None."""

    kind: str
    location: str
    reason: str


@dataclass(frozen=True, slots=True)
class Book:
    """The prices of stages that are opened from now on. Answered by None."""

    lines: list[Price]


@dataclass(frozen=True, slots=True)
class Close:
    """Asks for the stage of a kind. Answered by its directory; None where nothing is staged."""

    kind: str


@dataclass(frozen=True, slots=True)
class Drop:
    """Asks to forget the stage of a kind. Answered by None."""

    kind: str


@dataclass(frozen=True, slots=True)
class WhoseAre:
    """Asked back, in the middle of a `Read`: the agents of some sessions, where they are known."""

    sessions: list[str]


@dataclass(frozen=True, slots=True)
class Unreadable:
    reason: str
    is_stage_spoiled: bool = False
    """Part of it was staged before that was found: the stage is gone, with the other bodies in it."""


Question = Read | Reject | Book | Close | Drop
