"""The first line of a rollout: which session it is, who started it, and from whom it copied its history.

A fork begins with its own line and then holds the lines of the session that it came from, their `session_meta` too,
so only the first one is about the file.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from uuid import UUID

from loaders.openclaw.keys import BY_PARENT, BY_PLACE, UNKNOWN, Cause, is_unique, unique_id
from loaders.openclaw.values import Object, instant_if_sound, object_in, text

SOURCE = "codex"
AGENT = "codex"
PROVIDER = "openai"
_PEOPLE_USE = ("cli", "vscode")
_PROGRAMS_USE = ("exec", "mcp", "appserver", "app-server")


@dataclass(frozen=True, slots=True)
class Identity:
    session_id: str
    started_at: datetime | None = None
    provider: str = PROVIDER
    parent: str | None = None
    """The session whose sub-agent this is."""
    forked_from: str | None = None
    cause: Cause = UNKNOWN

    @property
    def born_at(self) -> datetime | None:
        """To the millisecond where the id tells it, as ids made since 2025 do."""
        return time_in(self.session_id) or self.started_at


def read_identity(meta: Object, named: str, now: datetime) -> Identity:
    """`named` is the id that the file's name gives. Raises `FieldError`."""
    source = meta.get("source")
    spawned = _sub_agent(source)
    parent = text(spawned or {}, "parent_thread_id") or text(meta, "parent_thread_id")
    forked_from = text(meta, "forked_from_id")
    session_id = session_named(text(meta, "id")) or named
    parent_id = session_named(parent or forked_from) if spawned is not None else None
    return Identity(
        session_id=session_id,
        started_at=instant_if_sound(meta, "timestamp", now),
        provider=text(meta, "model_provider") or PROVIDER,
        parent=parent_id if parent_id != session_id else None,
        forked_from=session_named(forked_from),
        cause=_cause(source, spawned, text(meta, "originator")),
    )


def session_named(written: str | None) -> str | None:
    return None if written is None else unique_id(written, AGENT)


def is_telling(turn: str | None) -> bool:
    """Whether the id of a turn is one of its kind: the first releases counted turns from 0."""
    return turn is not None and is_unique(turn)


@lru_cache(maxsize=1024)
def time_in(uuid: str) -> datetime | None:
    """When an id was made, for those of version 7: their first 48 bits are milliseconds."""
    if not is_unique(uuid):
        return None
    value = UUID(uuid)
    if value.version != 7:
        return None
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=value.int >> 80)


def _sub_agent(source: object) -> Object | None:
    """What is said of the spawning, empty where only that it was a sub-agent; None for a session of its own."""
    if not isinstance(source, dict):
        return None
    for name, kind in source.items():
        if name.lower() == "subagent":
            return (object_in(kind, "thread_spawn") or {}) if isinstance(kind, dict) else {}
    return None


def _cause(source: object, spawned: Object | None, originator: str | None) -> Cause:
    if spawned is not None:
        return Cause("subagent", "session source: subagent", BY_PARENT)
    place = source.lower() if isinstance(source, str) else None
    if place in _PROGRAMS_USE:
        return Cause("api", f"session source: {place}", BY_PLACE)
    if place in _PEOPLE_USE:
        # Programs that drive Codex over its protocol are taken for the editor; they say their own name, though.
        is_codex = originator is None or originator.lower().startswith("codex")
        if is_codex:
            return Cause("human", f"session source: {place}", BY_PLACE)
        return Cause("api", f"originator: {originator}", BY_PLACE)
    return UNKNOWN
