"""What a conversion could not carry, or carries with another meaning: each with its place and what to do about it."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    LOST = "lost"
    """The target cannot say it. A metric that rests on it is left out rather than changed."""
    DIFFERS = "differs"
    """It is carried, and a number may differ from the source's."""
    LEFT_OUT = "left out"
    """It changes no number: tags, settings of another tool, parts that nothing uses."""


@dataclass(frozen=True, slots=True)
class Finding:
    """`place` is a file (with its line where known) and the thing in it, such as `metrics.yml:12: metric 'cost'`."""

    kind: Kind
    place: str
    construct: str
    what: str
    advice: str = ""

    def __str__(self) -> str:
        told = f"{self.kind}: {self.place}: {self.construct}: {self.what}"
        return f"{told}; {self.advice}" if self.advice else told


@dataclass(frozen=True, slots=True)
class Converted:
    """A text in the target's grammar and all that is to be known about it, what was lost first."""

    text: str
    findings: tuple[Finding, ...]

    @property
    def losses(self) -> tuple[Finding, ...]:
        return tuple(f for f in self.findings if f.kind is Kind.LOST)


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Each finding once: losses, then differences, then what was left out; otherwise in the order of the source."""
    kinds = list(Kind)
    return tuple(sorted(dict.fromkeys(findings), key=lambda f: kinds.index(f.kind)))


def told(findings: Iterable[Finding]) -> str:
    """The findings for people: what is the same in several places is said once, with the places under it."""
    places: dict[str, list[str]] = {}
    for finding in findings:
        said = f"{finding.kind}: {finding.construct}: {finding.what}"
        said = f"{said}; {finding.advice}" if finding.advice else said
        places.setdefault(said, []).append(finding.place)
    return "\n".join(f"{said}\n  " + "\n  ".join(where) for said, where in places.items())


class NotCarriedError(Exception):
    """A construct that the target has no words for, raised where it is met; whoever converts the whole catches it."""

    def __init__(self, construct: str, what: str, advice: str = "") -> None:
        self.construct = construct
        self.what = what
        self.advice = advice
        super().__init__(f"{construct}: {what}")

    def at(self, place: str) -> Finding:
        return Finding(Kind.LOST, place, self.construct, self.what, self.advice)
