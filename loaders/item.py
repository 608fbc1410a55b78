"""What a loader yields: one item for every line or entry that it reads, so that the counts of a load add up.

`read = stored + unchanged + ignored + rejected`: a loader never drops anything without an item that says so. Notes
beside the items are about the load as a whole and are not counted.
"""

from dataclasses import dataclass

from store import Record


@dataclass(frozen=True, slots=True)
class Location:
    """Where in the world something was read: a path as the user knows it, and a 1-based line or row."""

    path: str
    line: int | None = None

    def __str__(self) -> str:
        return self.path if self.line is None else f"{self.path}:{self.line}"


@dataclass(frozen=True, slots=True)
class Parsed:
    """A line or entry that says something: the records it gives (at least one)."""

    location: Location
    records: tuple[Record, ...]


@dataclass(frozen=True, slots=True)
class Ignored:
    """A line that is well-formed and says nothing about usage, by a rule that is named."""

    location: Location
    rule: str


@dataclass(frozen=True, slots=True)
class Rejected:
    """A line that should have said something and could not be read: what is wrong and what would be right."""

    location: Location
    reason: str
    raw: str = ""
    """The beginning of the offending text; at most 2,000 characters are kept."""
    session_id: str | None = None
    """Where the line may have been a call of this session: as long as nobody can read it, its cost is not known."""


@dataclass(frozen=True, slots=True)
class WholePart:
    """Everything that the source has of one part (a billing period of an account) was read without a rejection.

    What is stored of that part and was not among it is gone from the source, and is removed.
    """

    part: str


@dataclass(frozen=True, slots=True)
class Reached:
    """Where the next load of this source goes on, once this one is stored."""

    cursor: str


Item = Parsed | Ignored | Rejected
Note = WholePart | Reached


class LoadError(Exception):
    """The load as a whole cannot go on (no such path, a mapping that names a missing column): nothing is stored."""
