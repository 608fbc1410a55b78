"""The lines of one transcript -> one item each, and at its end what the whole of it says about its session.

The file is a tree written as a list: answers on abandoned branches were billed like the others, so every assistant
message counts. History copied from another session keeps its times, which lie before this session's own start: its
calls are yielded (their keys are those of the originals), but it tells nothing about how this session began or ended.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime

from loaders.item import Ignored, Item, Location, Parsed, Rejected
from loaders.openclaw.calls import SOURCE, Owner, read_call, status_of
from loaders.openclaw.endings import QUIET_AFTER, SILENT_END, TRANSCRIPT, ending
from loaders.openclaw.harness import UNBOUND, Bindings, Turns
from loaders.openclaw.keys import BY_PROMPT, BY_PROVENANCE, UNKNOWN, Cause, unique_id
from loaders.openclaw.values import FieldError, Object, instant, instant_if_sound, object_in, parse, prose, text
from loaders.source import excerpt
from store import Record, RecordError, Session
from store.records import Termination, Trigger

PROMPT_ERROR = "openclaw:prompt-error"
_VERSIONS = (1, 2, 3)
_ENTRY_RULES = {
    "model_change": "model change",
    "thinking_level_change": "thinking level",
    "compaction": "compaction: the usage of its model call is not recorded",
    "branch_summary": "branch summary: the usage of its model call is not recorded",
    "custom": "state marker",
    "custom_message": "custom message",
    "label": "label",
    "session_info": "session name",
}
_ROLE_RULES = {
    "user": "user message",
    "toolResult": "tool result",
    "custom": "custom message",
    "hookMessage": "custom message",
    "bashExecution": "shell command",
    "branchSummary": "branch summary",
    "compactionSummary": "compaction summary",
}
_BY_PROVENANCE: dict[str, Trigger] = {
    "external_user": "human",
    "inter_session": "subagent",
    "internal_system": "unknown",  # certainly no human; cron, heartbeat and hooks all look like this
}
_BY_PROMPT: tuple[tuple[str, Trigger, str], ...] = (
    ("read heartbeat.md", "heartbeat", "prompt text: heartbeat"),
    ("[openclaw heartbeat poll]", "heartbeat", "prompt text: heartbeat"),
    ("[cron:", "cron", "prompt text: cron"),
    ("[subagent context]", "subagent", "prompt text: subagent"),
)
_TIME_PREFIX = re.compile(r"\s*(?:\[(?:mon|tue|wed|thu|fri|sat|sun) [^\]]*\]\s*)?")


def read_transcript(
    lines: Iterable[tuple[Location, bytes] | Rejected],
    owner: Owner,
    now: datetime,
    *,
    is_archive: bool = False,
    is_owner_certain: bool = False,
    bindings: Bindings = UNBOUND,
) -> Iterator[Item]:
    """One item a line. The session's evidence rides on the first line that can be read, the header, given last.

    `owner` is what the file's name and place say; the header, if there is one, knows better. Not so in a database
    (`is_owner_certain`): there the rows are the session's, and a header of another one was copied with its history.
    """
    story = _Story(owner, now, Turns(bindings), is_owner_certain=is_owner_certain)
    first: Parsed | Ignored | None = None
    for line in lines:
        if isinstance(line, Rejected):
            yield replace(line, session_id=story.session_id)
            continue
        location, content = line
        item: Item
        try:
            item = story.take(location, parse(content))
        except (FieldError, RecordError) as error:
            item = Rejected(location, str(error), excerpt(content), story.session_id)
        if first is None and not isinstance(item, Rejected):
            first = item
        else:
            yield item
    if first is not None:
        records: tuple[Record, ...] = first.records if isinstance(first, Parsed) else ()
        yield Parsed(first.location, (*story.sessions(is_archive), *records))


def cause_by_prompt(prompt: str) -> Cause | None:
    """Who wrote the first message of a session, by the texts that OpenClaw itself puts at its beginning."""
    lowered = prompt[:4000].lower()
    start = _TIME_PREFIX.match(lowered)
    begun = lowered[start.end() if start else 0 :]
    for beginning, trigger, rule in _BY_PROMPT:
        if begun.startswith(beginning):
            return Cause(trigger, rule, BY_PROMPT)
    if "reply heartbeat_ok" in lowered:  # the prompt's wording is configurable, the answer that it asks for is not
        return Cause("heartbeat", "prompt text: heartbeat", BY_PROMPT)
    return None


class _Story:
    """What was learned about the session from the lines so far."""

    def __init__(self, owner: Owner, now: datetime, turns: Turns, *, is_owner_certain: bool) -> None:
        self._owner = owner
        self._turns = turns
        self._is_owner_certain = is_owner_certain
        self._now = now
        self._is_begun = False
        self._unreadable: str | None = None
        self._first_at: datetime | None = None
        self._last_at: datetime | None = None
        self._model: str | None = None
        self._cause: Cause | None = None
        self._ending: Termination | None = None
        self._ending_rule = "transcript: no answer"

    @property
    def session_id(self) -> str:
        return self._owner.session_id

    def take(self, location: Location, entry: Object) -> Parsed | Ignored:
        if self._unreadable is not None:
            raise FieldError(self._unreadable)
        kind = text(entry, "type")
        if kind is None:
            raise FieldError("type is missing; an entry has one, such as message")
        if kind == "session":
            return self._take_header(location, entry)
        item = self._take_entry(location, kind, entry)
        self._is_begun = True
        return item

    def sessions(self, is_archive: bool) -> Iterator[Session]:
        yield self._session(is_archive)
        yield from self._turns.sessions(self._owner, self._now, is_archive=is_archive)

    def _session(self, is_archive: bool) -> Session:
        started_at = self._owner.started_at or self._first_at
        last_at = self._last_at or started_at
        is_over = is_archive or (last_at is not None and self._now - last_at >= QUIET_AFTER)
        cause = self._cause or UNKNOWN
        return Session(
            session_id=self._owner.session_id,
            source=SOURCE,
            observed_at=last_at,
            agent=self._owner.agent,
            trigger=cause.trigger,
            trigger_rule=cause.rule,
            trigger_confidence=cause.confidence,
            model=self._model,
            started_at=started_at,
            ended_at=last_at if is_over else None,
            termination=(self._ending or "unknown") if is_over else None,
            termination_rule=self._ending_rule if is_over else None,
            termination_confidence=(TRANSCRIPT if self._ending else SILENT_END) if is_over else 0,
            is_running=last_at is not None and not is_over,
        )

    def _take_header(self, location: Location, header: Object) -> Parsed | Ignored:
        if self._is_begun:
            return Ignored(location, "a second header")
        version = header.get("version")
        if version is not None and (isinstance(version, bool) or version not in _VERSIONS):
            self._unreadable = (
                f"the transcript has version {version!r:.20}; versions 1 to 3 are known, so it is not read"
            )
            raise FieldError(self._unreadable)
        started_at, session_id = instant(header, "timestamp", self._now), text(header, "id")
        if self._is_owner_certain and session_id is not None:
            named = unique_id(session_id.partition("-topic-")[0], self._owner.agent)
            if named != self._owner.session_id:
                return Ignored(location, "header of the session whose history was copied")
        if session_id is not None and "-topic-" not in session_id:
            self._owner = Owner(unique_id(session_id, self._owner.agent), self._owner.agent, started_at)
        else:
            self._owner = Owner(self._owner.session_id, self._owner.agent, started_at)
        self._is_begun = True
        return Ignored(location, "header")

    def _take_entry(self, location: Location, kind: str, entry: Object) -> Parsed | Ignored:
        at = instant_if_sound(entry, "timestamp", self._now)
        is_copied = at is not None and self._owner.started_at is not None and at < self._owner.started_at
        if kind == "message":
            item = self._take_message(location, entry, is_copied=is_copied)
        elif kind == "custom" and entry.get("customType") == PROMPT_ERROR:
            item = self._take_prompt_error(location, entry, at, is_copied=is_copied)
        else:
            if kind == "model_change" and not is_copied:
                self._model = text(entry, "modelId") or self._model
            item = Ignored(location, _ENTRY_RULES.get(kind, "unknown entry type"))
        if at is not None and not is_copied:
            self._first_at = min(at, self._first_at or at)
            self._last_at = max(at, self._last_at or at)
        return item

    def _take_message(self, location: Location, entry: Object, *, is_copied: bool) -> Parsed | Ignored:
        message = object_in(entry, "message")
        role = text(message, "role") if message is not None else None
        if message is None or role is None:
            raise FieldError("message.role is missing; it is user, assistant or toolResult")
        if role != "assistant":
            if role == "user" and not is_copied and self._cause is None:
                self._cause = _cause_of_turn(message) or UNKNOWN
            return Ignored(location, _ROLE_RULES.get(role, "unknown role"))
        if text(message, "provider") == "openclaw":
            return Ignored(location, "synthetic message")
        call = read_call(entry, message, self._owner, self._now)
        if not is_copied:
            self._model = text(message, "model") or self._model
            stopped = "aborted" if status_of(message) == "aborted" else text(message, "stopReason")
            how = ending(stopped, prose(message, "errorMessage"))
            self._end(how, stopped or "no stop reason")
            call = self._turns.take(call, message, self._owner, how)
        return Parsed(location, (call,))

    def _take_prompt_error(
        self, location: Location, entry: Object, at: datetime | None, *, is_copied: bool
    ) -> Parsed | Ignored:
        """A run that failed before any answer. Only at the end of the file is it known whether it was the last one."""
        if is_copied:
            return Ignored(location, "prompt error in copied history")
        data = object_in(entry, "data") or {}
        error = prose(data, "error").strip()
        self._model = text(data, "model") or self._model
        self._end("aborted" if error == "aborted" else ending("error", error), "prompt error")
        failed = Session(
            session_id=self._owner.session_id,
            source=SOURCE,
            observed_at=at,
            agent=self._owner.agent,
            model=text(data, "model"),
        )
        return Parsed(location, (failed,))

    def _end(self, how: Termination | None, rule: str) -> None:
        self._ending, self._ending_rule = how, f"transcript: {rule}"


def _cause_of_turn(message: Object) -> Cause | None:
    if by_prompt := cause_by_prompt(_first_text(message)):
        return by_prompt
    provenance = object_in(message, "provenance")
    kind = text(provenance, "kind") if provenance is not None else None
    return Cause(_BY_PROVENANCE[kind], f"provenance: {kind}", BY_PROVENANCE) if kind in _BY_PROVENANCE else None


def _first_text(message: Object) -> str:
    content = message.get("content")
    if isinstance(content, str):
        return content
    blocks = content if isinstance(content, list) else []
    texts = (block.get("text") for block in blocks if isinstance(block, dict))
    return next((found for found in texts if isinstance(found, str)), "")
