"""A call from its head to its line in the spool: what is one, when it counts, and what is written of it."""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from secrets import token_hex
from typing import Literal

import orjson

from loaders.openclaw.calls import names_of_answer
from loaders.openclaw.values import Object, text
from server.proxy.attribution import Attribution
from server.proxy.once import Once
from server.proxy.reading import Seen, Unknown
from server.proxy.upstreams import Upstream

How = Literal["whole", "aborted", "cut"]
"""The answer came whole; the client left before; the upstream broke off, or said nothing."""

_MODEL_PATHS = re.compile(
    r"(?:/(?:chat/completions|completions|responses|messages|embeddings|rerank|generate"
    r"|images/(?:generations|edits|variations)|audio/(?:speech|transcriptions|translations))"
    r"|:(?:generateContent|streamGenerateContent|embedContent|batchEmbedContents|predict|rawPredict|streamRawPredict))/?$"
)
_MODEL_IN_PATH = re.compile(r"/models/([^/:]{1,200}):")
_TIMED_OUT = frozenset({408, 499, 504, 524})
"""Of a call that ended so nobody knows what was served; any other refusal is not charged."""
_LONGEST_ID = 200
_ID = re.compile(r"[\x21-\x7e]+")


def is_model_path(method: str, path: str) -> bool:
    """Whether a model is asked; lists of models, files and counts of tokens go through and are no calls."""
    return method == "POST" and _MODEL_PATHS.search(path) is not None


@dataclass(slots=True)
class Call:
    upstream: Upstream
    attribution: Attribution
    path: str
    is_model_call: bool
    is_posted: bool
    reads_session_of_body: bool = False
    """OpenRouter's field, where no header of ours names the session."""
    at: datetime = field(default_factory=lambda: datetime.now(UTC))
    call_id: str = field(default_factory=lambda: token_hex(12))
    requested_model: str | None = None
    status: int | None = None
    """Of the answer; None while there is none."""
    client_request_id: str | None = None
    request_id: str | None = None
    """The provider's, from the headers of the answer."""
    is_recorded: bool = False
    how: How | None = None
    """None while it goes on, and where no provider has served it."""

    @property
    def counts(self) -> bool:
        """Whether it may have been charged."""
        return self.status is None or 200 <= self.status < 300 or self.status in _TIMED_OUT

    @property
    def is_untagged(self) -> bool:
        return self.attribution.session_id is None

    def answered(self, status: int, headers: dict[bytes, bytes]) -> None:
        self.status = status
        said = headers.get(b"request-id") or headers.get(b"x-request-id")
        request_id = None if said is None else said.decode("latin-1")
        if request_id is not None and len(request_id) <= _LONGEST_ID and _ID.fullmatch(request_id):
            # What the client had chosen itself it may choose again.
            self.request_id = None if request_id == self.client_request_id else request_id

    def line(self, seen: Seen, how: How, once: Once) -> bytes:
        """With a line feed at its end; `loaders/calls.py` reads it."""
        response = seen.response if self.status is None or self.status < 300 else None
        said = {
            "call": self.call_id,
            "upstream": self.upstream.name,
            "provider": self.upstream.provider,
            "session_id": self.attribution.session_id,
            "agent": self.attribution.agent,
            "at": self.at,
            "ended_at": datetime.now(UTC),
            "model": self.requested_model or self.model_of_path(),
            "status": self._status(seen, how),
            "http_status": self.status,
            "usage_unknown": seen.unknown,
            "response": response,
            "identities": self._identities(response, once, is_served=self._status(seen, how) is None),
        }
        kept = {name: value for name, value in said.items() if value is not None or name == "response"}
        return orjson.dumps(kept, default=_exact, option=orjson.OPT_APPEND_NEWLINE)

    def _status(self, seen: Seen, how: How) -> str | None:
        if how == "aborted":
            return "aborted"
        is_failed = how == "cut" or seen.is_error or (self.status is not None and self.status >= 300)
        return "error" if is_failed else None

    def model_of_path(self) -> str | None:
        found = _MODEL_IN_PATH.search(self.path)
        return found[1] if found else None

    def _identities(self, response: Object | None, once: Once, *, is_served: bool) -> list[str]:
        """A span stays where a client tries again. It is of the try that was served, not of one that may be charged."""
        names = [f"call:{self.call_id}"]
        answer = response or {}
        response_id = text(answer, "id") or text(answer, "responseId")
        # Some gateways give one id to every answer; it is of the first, and tells of no other.
        names += filter(once.is_first, names_of_answer(response_id))
        span = self.attribution.span if is_served else None
        for kind, value in (("request-id", self.request_id), ("span", span)):
            if value is not None and once.is_first(f"{kind}:{value}"):
                names.append(f"{kind}:{value}")
        return names


def nothing_seen(why: Unknown) -> Seen:
    return Seen(None, why)


def _exact(value: object) -> object:
    """Money as it came: every digit, as a JSON number."""
    if isinstance(value, Decimal):
        return orjson.Fragment(format(value, "f"))
    raise TypeError(f"{type(value).__name__} is not written")
