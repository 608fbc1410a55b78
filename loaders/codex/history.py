"""Which lines of a fork are copies of another session's.

A fork begins with the history that it goes on from, most often with new times. A turn's id tells when the turn began,
so turns that are older than the session are copies. Lines before ids were written so are copies as long as they carry
older times, or follow each other without a pause from the first line on: nobody types and no model answers that fast.
"""

from datetime import datetime, timedelta

from loaders.codex.identity import Identity, time_in

_PAUSE = timedelta(seconds=1)


class History:
    def __init__(self) -> None:
        self._ancestor: str | None = None
        self._is_written_at_once = True
        self._latest: datetime | None = None

    @property
    def ancestor(self) -> str | None:
        """The session that the copies were taken from; None where nothing says that there are any."""
        return self._ancestor

    def descend_from(self, session_id: str | None) -> None:
        self._ancestor = self._ancestor or session_id

    def is_copied(self, identity: Identity, turn: str | None, at: datetime | None) -> bool:
        """To be asked about each line once, in their order."""
        born_at = identity.born_at
        is_older = at is not None and born_at is not None and at < born_at
        if at is not None and not is_older:
            self._is_written_at_once &= self._latest is None or at - self._latest < _PAUSE
            self._latest = at
        if self._ancestor is None:
            return False
        turn_at = time_in(turn) if turn is not None else None
        if turn_at is not None and born_at is not None:
            return turn_at < born_at
        return is_older or (at is not None and self._is_written_at_once)
