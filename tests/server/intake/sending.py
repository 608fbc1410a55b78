"""Bodies that agents, collectors and the proxy send, and a server that takes them."""

import gzip
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

import orjson
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from semantic import Catalog
from server.access.bearer import digest_of, new_token
from server.access.gate import Gate
from server.access.given import GivenTokens
from server.access.principal import OPERATOR
from server.app import create_app
from server.connections import bounded_http
from server.intake.intake import Intake
from server.intake.making import intake_of
from server.settings import Settings
from store import Store
from store.tokens import NewToken, Tokens
from tests.serving import running

PATIENCE_S = 40.0
OPENER = build_opener(ProxyHandler({}))
Json = dict[str, Any]


def clock() -> datetime:
    return datetime.now(UTC)


def span(number: int, session: str = "s1", agent: str = "scout", **attributes: Any) -> Json:
    """A call to a model of 1,000 + `number` tokens in and 100 out, that ended now."""
    now = time.time_ns()
    stated = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "anthropic",
        "gen_ai.request.model": "claude-haiku-4-5",
        "gen_ai.response.id": f"msg_01SyntheticAnswer{number:06d}",
        "gen_ai.conversation.id": session,
        "gen_ai.agent.name": agent,
        "gen_ai.usage.input_tokens": 1_000 + number,
        "gen_ai.usage.output_tokens": 100,
    } | attributes
    return {
        "traceId": f"{number + 1:032x}",
        "spanId": f"{number + 1:016x}",
        "name": "chat claude-haiku-4-5",
        "kind": 3,
        "startTimeUnixNano": str(now - 2_000_000_000),
        "endTimeUnixNano": str(now - 1_000_000_000),
        "attributes": [{"key": key, "value": _value(value)} for key, value in stated.items()],
    }


def traces(spans: Sequence[Json]) -> bytes:
    """The JSON of an export request."""
    return orjson.dumps({"resourceSpans": [{"scopeSpans": [{"spans": list(spans)}]}]})


def as_protobuf(body: bytes) -> bytes:
    """The same as a Collector writes it: the ids are bytes there."""
    request = ExportTraceServiceRequest()
    for stated in orjson.loads(body)["resourceSpans"][0]["scopeSpans"][0]["spans"]:
        made = (
            request.resource_spans.add()
            .scope_spans.add()
            .spans.add(
                trace_id=bytes.fromhex(stated["traceId"]),
                span_id=bytes.fromhex(stated["spanId"]),
                name=stated["name"],
                kind=stated["kind"],
                start_time_unix_nano=int(stated["startTimeUnixNano"]),
                end_time_unix_nano=int(stated["endTimeUnixNano"]),
            )
        )
        for attribute in stated["attributes"]:
            value = attribute["value"]
            is_number = "intValue" in value
            given = {"int_value": int(value["intValue"])} if is_number else {"string_value": value["stringValue"]}
            made.attributes.add(key=attribute["key"], value=given)
    return request.SerializeToString()


def call_line(number: int, session: str = "s1", agent: str = "scout") -> bytes:
    """What the proxy writes of a call."""
    line = {
        "provider": "anthropic",
        "call": f"c{number}",
        "session_id": session,
        "agent": agent,
        "at": clock().isoformat(),
        "identities": [f"call:c{number}", f"response:msg_01SyntheticAnswer{number:06d}"],
        "response": {
            "id": f"msg_01SyntheticAnswer{number:06d}",
            "type": "message",
            "model": "claude-haiku-4-5",
            "usage": {"input_tokens": 1_000 + number, "output_tokens": 100},
        },
    }
    return orjson.dumps(line) + b"\n"


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Json:
        found: Json = orjson.loads(self.body)
        return found


@dataclass(frozen=True)
class Here:
    """A server with an intake."""

    url: str
    store: Store
    intake: Intake
    tokens: Tokens

    def send(self, path: str, body: bytes, kind: str = "application/json", token: str = "", **headers: str) -> Answer:
        stated = {"Content-Type": kind, **{name.replace("_", "-"): value for name, value in headers.items()}}
        if token:
            stated["Authorization"] = f"Bearer {token}"
        return sent(f"{self.url}{path}", body, stated)

    def packed(self, path: str, body: bytes, kind: str = "application/json") -> Answer:
        return self.send(path, gzip.compress(body, 1), kind, Content_Encoding="gzip")

    def ask(self, query: str, token: str = "") -> Json:
        answer = self.send("/graphql", orjson.dumps({"query": query}), token=token).json
        assert "errors" not in answer, answer
        data: Json = answer["data"]
        return data

    def count(self, sql: str) -> int:
        ((count,),) = self.store.read(sql).rows
        return int(str(count))

    def token(self, *roles: str, **claims: Any) -> str:
        """A new one; known to the server once it has looked."""
        made, number = new_token(), len(self.tokens.all())
        self.tokens.add(
            NewToken(
                token_id=f"{number:08x}",
                name=f"t{number}",
                digest=digest_of(made),
                roles=frozenset(roles),
                claims=claims,
                created_at=clock(),
                expires_at=None,
            )
        )
        until(
            lambda: self.send("/v1/calls", b"", "application/x-ndjson", made).status in (200, 403), "the token is known"
        )
        return made

    def await_stored(self) -> None:
        until(lambda: not self.intake.spool.bodies(), "everything that was sent is stored")


@contextmanager
def here(catalog: Catalog, directory: Path, **settings: Any) -> Iterator[Here]:
    """A server in this process; its reader is one of its own."""
    stated = Settings(store=directory / "store.duckdb", otlp_port=0, **settings)
    with (
        Store.open(stated.store) as store,
        Tokens.beside(stated.store) as tokens,
        Tokens.beside(stated.store) as given,  # as another process gives them out
    ):
        intake = intake_of(stated, store, clock)
        gate = Gate(OPERATOR, tokens=GivenTokens(tokens, clock), is_opened=True)
        app = create_app(store, catalog, stated, clock, gate=gate, intake=intake)
        with running(app, bounded_http(stated)) as url:
            yield Here(url, store, intake, given)


def sent(url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
    try:
        with OPENER.open(Request(url, body, dict(headers)), timeout=PATIENCE_S) as response:
            return Answer(response.status, dict(response.headers), response.read())
    except HTTPError as error:
        with error:
            return Answer(error.code, dict(error.headers), error.read())


def until(found: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not found():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def _value(value: object) -> Json:
    return {"intValue": str(value)} if isinstance(value, int) else {"stringValue": str(value)}
