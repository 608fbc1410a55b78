"""What OpenClaw itself counted, held against what was read: captured output of its usage commands, never added.

`openclaw gateway call sessions.usage --params '{"range":"30d","agentScope":"all"}' --json` (tokens of each session) and
`openclaw gateway usage-cost --all-agents --json` (tokens of each day) go into `usage-check/*.json` in the state
directory. OpenClaw counts copies of calls and leaves out some archives, so it may honestly count less than was read.
Where it counts more, something is missing here.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta

from loaders.item import Ignored, Item, Location, Parsed, Rejected
from loaders.openclaw.keys import parse_key, unique_id
from loaders.openclaw.values import FieldError, Object, as_json, as_object, count, object_in, parse, text
from loaders.source import excerpt
from store import Request, Session

_KINDS = ("input", "output", "cacheRead", "cacheWrite")
_ZONES = timedelta(hours=14)
"""Days are those of the gateway's zone, which the output does not name."""


class Tally:
    """The tokens of every call in each session, copies included, as they were read."""

    def __init__(self) -> None:
        self._calls: dict[str, dict[str, tuple[datetime, int]]] = {}
        self._run_for: dict[str, set[str]] = {}
        """OpenClaw's session -> the sessions of other programs that ran turns for it."""

    def take(self, item: Item) -> None:
        for record in item.records if isinstance(item, Parsed) else ():
            if isinstance(record, Session) and record.parent_session_id is not None:
                self._run_for.setdefault(record.parent_session_id, set()).add(record.session_id)
            if (
                isinstance(record, Request)
                and record.session_id
                and record.started_at
                and record.output_tokens is not None
            ):
                written = (record.cache_write_5m_tokens or 0) + (record.cache_write_1h_tokens or 0)
                read = (record.uncached_input_tokens or 0) + (record.cache_read_tokens or 0)
                tokens = read + written + record.output_tokens
                self._calls.setdefault(record.session_id, {})[record.request_key] = (record.started_at, tokens)

    def tokens(self, session_ids: set[str] | None, first: datetime, end: datetime) -> int:
        """Of the calls from `first` up to `end`, in these sessions or in all."""
        sessions = set(self._calls) if session_ids is None else session_ids
        sessions = sessions.union(*(self._run_for.get(session, ()) for session in sessions))
        calls = (call for session in sessions for call in self._calls.get(session, {}).values())
        return sum(tokens for at, tokens in calls if first <= at < end)


def check_usage(document: bytes, shown_as: str, tally: Tally) -> Iterator[Item]:
    """One item for each session or day of the output; one for the file where it is neither output."""
    try:
        output = parse(document)
        output = object_in(output, "payload") or object_in(output, "result") or output
        listed = output.get("sessions", output.get("daily"))
        if not isinstance(listed, list):
            raise FieldError("must be the output of sessions.usage or usage-cost: it has no list sessions or daily")
    except FieldError as error:
        yield Rejected(Location(shown_as), str(error), excerpt(document))
        return
    for position, entry in enumerate(listed, start=1):
        location = Location(shown_as, position)
        try:
            counted = as_object(entry)
            is_session = "sessions" in output
            yield _of_session(location, counted, output, tally) if is_session else _of_day(location, counted, tally)
        except FieldError as error:
            yield Rejected(location, str(error), excerpt(as_json(entry)))


def _of_session(location: Location, session: Object, output: Object, tally: Tally) -> Ignored | Rejected:
    usage = object_in(session, "usage")
    if usage is None:
        return Ignored(location, "usage check: OpenClaw has not counted this session yet")
    agent = text(session, "agentId") or parse_key(text(session, "key") or "").agent or "main"
    included = session.get("includedSessionIds")
    ids = [text({"id": value}, "id") for value in included] if isinstance(included, list) and included else []
    named = {unique_id(value, agent) for value in (*ids, text(session, "sessionId")) if value}
    if not named:
        return Ignored(location, "usage check: a session without an id")
    first, last = _day(output, "startDate"), _day(output, "endDate")
    return _compared(location, usage, tally, named, first, last, f"session {', '.join(sorted(named))[:200]}")


def _of_day(location: Location, totals: Object, tally: Tally) -> Ignored | Rejected:
    day = _day(totals, "date")
    if day is None:
        raise FieldError("date is missing")
    return _compared(location, totals, tally, None, day, day, f"day {day}")


def _compared(
    location: Location,
    counted: Object,
    tally: Tally,
    session_ids: set[str] | None,
    first: date | None,
    last: date | None,
    named: str,
) -> Ignored | Rejected:
    theirs = sum(count(counted.get(kind), kind) or 0 for kind in _KINDS)
    begin = datetime.combine(first or date(2000, 1, 1), time(), UTC) - _ZONES
    end = datetime.combine(last or date(2200, 1, 1), time(), UTC) + timedelta(days=1) + _ZONES
    ours = tally.tokens(session_ids, begin, end)
    if theirs <= ours:
        return Ignored(location, "usage check: all that OpenClaw counted was read")
    reason = f"usage check: OpenClaw counted {theirs:,} tokens for {named}, and {ours:,} were read: calls are missing"
    return Rejected(location, reason, excerpt(as_json(counted)))


def _day(holder: Object, field: str) -> date | None:
    named = text(holder, field)
    try:
        return date.fromisoformat(named) if named else None
    except ValueError:
        raise FieldError(f"{field} must be a day like 2026-03-04, got {named!r:.40}") from None
