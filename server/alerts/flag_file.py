"""A file that is there while money is overspent, for scripts that look before they start something.

It stands for the budgets of everything (scope global) that stop requests: one agent over its own limit must not stop
all the others. A file that we have not written is never removed or replaced.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from finance.budgets import Standing
from server.alerts.files import write_whole
from server.alerts.words import instant
from server.budgets.standing_json import standing_json

_WRITER = "clawback"
_MOST_BYTES = 1_000_000


class FlagFileError(Exception):
    """The flag does not say what is so; the message says why and what would help."""


@dataclass(frozen=True, slots=True)
class FlagFile:
    path: Path

    def set(self, standings: Iterable[Standing], now: datetime) -> bool:
        """Puts the file there or takes it away; True where it is there now. Raises `FlagFileError`.

        It is written once for an overspend and stays as it was written, with the instant at which it began.
        """
        over = [s for s in standings if s.scope == "global" and s.blocks and s.state == "OPEN"]
        try:
            present = self._present()
            if over and present != [_episode(standing) for standing in over]:
                write_whole(self.path, _line(over, now), 0o644)
            elif not over and present is not None:
                self.path.unlink(missing_ok=True)
        except OSError as error:
            what = "written" if over else "removed"
            raise FlagFileError(
                f"the flag file {self.path} could not be {what}: {error.strerror or error}; "
                "make its directory, and let this user write there"
            ) from error
        return bool(over)

    def _present(self) -> list[list[str]] | None:
        """Which episodes our file names; None where there is no file. Raises `FlagFileError` where it is not ours."""
        if not self.path.is_symlink() and not self.path.exists():
            return None
        try:
            if self.path.is_symlink() or not self.path.is_file() or self.path.stat().st_size > _MOST_BYTES:
                raise ValueError
            said = json.loads(self.path.read_text(encoding="utf-8"))
            if said["written_by"] != _WRITER:
                raise ValueError
            return [[str(one["budget_id"]), str(one["window"])] for one in said["budgets"]]
        except (ValueError, LookupError, TypeError, RecursionError):
            raise FlagFileError(
                f"{self.path} is there and was not written by Clawback, so it is left as it is; "
                "move it away, or set CLAWBACK_FLAG_FILE to another name"
            ) from None


def _episode(standing: Standing) -> list[str]:
    return [standing.budget_id, standing.window.label]


def _line(over: list[Standing], now: datetime) -> str:
    said = {"written_by": _WRITER, "since": instant(now), "budgets": [standing_json(s) for s in over]}
    return json.dumps(said) + "\n"
