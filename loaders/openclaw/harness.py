"""Turns that another program ran for OpenClaw: Claude Code or Codex made the calls, and has each in its own transcript.

OpenClaw writes one message for such a turn, with what its calls used together. That is a total of the program's
session, and counts where that session's own calls are not loaded. Which session it is, the store entry says, or for
Codex a file beside the transcript. Without either the turn stays a call of OpenClaw's session.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Protocol

from loaders.openclaw.calls import SOURCE, Owner
from loaders.openclaw.endings import QUIET_AFTER
from loaders.openclaw.keys import UNKNOWN, Cause, unique_id
from loaders.openclaw.values import FieldError, Object, object_in, parse, text
from store import Request, Session
from store.records import Termination

OF_TURNS = 30
"""Confidence in how a program's session ended, from its last turn: its own transcript goes on to the end."""
_JUST_BEFORE = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class _Program:
    names: tuple[str, ...]
    """Under which OpenClaw knows it: as a backend, a harness or a provider."""
    provider: str
    """Whose models it calls, and at whose prices."""


_CLAUDE_CODE = _Program(("claude-cli",), "anthropic")
_CODEX = _Program(("codex", "codex-cli"), "openai")
_PROGRAMS = (_CLAUDE_CODE, _CODEX)
_OF_BACKENDS = ("cli", "claude-cli")
"""What stands for the wire protocol in the message of a turn that a command line program ran."""
_OF_CODEX = ("openai-codex-responses", "openai-chatgpt-responses")
"""The harness writes them, and so does OpenClaw where it calls such a model itself."""
_OPENAI = ("openai", "openai-codex")


@dataclass(frozen=True, slots=True)
class Binding:
    """What is known of the programs that ran the turns of one session."""

    harness: str | None = None
    sessions: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Name of a program -> its session."""
    cause: Cause = UNKNOWN
    """What started OpenClaw's session, and so what its turns are for."""

    def joined(self, other: "Binding") -> "Binding":
        """Of what both say, this holds."""
        cause = max(self.cause, other.cause, key=lambda cause: cause.confidence)
        return Binding(self.harness or other.harness, {**other.sessions, **self.sessions}, cause)

    def session_of(self, message: Object) -> str | None:
        """The program's session that ran the turn of this message; None where OpenClaw made the call, or none knows."""
        provider = (text(message, "provider") or "").lower()
        program = self._program(provider, text(message, "api") or "", message)
        names = () if program is None else (provider, *program.names)
        return next((self.sessions[name] for name in names if name in self.sessions), None)

    def _program(self, provider: str, api: str, message: Object) -> _Program | None:
        for program in _PROGRAMS:
            if provider in program.names or (api in _OF_BACKENDS and provider == program.provider):
                return program
        # A provider's id of an answer is that of one call, and a turn has several.
        is_turn = api in _OF_CODEX and provider in _OPENAI and text(message, "responseId") is None
        is_bound = self.harness is None or self.harness.lower() in _CODEX.names
        return _CODEX if is_turn and is_bound else None


class _Entry(Protocol):
    @property
    def session_id(self) -> str: ...
    @property
    def binding(self) -> Binding: ...
    @property
    def cause(self) -> Cause: ...


Bindings = Mapping[str, Binding]
"""OpenClaw's session -> its programs."""
UNBOUND: Bindings = MappingProxyType({})


def bindings_of(entries: Iterable[_Entry]) -> dict[str, Binding]:
    """Several entries may be about one session; the first one that names a program's session holds."""
    found: dict[str, Binding] = {}
    for entry in entries:
        said = replace(entry.binding, cause=entry.cause)
        known = found.get(entry.session_id)
        found[entry.session_id] = said if known is None else known.joined(said)
    return found


def read_binding(entry: Object, agent: str) -> Binding:
    """Of a store entry, which had three forms for it; the latest form says most. Raises `FieldError`."""
    sessions: dict[str, str] = {}
    if (oldest := text(entry, "claudeCliSessionId")) is not None:
        sessions["claude-cli"] = unique_id(oldest, agent)
    ids, bindings = object_in(entry, "cliSessionIds") or {}, object_in(entry, "cliSessionBindings") or {}
    for program in _PROGRAMS:
        for name in program.names:
            bound = object_in(bindings, name) or {}
            if (named := text(bound, "sessionId") or text(ids, name)) is not None:
                sessions[name] = unique_id(named, agent)
    return Binding(text(entry, "agentHarnessId"), sessions)


def read_codex_binding(document: bytes, agent: str) -> Binding:
    """Of `<transcript>.codex-app-server.json`. Raises `FieldError`."""
    thread = text(parse(document), "threadId")
    if thread is None:
        raise FieldError("threadId is missing; it is the session of Codex that runs the turns of this transcript")
    return Binding(sessions={_CODEX.names[0]: unique_id(thread, agent)})


def provider_behind(provider: str | None) -> str | None:
    """Whose models the program calls, where the provider that is written is a program."""
    programs = (program for program in _PROGRAMS if provider is not None and provider.lower() in program.names)
    return next((program.provider for program in programs), provider)


@dataclass(slots=True)
class _Run:
    """What the turns of one session of a program tell about it."""

    first_at: datetime | None
    last_at: datetime | None
    model: str | None
    how: Termination | None


class Turns:
    """The turns in one transcript that other programs ran."""

    def __init__(self, bindings: Bindings) -> None:
        self._bindings = bindings
        self._runs: dict[str, _Run] = {}

    def take(self, call: Request, message: Object, owner: Owner, how: Termination | None) -> Request:
        """The message's call as it counts: as it is, or as a total of the session that really made the calls."""
        binding = self._bindings.get(owner.session_id)
        session_id = binding.session_of(message) if binding is not None else None
        if session_id is None or session_id == owner.session_id:
            return call
        run = self._runs.setdefault(session_id, _Run(call.started_at, None, None, None))
        run.last_at, run.model, run.how = call.ended_at, call.model or run.model, how
        return replace(
            call,
            scope="session",
            session_id=session_id,
            provider=provider_behind(call.provider),
            # An earlier load may have known of no binding: then this record takes the call from OpenClaw's session.
            owner_started_at=call.owner_started_at - _JUST_BEFORE if call.owner_started_at else None,
        )

    def sessions(self, owner: Owner, now: datetime, *, is_archive: bool) -> Iterator[Session]:
        """Evidence about the programs' sessions; where they tell it themselves, their own holds."""
        cause = self._bindings[owner.session_id].cause if self._runs else UNKNOWN
        for session_id, run in self._runs.items():
            yield Session(
                session_id=session_id,
                source=SOURCE,
                agent=owner.agent,
                parent_session_id=owner.session_id,
                trigger=cause.trigger if cause.confidence else None,
                trigger_rule=cause.rule if cause.confidence else None,
                trigger_confidence=cause.confidence,
                model=run.model,
                started_at=run.first_at,
            )
            yield _state(session_id, run, now, is_archive=is_archive)


def _state(session_id: str, run: _Run, now: datetime, *, is_archive: bool) -> Session:
    """Apart from the rest, because of this alone the later evidence is the better one."""
    is_over = is_archive or (run.last_at is not None and now - run.last_at >= QUIET_AFTER)
    return Session(
        session_id=session_id,
        source=SOURCE,
        observed_at=run.last_at,
        ended_at=run.last_at if is_over else None,
        termination=(run.how or "unknown") if is_over else None,
        termination_rule="transcript of OpenClaw: its last turn" if is_over else None,
        termination_confidence=OF_TURNS if is_over and run.how else 0,
        is_running=not is_over,
    )
