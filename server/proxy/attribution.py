"""Whose call it is: what the client's headers, or OpenRouter's field in the body, say of session, agent and span."""

import re
from collections import OrderedDict
from dataclasses import dataclass, field, replace

from loaders.openclaw.values import MAX_TEXT, FieldError, Object, text
from server.proxy.headers import Headers

_SESSION = (b"x-openclaw-session-id", b"x-clawback-session-id")
_AGENT = (b"x-openclaw-agent-id", b"x-clawback-agent-id")
_TRIGGER = (b"x-openclaw-trigger", b"x-clawback-trigger")
_OF_OPENROUTER = (b"x-session-id",)
_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}(?:-.*)?")


class AttributionError(ValueError):
    """A header that cannot say whose call it is; the message says what would be right."""


@dataclass(frozen=True, slots=True)
class Attribution:
    session_id: str | None = None
    agent: str | None = None
    trigger: str | None = None
    """What started the session, where the client says it: budgets may exempt some."""
    span: str | None = None
    """`<trace id>/<span id>`"""


def attribution_of(headers: Headers, provider: str) -> Attribution:
    """Raises `AttributionError`."""
    session_id = _said(headers, _SESSION)
    if session_id is None and provider == "openrouter":
        session_id = _said(headers, _OF_OPENROUTER)
    traceparent = _said(headers, (b"traceparent",))
    found = _TRACEPARENT.fullmatch(traceparent.lower()) if traceparent else None
    span = f"{found[1]}/{found[2]}" if found else None
    return Attribution(session_id, _said(headers, _AGENT), _said(headers, _TRIGGER), span)


def has_own_session(headers: Headers) -> bool:
    """Whether a header of ours names the session, which says more than any other field."""
    return _said(headers, _SESSION) is not None


def with_session_of(body: Object, attribution: Attribution) -> Attribution:
    """OpenRouter takes the session of the body before that of its header. Raises `AttributionError`."""
    try:
        session_id = text(body, "session_id")
    except FieldError as error:
        raise AttributionError(str(error)) from error
    return attribution if session_id is None else replace(attribution, session_id=session_id)


@dataclass(slots=True)
class Once:
    """Names that were given to a call. A second call with the same one does not get it.

    A client may send one span, or one request id, with many calls, and records that share a name are taken for records
    of one call. So only the first call has it. Bounded; what is forgotten was long ago.
    """

    most: int = 200_000
    _given: OrderedDict[str, None] = field(default_factory=OrderedDict)

    def is_first(self, name: str) -> bool:
        if name in self._given:
            self._given.move_to_end(name)
            return False
        self._given[name] = None
        if len(self._given) > self.most:
            self._given.popitem(last=False)
        return True


def _said(headers: Headers, names: tuple[bytes, ...]) -> str | None:
    said = {value.strip() for name, value in headers if name in names and value.strip()}
    shown = names[0].decode()
    if len(said) > 1:
        raise AttributionError(f"{shown} is given with several values; a call has one")
    if not said:
        return None
    try:
        value = said.pop().decode("utf-8")
    except UnicodeDecodeError:
        raise AttributionError(f"{shown} must be UTF-8 text") from None
    if len(value) > MAX_TEXT:
        raise AttributionError(f"{shown} must be at most {MAX_TEXT} characters")
    return value
