"""What is too much, too slow, in a wrong form or another's is refused in words, and costs nobody else anything."""

import gzip
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit

import orjson
import pytest

from semantic import Catalog
from tests.server.intake.sending import Here, as_protobuf, call_line, here, span, traces, until

MIB = 2**20
NDJSON = "application/x-ndjson"
PROTOBUF = "application/x-protobuf"


@pytest.fixture(scope="module")
def server(catalog: Catalog, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Here]:
    limits = {"intake_body_mb": 4, "intake_timeout_ms": 700, "intake_at_once": 3, "spool_mb": 8}
    with here(catalog, tmp_path_factory.mktemp("hostile"), **limits) as found:
        yield found


def rss_kb() -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))


def arriving(server: Here) -> list[Path]:
    return list((server.intake.spool.directory / "arriving").iterdir())


def raw(server: Here) -> socket.socket:
    url = urlsplit(server.url)
    return socket.create_connection((url.hostname or "", url.port or 0), timeout=60)


def head(path: str, length: int, *more: str) -> bytes:
    lines = (f"POST {path} HTTP/1.1", "Host: localhost", "Content-Type: application/json", f"Content-Length: {length}")
    return "\r\n".join([*lines, *more, "", ""]).encode()


def test_a_body_of_100_mb_is_refused_before_it_is_read(server: Here) -> None:
    with raw(server) as client:
        client.sendall(head("/v1/traces", 100 * MIB))
        told = client.recv(65_536)
    assert told.startswith(b"HTTP/1.1 413 ")
    assert orjson.loads(told.partition(b"\r\n\r\n")[2]) == {
        "code": 8,
        "message": "the body has more than 4,194,304 bytes, unpacked; send smaller batches",
    }


