"""What the kinds of outcomes mean: which are a success, what they wait for and how long, what they take back.

A rule that names other kinds lends them its window or borrows theirs, so that a window is written once.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from semantic.errors import Mark
from semantic.periods import Duration


@dataclass(frozen=True, slots=True)
class OutcomeRule:
    """What one kind of outcome says of the task of its session. Windows are days, hours or minutes of fixed length."""

    kind: str
    success: bool | None = None
    """None: as its source says."""
    awaits: tuple[str, ...] = ()
    """What is to follow within `window` of the end of the session; the task has failed without it."""
    window: Duration | None = None
    reverses: tuple[str, ...] = ()
    """Kinds whose success it takes back where it comes `within` so long of it; None: at any time."""
    within: Duration | None = None
    is_idle: bool = False
    """The session had no task."""
    description: str = ""
    mark: Mark | None = None


def minutes(length: Duration) -> int | None:
    """A length with a fixed number of minutes, a day being 24 hours; None for months and longer."""
    return length.minutes if length.days is None else 24 * 60 * length.days


def window_of(rules: Mapping[str, OutcomeRule], kind: str) -> int | None:
    """Minutes in which an outcome of a kind counts; None: at any time.

    Its own window; else the longest of those that wait for it; else that of what it takes back.
    """
    rule = rules[kind]
    if rule.window is not None:
        return minutes(rule.window)
    lent = [other.window for other in rules.values() if kind in other.awaits and other.window is not None]
    if not lent:
        return max((found for name in rule.reverses if (found := window_of(rules, name)) is not None), default=None)
    return max((found for length in lent if (found := minutes(length)) is not None), default=None)
