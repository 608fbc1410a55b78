"""The lines of one rollout -> one item each; what they tell about the session rides on the first of them.

A call is written down once or twice: as a running counter (`token_count`), and by newer releases with its own numbers
too (`token_usage_record`). Both name the same turn and the same numbers, so both have one key; a fork that copied one
of them has it as well.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime

from loaders.codex.calls import Call, name_in_turn
from loaders.codex.counter import NO_CALL, Counter, Tokens, read_tokens
from loaders.codex.document import WITHOUT_USAGE
from loaders.codex.history import History
from loaders.codex.identity import Identity, read_identity, session_named
from loaders.codex.plan import is_covered
from loaders.codex.speech import BEGINNINGS, Speech, speech_of
from loaders.codex.story import Story
from loaders.item import Ignored, Item, Location, Parsed, Rejected
from loaders.openclaw.values import FieldError, Object, instant_if_sound, object_in, parse, text
from loaders.source import excerpt
from store import RecordError, Session

LIMITS_ONLY = "limits of the plan"
COPIED = "token count of another session, without the id of its turn"
TOO_LONG = "entry without usage that is too long to be read"
_RULES = {
    "session_meta": "session meta",
    "turn_context": "turn context",
    "response_item": "response item",
    "compacted": "compaction",
    "event_msg": "event",
}
_LONG_ENTRY = re.compile(
    r'\{"timestamp":\s*"[^"]{1,40}",\s*(?:"ordinal":\s*\d+,\s*)?"type":\s*"(?:compacted|response_item)"'
)
"""Compactions repeat the whole conversation with its pictures; tens of megabytes are nothing unusual."""


def read_transcript(
    lines: Iterable[tuple[Location, bytes] | Rejected], named: str, now: datetime, *, is_archived: bool = False
) -> Iterator[Item]:
    """`named` is the session that the file's name gives. The first line that can be read is given last."""
    reader = _Reader(named, now)
    first: Parsed | Ignored | None = None
    for line in lines:
        item = reader.take_line(line)
        if first is None and not isinstance(item, Rejected):
            first = item
        else:
            yield item
    if first is not None:
        own = first.records if isinstance(first, Parsed) else ()
        session = reader.session(is_archived=is_archived)
        yield Parsed(first.location, (*((session,) if session else ()), *own)) if session or own else first


class _Reader:
    def __init__(self, named: str, now: datetime) -> None:
        self._now = now
        self._identity = Identity(named)
        self._is_identified = False
        self._history = History()
        self._counter = Counter()
        self._story = Story()
        self._turn: str | None = None
        self._model: str | None = None
        self._is_plan = False

    def take_line(self, line: tuple[Location, bytes] | Rejected) -> Item:
        if isinstance(line, Rejected):
            is_silent = _LONG_ENTRY.match(line.raw) is not None
            named = self._identity.session_id
            return Ignored(line.location, TOO_LONG) if is_silent else replace(line, session_id=named)
        location, content = line
        try:
            return self._take(location, parse(content))
        except (FieldError, RecordError) as error:
            return Rejected(location, str(error), excerpt(content), self._identity.session_id)

    def session(self, *, is_archived: bool) -> Session | None:
        return self._story.session(self._identity, self._now, is_archived=is_archived)

    def _take(self, location: Location, entry: Object) -> Parsed | Ignored:
        kind, payload = text(entry, "type"), object_in(entry, "payload")
        at = instant_if_sound(entry, "timestamp", self._now)
        if payload is None:
            return self._take_bare(location, kind, entry, at)
        what = text(payload, "type")
        if kind == "session_meta":
            self._identify(payload)
        elif kind == "turn_context":
            self._turn = text(payload, "turn_id")
        elif kind == "event_msg" and what in BEGINNINGS:
            self._turn = text(payload, "turn_id") or self._turn
        is_copied = self._history.is_copied(self._identity, self._turn, at)
        if kind == "turn_context":
            self._model = _model_of(payload) or self._model
        if not is_copied:
            self._hear(speech_of(kind, what, payload), at)
        if kind == "event_msg" and what == "token_count":
            return self._take_count(location, payload, at, is_copied=is_copied)
        if kind == "token_usage_record":
            return self._take_record(location, payload, at)
        return Ignored(location, _RULES.get(kind or "", "unknown entry type"))

    def _take_bare(self, location: Location, kind: str | None, entry: Object, at: datetime | None) -> Ignored:
        """A line of the first releases, which had no envelope, no times and no usage."""
        if kind is None and text(entry, "id") is not None:
            self._identify(entry)
            self._hear(None, at)
            return Ignored(location, _RULES["session_meta"])
        if kind is None and "record_type" not in entry:
            raise FieldError("type is missing; an entry has one, such as event_msg, and a payload")
        if kind in _RULES or kind == "token_usage_record":
            raise FieldError(f"payload is missing; an entry of type {kind} has one")
        self._hear(speech_of("response_item", kind, entry), at)
        return Ignored(location, WITHOUT_USAGE)

    def _identify(self, meta: Object) -> None:
        """The first such line is the file's own; a fork has those of its ancestors, too."""
        found = read_identity(meta, self._identity.session_id, self._now)
        if not self._is_identified:
            self._identity, self._is_identified = found, True
            self._history.descend_from(found.forked_from)
        elif found.session_id != self._identity.session_id:
            self._history.descend_from(found.session_id)

    def _hear(self, speech: Speech | None, at: datetime | None) -> None:
        if at is not None:
            self._story.pass_through(at)
        self._story.use_model(self._model)
        if speech is not None:
            speech.tell(self._story)

    def _take_count(
        self, location: Location, payload: Object, at: datetime | None, *, is_copied: bool
    ) -> Parsed | Ignored:
        self._is_plan = is_covered(object_in(payload, "rate_limits"))
        info = object_in(payload, "info")
        if info is None:
            return Ignored(location, LIMITS_ONLY)
        total, last = read_tokens(info, "total_token_usage"), read_tokens(info, "last_token_usage")
        used = self._counter.take(total, last, may_be_earlier=is_copied or not self._story.is_answered)
        if isinstance(used, str):
            return Ignored(location, used)
        name = name_in_turn(self._turn, used)
        if name is None:
            if is_copied:
                return Ignored(location, COPIED)
            name = f"{self._identity.session_id}:{total.identity if total else at}:{used.identity}"
        return self._call(location, name, used, at, self._history.ancestor if is_copied else None)

    def _take_record(self, location: Location, payload: Object, at: datetime | None) -> Parsed | Ignored:
        used = read_tokens(payload, "usage")
        if used is None or used.is_nothing:
            return Ignored(location, NO_CALL)
        name = name_in_turn(text(payload, "turn_id"), used) or text(payload, "response_id")
        if name is None:
            raise FieldError("turn_id is missing, and so is response_id; a call needs one to be told from others")
        owner = session_named(text(payload, "thread_id"))
        return self._call(location, name, used, at, owner if owner != self._identity.session_id else None)

    def _call(
        self, location: Location, name: str, used: Tokens, at: datetime | None, copied_from: str | None
    ) -> Parsed:
        call = Call(name, used, at, self._model, self._is_plan, copied_from)
        return Parsed(location, (call.request(self._identity, self._story.first_at),))


def _model_of(context: Object) -> str | None:
    model = text(context, "model")
    if model is None:
        mode = object_in(context, "collaboration_mode")
        settings = object_in(mode, "settings") if mode is not None else None
        model = text(settings, "model") if settings is not None else None
    return model