def test_a_gzip_bomb_is_found_out_at_the_limit_and_takes_no_memory(server: Here) -> None:
    bomb = gzip.compress(bytes(1024 * MIB // 8), 9)
    assert len(bomb) < 200_000
    before = rss_kb()
    answers = [server.send("/v1/traces", bomb, Content_Encoding="gzip") for _ in range(5)]
    assert {answer.status for answer in answers} == {413}
    assert rss_kb() - before < 64_000
    assert not arriving(server)
    assert server.intake.spool.size == 0


def test_a_body_without_a_length_is_refused_at_the_limit(server: Here) -> None:
    with raw(server) as client:
        client.sendall(head("/v1/logs", 0).replace(b"Content-Length: 0", b"Transfer-Encoding: chunked"))
        try:
            for _ in range(100):
                client.sendall(b"10000\r\n" + bytes(0x10000) + b"\r\n")
        except OSError:
            """It hangs up."""
        assert client.recv(65_536).startswith(b"HTTP/1.1 413 ")


def test_a_slow_body_is_told_to_come_again_and_holds_up_nobody(server: Here) -> None:
    with raw(server) as slow:
        slow.sendall(head("/v1/traces", 1_000) + b"{")
        assert server.send("/v1/traces", traces([span(1)])).status == 200
        told = slow.recv(65_536)
    assert told.startswith(b"HTTP/1.1 503 ")
    assert b"retry-after: 1" in told.lower()


def test_more_bodies_than_may_arrive_at_once_are_told_to_come_again(server: Here) -> None:
    slow = [raw(server) for _ in range(3)]
    for client in slow:
        client.sendall(head("/v1/traces", 1_000) + b"{")
    refused = None
    while refused is None or refused.status == 200:  # until all three have begun to arrive
        refused = server.send("/v1/traces", b"{}")
    assert (refused.status, refused.headers["retry-after"]) == (503, "1")
    for client in slow:
        client.recv(65_536)
        client.close()
    assert server.send("/v1/traces", b"{}").status == 200


def test_who_leaves_in_the_middle_leaves_nothing(server: Here) -> None:
    with raw(server) as client:
        client.sendall(head("/v1/traces", 1_000_000) + bytes(400_000))
    until(lambda: not arriving(server), "what had arrived is gone")
    until(lambda: server.intake.spool.size == 0, "its room is free again")


@pytest.mark.parametrize(
    ("path", "kind", "packing", "body", "status", "words"),
    [
        ("/v1/traces", "text/plain", "", b"{}", 415, "OTLP is sent as application/x-protobuf or application/json"),
        ("/v1/traces", "application/json", "br", b"{}", 415, "packed as 'br'"),
        ("/v1/traces", "application/json", "gzip", b"{}", 400, "says that it is gzip and is not"),
        ("/v1/traces", "application/json", "gzip", gzip.compress(b"{}")[:-5], 400, "in the middle of its gzip"),
        ("/v1/traces", "application/json", "", b"{", 400, ""),
        ("/v1/traces", "application/json", "", b"[]", 400, ""),
        ("/v1/calls", "text/csv", "", b"", 415, "calls are sent as application/x-ndjson"),
    ],
    ids=["text", "brotli", "no gzip", "half a gzip", "half a json", "a list", "csv"],
)
def test_a_wrong_form_is_refused_with_what_would_be_right(
    server: Here, path: str, kind: str, packing: str, body: bytes, status: int, words: str
) -> None:
    answer = server.send(path, body, kind, **({"Content_Encoding": packing} if packing else {}))
    assert answer.status == status
    assert words in answer.json["message"]
    assert server.intake.spool.size == 0


def test_an_error_is_told_in_protobuf_to_whoever_speaks_it(server: Here) -> None:
    answer = server.send("/v1/traces", b"\xff\xff\xff", PROTOBUF)
    assert (answer.status, answer.headers["content-type"]) == (400, PROTOBUF)
    # google.rpc.Status: code = 3, and a message.
    assert answer.body.startswith(b"\x08\x03\x12")


def test_a_spool_that_is_full_sends_away_and_takes_again_when_there_is_room(server: Here) -> None:
    held = [server.intake.spool.begin() for _ in range(2)]
    for each in held:
        each.write(bytes(4 * MIB - 100))
    refused = server.send("/v1/traces", traces([span(2)]))
    assert (refused.status, refused.headers["retry-after"]) == (503, "5")
    assert "8,388,608 bytes" in refused.json["message"]
    for each in held:
        each.drop()
    assert server.send("/v1/traces", traces([span(2)])).status == 200


def test_without_a_token_with_the_role_nothing_is_taken(server: Here) -> None:
    viewer = server.token("dashboard")
    refused = server.send("/v1/traces", b"{}", token=viewer)
    assert refused.status == 403
    assert "needs the role `ingest`" in refused.json["message"]
    assert server.send("/v1/traces", b"{}", token=server.token("ingest")).status == 200
    unknown = server.send("/v1/traces", b"{}", token="clawback_nothing")
    assert unknown.status in (401, 429)  # 429 after many
    assert unknown.json["code"] in (16, 8)
    assert "clawback_nothing" not in unknown.body.decode()


def test_anothers_session_is_rejected_and_nothing_of_it_is_stored(server: Here) -> None:
    bound = server.token("ingest", sessions=("tenant-a:*",))
    body = traces([span(50, "tenant-a:1"), span(51, "tenant-b:1"), span(52, "")])
    partial = server.send("/v1/traces", body, token=bound).json["partialSuccess"]
    assert partial["rejectedSpans"] == "2"
    assert (
        "the session 'tenant-b:1' is another's: this token is bound to the sessions tenant-a:*"
        in partial["errorMessage"]
    )
    server.await_stored()
    assert server.count("SELECT count(*) FROM requests WHERE session_id = 'tenant-b:1'") == 0
    assert server.count("SELECT count(*) FROM requests WHERE session_id = 'tenant-a:1'") == 1


def test_a_line_that_cannot_be_read_says_nothing_of_anothers_session(server: Here) -> None:
    bound = server.token("ingest", agents=("scout",))
    line = orjson.dumps({"session_id": "somebody's", "provider": 7}) + b"\n"
    assert len(server.send("/v1/calls", call_line(60, "scout's", "scout") + line, NDJSON).json["rejected"]) == 1
    server.await_stored()
    assert server.count("SELECT count(*) FROM rejected_rows WHERE session_id = 'somebody''s'") == 1
    assert len(server.send("/v1/calls", call_line(61, "somebody's", "main"), NDJSON).json["rejected"]) == 0
    server.await_stored()
    assert len(server.send("/v1/calls", line.replace(b"7", b"8"), NDJSON, bound).json["rejected"]) == 1
    server.await_stored()
    assert server.count("SELECT count(*) FROM rejected_rows WHERE session_id = 'somebody''s'") == 1


def test_an_agents_token_states_its_own_sessions_and_new_ones(server: Here) -> None:
    assert server.send("/v1/traces", traces([span(70, "of-main", "main")])).status == 200
    bound = server.token("ingest", agents=("scout",))
    told = server.send("/v1/traces", traces([span(71, "of-main", "scout"), span(72, "new", "scout")]), token=bound)
    assert told.json["partialSuccess"]["rejectedSpans"] == "1"
    assert "the session 'of-main' is another's" in told.json["partialSuccess"]["errorMessage"]
    again = server.send("/v1/traces", traces([span(73, "new", "scout"), span(74, "new", "main")]), token=bound)
    assert "the agent 'main' is another's" in again.json["partialSuccess"]["errorMessage"]


def test_questions_are_answered_while_much_arrives(server: Here) -> None:
    body = as_protobuf(traces([span(n, f"s{n % 9}") for n in range(1_000, 1_200)]))
    statuses: list[int] = []

    def sending() -> None:
        while time.monotonic() < until_s:
            statuses.append(server.packed("/v1/traces", body, PROTOBUF).status)

    until_s = time.monotonic() + 0.7
    senders = [Thread(target=sending) for _ in range(2)]
    for sender in senders:
        sender.start()
    asked = 0
    while any(sender.is_alive() for sender in senders):
        server.ask("{ metrics { totals { requests } } }")
        asked += 1
    assert asked > 0
    assert set(statuses) <= {200, 503}
    assert 200 in statuses
    server.await_stored()
