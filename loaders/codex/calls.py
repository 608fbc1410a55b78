"""One call that was written down -> one `Request`, with a key that all that is written of it has."""

from dataclasses import dataclass
from datetime import datetime

from loaders.codex.counter import Tokens
from loaders.codex.identity import AGENT, SOURCE, Identity, is_telling
from loaders.openclaw.values import FieldError
from store import Request


@dataclass(frozen=True, slots=True)
class Call:
    """`name` is equal for all records of one call and for no other call."""

    name: str
    used: Tokens
    at: datetime | None
    model: str | None
    is_included: bool
    copied_from: str | None
    """The session whose call it is, where this is a copy in the history of another one."""

    def request(self, own: Identity, first_at: datetime | None) -> Request:
        """A copy says whose the call is and claims nothing else: its time is mostly that of the copying."""
        if self.at is None:
            raise FieldError("timestamp is missing; a call needs the time like 2026-03-04T09:00:00.120Z")
        is_own, buckets = self.copied_from is None, self.used.buckets()
        is_in_time = is_own or (own.born_at is not None and self.at < own.born_at)
        return Request(
            request_key=f"{SOURCE}:{self.name}",
            source=SOURCE,
            session_id=own.session_id if is_own else self.copied_from,
            agent=AGENT,
            provider=own.provider,
            model=self.model,
            started_at=self.at if is_in_time else None,
            ended_at=self.at if is_in_time else None,
            uncached_input_tokens=buckets.uncached_input,
            cache_read_tokens=buckets.cache_read,
            cache_write_5m_tokens=buckets.cache_write_5m,
            cache_write_1h_tokens=buckets.cache_write_1h,
            output_tokens=buckets.output,
            is_included=self.is_included,
            owner_started_at=(own.started_at or first_at or self.at) if is_own else None,
        )


def name_in_turn(turn: str | None, used: Tokens) -> str | None:
    """Within a turn every call sends more than the one before it. None where the turn's id is not one of its kind."""
    return f"{turn.lower()}:{used.identity}" if turn is not None and is_telling(turn) else None
