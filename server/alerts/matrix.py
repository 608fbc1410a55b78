"""Alerts into a Matrix room, by the client-server API (specification, version 3 of the paths).

The transaction id is made of the alert's own id: a homeserver takes a repetition for what it has already, so that an
alert whose answer was lost is one message. It is a text and not a notice, because most clients stay silent on notices;
and it mentions nobody, whatever stands in a name.
"""

import html
import json
from dataclasses import dataclass, field
from hashlib import sha256
from urllib.parse import quote

from finance.budgets import Alert
from server.alerts.channel import RefusedError, UntoldError
from server.alerts.post import PASSING, Reply, blackened, exchange
from server.alerts.words import sentence

_OF_THE_MESSAGE = frozenset({"M_TOO_LARGE", "M_BAD_JSON", "M_NOT_JSON", "M_DUPLICATE_ANNOTATION", "M_INVALID_PARAM"})
_OF_THE_ACCOUNT = frozenset({401, 403, 404})


@dataclass(slots=True)
class Matrix:
    """A room of a homeserver; `room` is an id (!abc:example.org) or an alias (#ops:example.org)."""

    url: str
    room: str
    token: str = field(repr=False)
    whole_s: float = 20.0
    _room_id: str | None = field(default=None, init=False)

    @property
    def name(self) -> str:
        return f"matrix {self.room}"

    @property
    def is_for_people(self) -> bool:
        return True

    def tell(self, alert: Alert) -> None:
        """Raises `RefusedError` where the homeserver does not want this message, `UntoldError` where it wants none."""
        room = quote(self._room(), safe="")
        transaction = sha256(alert.alert_id.encode("utf-8", "surrogatepass")).hexdigest()
        body = json.dumps(_message(alert)).encode()
        reply = self._ask("PUT", f"rooms/{room}/send/m.room.message/clawback-{transaction}", body)
        if not isinstance(_read(reply).get("event_id"), str):
            raise UntoldError("the homeserver answered without an event id; is the address that of a homeserver?")

    def _room(self) -> str:
        """The id of the room, which an alias leads to."""
        if not self.room.startswith("#"):
            return self.room
        if self._room_id is None:
            found = _read(self._ask("GET", f"directory/room/{quote(self.room, safe='')}", None)).get("room_id")
            if not isinstance(found, str) or not found.startswith("!"):
                raise UntoldError(f"the homeserver gives no room for the alias {self.room}", is_lasting=True)
            self._room_id = found
        return self._room_id

    def _ask(self, method: str, path: str, body: bytes | None) -> Reply:
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        url = f"{self.url.rstrip('/')}/_matrix/client/v3/{path}"
        reply = exchange(method, url, headers=headers, body=body, secrets=(self.token,), whole_s=self.whole_s)
        if reply.status == 200:
            return reply
        raise self._problem(reply)

    def _problem(self, reply: Reply) -> UntoldError:
        said = _read(reply)
        code = str(said.get("errcode", ""))
        told = blackened(f"{code} {said.get('error', '')}".strip(), (self.token,))
        reason = f"the homeserver answered {reply.status}{f': {told}' if told else ''}"
        if reply.status == 429 or code == "M_LIMIT_EXCEEDED":
            return UntoldError(reason, pause_s=_pause_s(said, reply))
        if reply.status in _OF_THE_ACCOUNT:
            self._room_id = None  # an alias may lead to another room by now
            return UntoldError(f"{reason}; is the token valid, and its user in the room {self.room}?", is_lasting=True)
        if reply.status == 413 or code in _OF_THE_MESSAGE:
            return RefusedError(reason, is_lasting=True)
        return UntoldError(reason, pause_s=reply.pause_s(), is_lasting=reply.status not in PASSING)


def _message(alert: Alert) -> dict[str, object]:
    text = sentence(alert)
    return {
        "msgtype": "m.text",
        "body": text,
        "format": "org.matrix.custom.html",
        "formatted_body": f"<strong>{_title(alert)}</strong><br>{html.escape(text)}",
        "m.mentions": {},
    }


def _title(alert: Alert) -> str:
    if alert.kind == "RECOVERED":
        return "Within budget again"
    return "Budget reached" if alert.standing.state == "OPEN" else "Budget warning"


def _read(reply: Reply) -> dict[str, object]:
    try:
        said = json.loads(reply.body)
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def _pause_s(said: dict[str, object], reply: Reply) -> float | None:
    """The header is the current way to ask for a pause, `retry_after_ms` the one before it."""
    stated = said.get("retry_after_ms")
    if isinstance(stated, int | float) and not isinstance(stated, bool) and 0 <= stated < 1e12:
        return max(stated / 1000, reply.pause_s() or 0)
    return reply.pause_s()
