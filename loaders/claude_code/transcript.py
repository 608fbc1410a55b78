"""The lines of one transcript -> one item each; what they tell about their sessions rides on the first of them.

Each line names its session. Mostly that is one session for the whole file, but a fork begins with the history of
another, and old releases wrote sub-agents into the file of their session.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime

from loaders.claude_code.calls import is_failure, read_call
from loaders.claude_code.story import Story
from loaders.item import Ignored, Item, Location, Parsed, Rejected
from loaders.openclaw.values import FieldError, Object, instant, instant_if_sound, object_in, parse, text
from loaders.source import excerpt
from store import Record, RecordError

SYNTHETIC = "<synthetic>"
REPEATED = "progress: repeats a call that the sub-agent's own transcript has"
ORPHANED = "progress: begins a call of a sub-agent whose transcript is missing"
"""The progress of a call has the tokens with which its answer began, not those with which it ended."""
_RULES = {
    "user": "user message",
    "system": "system entry",
    "progress": "progress",
    "summary": "summary",
    "file-history-snapshot": "file history",
    "queue-operation": "queue of prompts",
    "attachment": "attachment",
}


def read_transcript(
    lines: Iterable[tuple[Location, bytes] | Rejected], named: str, agents: frozenset[str], now: datetime
) -> Iterator[Item]:
    """`named` is the session that the file's name gives, `agents` are the sub-agents with a transcript of their own.

    The first line that can be read is given last, with the sessions.
    """
    reader = _Reader(named, agents, now)
    first: Parsed | Ignored | None = None
    for line in lines:
        if isinstance(line, Rejected):
            yield replace(line, session_id=named)
            continue
        location, content = line
        item: Item
        try:
            item = reader.take(location, parse(content))
        except (FieldError, RecordError) as error:
            item = Rejected(location, str(error), excerpt(content), named)
        if first is None and not isinstance(item, Rejected):
            first = item
        else:
            yield item
    if first is not None:
        own = first.records if isinstance(first, Parsed) else ()
        sessions = reader.sessions()
        yield Parsed(first.location, (*sessions, *own)) if sessions or own else first


class _Reader:
    def __init__(self, named: str, agents: frozenset[str], now: datetime) -> None:
        self._named = named
        self._agents = agents
        self._now = now
        self._stories: dict[str, Story] = {}

    def take(self, location: Location, entry: Object) -> Parsed | Ignored:
        kind = text(entry, "type")
        if kind is None:
            raise FieldError("type is missing; an entry has one, such as assistant")
        if kind == "assistant":
            return self._take_answer(location, entry)
        at = instant_if_sound(entry, "timestamp", self._now)
        if at is not None:
            _, story = self._story_of(entry)
            story.pass_through(at, text(entry, "entrypoint"))
            if kind == "user":
                story.hear_user(object_in(entry, "message"), is_meta=entry.get("isMeta") is True)
            elif kind == "system" and text(entry, "subtype") == "api_error":
                story.hear_failure()
        if kind == "progress":
            return Ignored(location, self._rule_of_progress(entry))
        return Ignored(location, _RULES.get(kind, "unknown entry type"))

    def sessions(self) -> tuple[Record, ...]:
        told = (story.session(self._now) for story in self._stories.values())
        return tuple(session for session in told if session is not None)

    def _take_answer(self, location: Location, entry: Object) -> Parsed | Ignored:
        message, at = object_in(entry, "message"), instant(entry, "timestamp", self._now)
        if message is None:
            raise FieldError("message is missing; an entry of type assistant has one")
        if at is None:
            raise FieldError("timestamp is missing; a call needs the time like 2026-03-04T09:00:00.120Z")
        session_id, story = self._story_of(entry)
        model = text(message, "model")
        started_at = min(at, story.started_at or at)
        call = None if model == SYNTHETIC else read_call(entry, message, session_id, at, started_at)
        story.pass_through(at, text(entry, "entrypoint"))
        if is_failure(entry):
            story.hear_failure()
        elif call is not None:
            story.hear_answer(model)
        return Ignored(location, "synthetic message") if call is None else Parsed(location, (call,))

    def _story_of(self, entry: Object) -> tuple[str, Story]:
        origin = object_in(entry, "forkedFrom") or {}
        session = text(origin, "sessionId") or text(entry, "sessionId")
        agent = text(entry, "agentId") if entry.get("isSidechain") is True else None
        session_id = self._named if session is None else session if agent is None else f"{session}/agent-{agent}"
        return session_id, self._stories.setdefault(session_id, Story(session_id))

    def _rule_of_progress(self, entry: Object) -> str:
        data = object_in(entry, "data") or {}
        nested = data.get("message")
        if not isinstance(nested, dict) or nested.get("type") != "assistant":
            return _RULES["progress"]
        return REPEATED if text(data, "agentId") in self._agents else ORPHANED
