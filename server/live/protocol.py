"""graphql-transport-ws, the server's side, as values: a message comes in, and what is to be done comes out.

It knows no socket. The protocol is that of the npm package graphql-ws, PROTOCOL.md of its repository; the codes with
which a connection is closed are the protocol's, those below 4000 are of RFC 6455.
"""

from dataclasses import dataclass, field
from typing import TypeAlias

import orjson

SUBPROTOCOL = "graphql-transport-ws"
MOST_ID_CHARACTERS = 128

NORMAL, GOING_AWAY, TRY_LATER = 1000, 1001, 1013
INVALID, UNAUTHORIZED, FORBIDDEN, INIT_TIMEOUT, DUPLICATE, TOO_MANY_INITS = 4400, 4401, 4403, 4408, 4409, 4429
MOST_REASON_BYTES = 123
"""What fits into a frame that closes."""


@dataclass(frozen=True, slots=True)
class Init:
    """Who is there is to be found out; then `Protocol.acknowledge`."""

    payload: dict[str, object]


@dataclass(frozen=True, slots=True)
class Subscribe:
    id: str
    fields: dict[str, object]
    """As in the body of a POST; not looked at yet."""


@dataclass(frozen=True, slots=True)
class Overfull:
    """One operation more than a connection may have; the others go on."""

    id: str


@dataclass(frozen=True, slots=True)
class Stop:
    id: str


@dataclass(frozen=True, slots=True)
class Say:
    text: str


@dataclass(frozen=True, slots=True)
class Close:
    code: int
    reason: str


Step: TypeAlias = Init | Subscribe | Overfull | Stop | Say | Close | None


@dataclass
class Protocol:
    """What has been said on one connection so far."""

    most: int
    """Operations at a time."""
    active: set[str] = field(default_factory=set)
    _is_initialised: bool = False
    _is_acknowledged: bool = False

    def received(self, text: str | None) -> Step:
        """None for a message that is not text."""
        message = _read(text)
        match message.get("type"):
            case "connection_init":
                return self._init(message)
            case "ping":
                return _if_payload(message, Say('{"type":"pong"}'))
            case "pong":
                return _if_payload(message, None)
            case "subscribe":
                return self._subscribe(message)
            case "complete":
                return self._complete(message)
        return Close(INVALID, "a message is a JSON object whose type is one of graphql-transport-ws")

    def acknowledge(self) -> str:
        self._is_acknowledged = True
        return '{"type":"connection_ack"}'

    def end(self, id_: str) -> bool:
        """Whether the client still waits for that operation; from now on it does not."""
        if id_ not in self.active:
            return False
        self.active.discard(id_)
        return True

    def _init(self, message: dict[str, object]) -> Step:
        if self._is_initialised:
            return Close(TOO_MANY_INITS, "Too many initialisation requests")
        self._is_initialised = True
        payload = message.get("payload")
        return _if_payload(message, Init(payload if isinstance(payload, dict) else {}))

    def _subscribe(self, message: dict[str, object]) -> Step:
        id_, fields = message.get("id"), message.get("payload")
        if not self._is_acknowledged:
            return Close(UNAUTHORIZED, "Unauthorized: nothing is answered before connection_ack")
        if not _is_id(id_) or not isinstance(fields, dict):
            return Close(INVALID, f"subscribe has an id of 1 to {MOST_ID_CHARACTERS} characters and a payload")
        assert isinstance(id_, str)
        if id_ in self.active:
            return Close(DUPLICATE, f"Subscriber for {id_} already exists")
        if len(self.active) >= self.most:
            return Overfull(id_)
        self.active.add(id_)
        return Subscribe(id_, fields)

    def _complete(self, message: dict[str, object]) -> Step:
        id_ = message.get("id")
        if not isinstance(id_, str) or not _is_id(id_):
            return Close(INVALID, "complete has the id of a subscription")
        return Stop(id_) if self.end(id_) else None


def next_message(id_: str, content: bytes) -> str:
    """`content` is a response that is JSON already."""
    return f'{{"id":{_json(id_)},"type":"next","payload":{content.decode()}}}'


def error_message(id_: str, errors: list[dict[str, object]]) -> str:
    return f'{{"id":{_json(id_)},"type":"error","payload":{_json(errors)}}}'


def complete_message(id_: str) -> str:
    return f'{{"id":{_json(id_)},"type":"complete"}}'


def closing(code: int, reason: str) -> Close:
    """With as much of the reason as fits."""
    return Close(code, reason.encode()[:MOST_REASON_BYTES].decode(errors="ignore"))


def _read(text: str | None) -> dict[str, object]:
    """An object without a type where it is none."""
    try:
        message = orjson.loads(text or "")
    except orjson.JSONDecodeError:
        return {}
    return message if isinstance(message, dict) else {}


def _if_payload(message: dict[str, object], step: Step) -> Step:
    """Of messages whose payload may be left out and is an object else."""
    if isinstance(message.get("payload"), dict | None):
        return step
    return Close(INVALID, f"the payload of {message['type']} is a JSON object, or left out")


def _is_id(id_: object) -> bool:
    return isinstance(id_, str) and 0 < len(id_) <= MOST_ID_CHARACTERS


def _json(value: object) -> str:
    return orjson.dumps(value).decode()
