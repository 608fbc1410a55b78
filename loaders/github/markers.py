"""How a pull request, an issue or a commit names the agent sessions behind it, and the pull requests that it reverts.

Texts are other people's and of any size, so every pattern is read in one pass over the text.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

_STANDARD = ("agent-session-id", "agent-session")
_SEPARATORS = re.compile(r"[\s,;]+")
_PARAGRAPHS = re.compile(r"\n[ \t\r]*\n")
_SESSION = re.compile(r"[a-z0-9][\w.:/@+=~#%-]{0,199}", re.ASCII | re.IGNORECASE)
_LINKS = re.compile(
    r"^(?:Claude-Session:[ \t]{0,20}https://claude\.ai/code/(session_\w{1,180})"
    r"|Agent-Logs-Url:[ \t]{0,20}https://[\w.:-]{1,200}/[\w.-]{1,100}/[\w.-]{1,100}/sessions/([0-9a-f-]{36}))\b",
    re.ASCII | re.IGNORECASE | re.MULTILINE,
)
_REVERTS = re.compile(
    r"^[ \t]{0,3}Reverts[ \t]{1,3}([\w.-]{1,100}/[\w.-]{1,100})?#(\d{1,9})\b",
    re.ASCII | re.IGNORECASE | re.MULTILINE,
)
_REVERT_BRANCH = re.compile(r"revert-(\d{1,9})-", re.ASCII)
_BRANCH = "agent/"
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,99}", re.ASCII)
MOST_SESSIONS = 50
MOST_REVERTS = 20


class MarkerError(ValueError):
    """A marker that is there and names no session: the message says what it holds and what would be right."""


@dataclass(frozen=True, slots=True)
class Markers:
    """The names under which a session may be given: the standard ones and those of a company."""

    hidden: re.Pattern[str]
    trailer: re.Pattern[str]

    @classmethod
    def of(cls, names: Iterable[str] = ()) -> "Markers":
        """Raises `MarkerError` for a name that cannot be a trailer's."""
        names = [*_STANDARD, *names]
        for name in names:
            if not _NAME.fullmatch(name):
                raise MarkerError(f"a marker is a word like Agent-Session-Id (letters, digits, hyphens), got {name!r}")
        known = "|".join(re.escape(name) for name in names)
        return cls(
            re.compile(rf"<!--[ \t]{{0,20}}({known})[ \t]{{0,20}}:([^<>]*?)-->", re.IGNORECASE),
            re.compile(rf"^({known})[ \t]{{0,20}}:(.*)$", re.IGNORECASE | re.MULTILINE),
        )

    def in_text(self, text: str) -> tuple[str, ...]:
        """Sessions that a description or a commit message names, each once, in their order.

        Hidden markers and links count wherever they are; a trailer counts in the last paragraph, as git reads it.
        Raises `MarkerError`.
        """
        last = _PARAGRAPHS.split(text.replace("\r\n", "\n").rstrip())[-1]
        marked = [*self.hidden.finditer(text), *self.trailer.finditer(last)]
        sessions = [session for match in marked for session in _sessions(match[1], match[2])]
        sessions += [match[1] or match[2] for match in _LINKS.finditer(text)]
        return together(sessions)

    @staticmethod
    def in_branch(branch: str) -> tuple[str, ...]:
        """A branch may be called anything, so one that fits no session names none."""
        name = branch.removeprefix(_BRANCH)
        return (name,) if name != branch and _SESSION.fullmatch(name) else ()


def together(sessions: Iterable[str]) -> tuple[str, ...]:
    """Each session once. Raises `MarkerError` for more than anybody works with."""
    found = tuple(dict.fromkeys(sessions))
    if len(found) > MOST_SESSIONS:
        raise MarkerError(f"names {len(found)} sessions; at most {MOST_SESSIONS} are read")
    return found


def reverted_by(body: str, branch: str, repository: str) -> tuple[int, ...]:
    """The pull requests of this repository that one with this text and this branch reverts, as GitHub writes it."""
    here = repository.casefold()
    numbers = [int(number) for place, number in _REVERTS.findall(body) if not place or str(place).casefold() == here]
    if not numbers and (match := _REVERT_BRANCH.match(branch)):
        numbers = [int(match[1])]
    return tuple(dict.fromkeys(numbers))[:MOST_REVERTS]


def _sessions(name: str, value: str) -> list[str]:
    words = [word for word in _SEPARATORS.split(value) if word]
    if not words:
        raise MarkerError(f"its marker {name} is empty; it must name a session like {name}: 7f3a-41c2")
    for word in words:
        if not _SESSION.fullmatch(word):
            raise MarkerError(f"its marker {name} names {word[:100]!r}, which is no session id like 7f3a-41c2")
    return words
