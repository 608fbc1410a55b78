"""Where a load of a repository ended: how far its lists were read, and what a later load cannot see any more.

The lists are read from the newest change back to the last one that is known. Two things are older than that and still
matter: which pull requests are reverted (the revert is another pull request, and may not come again with the one it
took back), and those whose commits have not been read yet. Both are bounded.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

MOST_REVERTS = 2_000
MOST_WAITING = 5_000
_MOST_ETAG = 200
_VERSION = 1


@dataclass(frozen=True, slots=True)
class Mark:
    """How far one list was read."""

    updated_at: datetime | None = None
    """Of the newest entry."""
    url: str | None = None
    etag: str | None = None
    """Of the first page of `url`; asked again with it, GitHub says whether anything has changed."""


@dataclass(frozen=True, slots=True, order=True)
class Revert:
    """A merged pull request that took back another one of the same base branch."""

    by: int
    of: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Cursor:
    settings: str
    """What was read with; other settings begin anew."""
    pulls: Mark = Mark()
    issues: Mark = Mark()
    reverts: tuple[Revert, ...] = ()
    waiting: tuple[int, ...] = ()
    """Pull requests that are to be looked at once more, the most urgent first."""

    @classmethod
    def parse(cls, text: str | None, settings: str) -> "Cursor":
        """A text that is none, or was written with other settings, is a beginning: reading all anew is never wrong."""
        try:
            said = json.loads(text or "")
            if said["version"] != _VERSION or said["settings"] != settings:
                return cls(settings)
            return cls(
                settings,
                _mark(said["pulls"]),
                _mark(said["issues"]),
                tuple(Revert(int(by), int(of), datetime.fromtimestamp(at, UTC)) for by, of, at in said["reverts"]),
                tuple(int(number) for number in said["waiting"]),
            )
        except (ValueError, KeyError, TypeError, RecursionError, OverflowError, OSError):
            return cls(settings)

    def dump(self) -> str:
        newest = sorted(self.reverts)[-MOST_REVERTS:]
        said = {
            "version": _VERSION,
            "settings": self.settings,
            "pulls": _said(self.pulls),
            "issues": _said(self.issues),
            "reverts": [[revert.by, revert.of, revert.at.timestamp()] for revert in newest],
            "waiting": self.waiting[:MOST_WAITING],
        }
        return json.dumps(said, separators=(",", ":"))


def taken_back(reverts: Iterable[Revert]) -> dict[int, datetime]:
    """Which pull requests are not in force any more, and since when. A revert that was itself reverted has no effect.

    A revert has a greater number than what it takes back, so the greatest number is in force for certain.
    """
    since: dict[int, datetime] = {}
    for revert in sorted(reverts, reverse=True):
        if revert.by not in since:
            since[revert.of] = revert.at
    return since


def _mark(said: dict[str, str | None]) -> Mark:
    at = said["updated_at"]
    return Mark(None if at is None else datetime.fromisoformat(at).astimezone(UTC), said["url"], said["etag"])


def _said(mark: Mark) -> dict[str, str | None]:
    at = None if mark.updated_at is None else mark.updated_at.isoformat()
    is_fit = mark.etag is not None and len(mark.etag) <= _MOST_ETAG and mark.etag.isascii() and mark.etag.isprintable()
    return {"updated_at": at, "url": mark.url, "etag": mark.etag if is_fit else None}
