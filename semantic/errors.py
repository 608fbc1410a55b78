"""What can be wrong with a metrics file or with a question, and how it is told.

SemanticError
├── CatalogError   every mistake of a metrics file at once, each with file:line:column
└── QueryError     one question that cannot be answered rightly: a stable code, what is wrong and what would work
"""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches


class SemanticError(Exception):
    """Anything the semantic layer refuses."""


@dataclass(frozen=True, slots=True, order=True)
class Mark:
    """A place in a metrics file; line and column count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True, order=True)
class Mistake:
    """One mistake in a metrics file."""

    mark: Mark
    message: str

    def __str__(self) -> str:
        return f"{self.mark}: {self.message}"


class CatalogError(SemanticError):
    """A metrics file with mistakes: all of them, in the order of the file."""

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        self.mistakes = tuple(sorted(set(mistakes)))
        super().__init__("\n".join(str(m) for m in self.mistakes))


class QueryError(SemanticError):
    """A question that is refused."""

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        super().__init__(message)


def suggestion(wrong: str, known: Iterable[str]) -> str:
    """A sentence that names what was probably meant, or what there is.

    Example:
        >>> suggestion("sesions", ["sessions", "cost"])
        "did you mean 'sessions'?"
        >>> suggestion("x", ["b", "a"])
        'there are: a, b'
    """
    names = sorted(known)
    close = get_close_matches(wrong, names, n=1, cutoff=0.6)
    if close:
        return f"did you mean '{close[0]}'?"
    shown = ", ".join(names[:12]) + (", ..." if len(names) > 12 else "")
    return f"there are: {shown}" if names else "there are none"
