"""Session ids and session keys: what makes an id unique, what a key says about who started a session, whose key it is.

A key such as `agent:main:cron:nightly` names a place; the session that lives there changes with every reset.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from store.records import Trigger

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_UUID_AT_END = re.compile(rf"(?:^|[._])({_UUID.pattern})$")
_AGENT_KEY = re.compile(r"agent:([^:]+):(.+)")

BY_KEY, BY_PARENT, BY_PROMPT, BY_CREATOR, BY_PROVENANCE, BY_PLACE, NO_CLUE = 90, 80, 60, 55, 50, 30, 0
"""Confidence of a trigger. A place (a chat, a group) says only who usually speaks there, and who created a session does
not have to be who speaks first: a heartbeat does, in the main session.
"""

_BY_FIRST_WORD: dict[str, Trigger] = {
    "cron": "cron",
    "hook": "webhook",
    "subagent": "subagent",
    "acp": "subagent",  # an external coding harness, started by an agent
    "openai": "api",
    "openai-user": "api",
    "openresponses": "api",
    "openresponses-user": "api",
    "explicit": "api",  # `--session-id` on the command line, and probes
}
_BY_CREATED_VIA: dict[str, tuple[Trigger, int]] = {
    "cron": ("cron", BY_PARENT),
    "spawn": ("subagent", BY_PARENT),
    "operator": ("human", BY_CREATOR),
    "channel": ("human", BY_CREATOR),
    "talk": ("human", BY_CREATOR),
    "run": ("api", BY_CREATOR),
}
_PLACES = {"main", "global", "direct", "dm", "group", "channel", "room", "dashboard"}
_CHAT_TYPES = {"direct", "group", "channel", "room"}


@dataclass(frozen=True, slots=True)
class Cause:
    """Who or what started a session, by which rule, how surely (0 to 100)."""

    trigger: Trigger
    rule: str
    confidence: int


UNKNOWN = Cause("unknown", "no clue", NO_CLUE)


@dataclass(frozen=True, slots=True)
class SessionKey:
    """A key without regard to case; `agent` is None for the bare keys of early releases."""

    agent: str | None
    rest: str

    def __str__(self) -> str:
        return self.rest if self.agent is None else f"agent:{self.agent}:{self.rest}"


def parse_key(key: str) -> SessionKey:
    lowered = key.lower()
    match = _AGENT_KEY.fullmatch(lowered)
    return SessionKey(match[1], match[2]) if match else SessionKey(None, lowered)


def unique_id(session_id: str, agent: str) -> str:
    """A UUID is unique by itself; any other id only within its agent."""
    lowered = session_id.lower()
    return lowered if _UUID.fullmatch(lowered) else f"{agent}/{session_id}"


def is_unique(session_id: str) -> bool:
    return _UUID.fullmatch(session_id.lower()) is not None


def uuid_in(name: str) -> str | None:
    """The UUID that ends a file's name: forks are called `<time>_<id>`, imported copies `<key>.<id>`."""
    match = _UUID_AT_END.search(name.lower())
    return match[1] if match else None


def cause_by_key(key: SessionKey, chat_type: str | None = None, *, is_isolated_heartbeat: bool = False) -> Cause:
    words = key.rest.split(":")
    if words[0] in _BY_FIRST_WORD:
        return Cause(_BY_FIRST_WORD[words[0]], f"session key: {words[0]}", BY_KEY)
    if "subagent" in words[:-1]:  # a child of a child has the word twice
        return Cause("subagent", "session key: subagent", BY_KEY)
    if is_isolated_heartbeat and words[-1] == "heartbeat":
        return Cause("heartbeat", "session key: heartbeat", BY_KEY)
    # main, direct:<peer>, <channel>:group:<id>, <channel>:<account>:direct:<peer>; threads hang below any of them
    if place := next((word for word in words[:3] if word in _PLACES), None):
        return Cause("human", f"session key: {place}", BY_PLACE)
    if any(word.startswith("incognito-") for word in words):
        return Cause("human", "session key: incognito", BY_PLACE)
    if chat_type in _CHAT_TYPES:
        return Cause("human", f"chat type: {chat_type}", BY_PLACE)
    return UNKNOWN


def cause_by_creation(via: str | None, actor: str | None) -> Cause:
    """By the columns in which newer databases keep who created a session; plugins and internals say nothing."""
    trigger, confidence = _BY_CREATED_VIA.get(via or "", (None, NO_CLUE))
    if actor == "agent" and trigger != "cron":
        return Cause("subagent", "created by: agent", confidence if trigger == "subagent" else BY_CREATOR)
    return UNKNOWN if trigger is None else Cause(trigger, f"created via: {via}", confidence)


def job_of(key: SessionKey) -> str | None:
    """The id of the scheduled job whose runs have this key."""
    return key.rest.removeprefix("cron:").partition(":run:")[0] if key.rest.startswith("cron:") else None


class _Entry(Protocol):
    @property
    def key(self) -> SessionKey: ...
    @property
    def agent(self) -> str: ...
    @property
    def session_id(self) -> str: ...
    @property
    def updated_at(self) -> datetime | None: ...
    @property
    def session_started_at(self) -> datetime | None: ...


class Directory:
    """Which session lives at a key, now or at an instant, over the stores of all agents."""

    def __init__(self, entries: Iterable[_Entry], windows: Iterable[_Entry] = ()) -> None:
        """`windows` are the generations of sessions that newer databases keep for a key, of all times."""
        self._entries: dict[str, _Entry] = {}
        for entry in entries:
            name = _full_name(entry.key, entry.agent)
            known = self._entries.get(name)
            if known is None or _is_later(entry.updated_at, known.updated_at):
                self._entries[name] = entry
        self._windows: dict[str, list[tuple[datetime, str]]] = {}
        for window in windows:
            if window.session_started_at is not None:
                began = (window.session_started_at, window.session_id)
                self._windows.setdefault(_full_name(window.key, window.agent), []).append(began)
        for generations in self._windows.values():
            generations.sort()

    def session_at(self, key: str, agent: str | None, at: datetime | None = None) -> str | None:
        """None where no store knows the key, or where none of its known sessions began before `at`."""
        name = _full_name(parse_key(key), agent)
        entry = self._entries.get(name)
        if at is not None:
            began = bisect_right(self._windows.get(name, []), at, key=lambda window: window[0])
            if began:
                return self._windows[name][began - 1][1]
        if entry is None or (at and entry.session_started_at and at < entry.session_started_at):
            return None
        return entry.session_id


def _full_name(key: SessionKey, agent: str | None) -> str:
    """A bare key belongs to the agent in whose store it was found."""
    return str(key) if key.agent is not None or agent is None else f"agent:{agent.lower()}:{key.rest}"


def _is_later(one: datetime | None, other: datetime | None) -> bool:
    return one is not None and (other is None or one > other)
