"""`/v1/payloads`: who may send what was in calls, in which form, how long it stays, and who may look at it."""

import gzip
import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from semantic import Catalog
from server.graphql import build_schema
from server.payloads import Forgetting
from store import Part, Payload, Store
from tests.server.conftest import Run, load_into, served
from tests.server.intake.sending import Answer, Here, call_line, clock, here, sent

NDJSON = "application/x-ndjson"
DAYS = timedelta(days=30)


@pytest.fixture(scope="module")
def server(catalog: Catalog, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Here]:
    with here(catalog, tmp_path_factory.mktemp("payloads"), payload_body_mb=1) as found:
        yield found


def line(call: str, session: str | None = "s1", agent: str | None = "scout", **changes: Any) -> bytes:
    at = clock()
    stated = {"call": call, "session_id": session, "agent": agent, "at": at.isoformat(), "ended": "whole"}
    parts = {"request": {"type": "application/json", "bytes": 2, "text": "{}"}, "answer": None}
    return json.dumps(stated | {"until": (at + DAYS).isoformat()} | parts | changes).encode() + b"\n"


def post(server: Here, body: bytes, token: str = "") -> Answer:
    return server.send("/v1/payloads", body, NDJSON, token)


def of(server: Here, call: str) -> list[Payload]:
    return server.store.payloads_of(call, now=clock(), days=30)


def payload(call: str, at: datetime, content: bytes = b"{}", days: int = 30) -> Payload:
    until = at + timedelta(days=days)
    return Payload(call_id=call, called_at=at, kept_until=until, ended="whole", request=Part("text/plain", 2, content))


def test_what_is_sent_twice_is_kept_once_and_as_it_was_told_first(server: Here) -> None:
    version = server.store.data_version()
    assert post(server, line("p1") + line("p1")).json == {"accepted": 2, "rejected": []}
    other = {"type": None, "bytes": 5, "text": "other"}
    packed = server.packed("/v1/payloads", line("p1", request=other), NDJSON)
    assert packed.json == {"accepted": 1, "rejected": []}
    assert [each.request.content for each in of(server, "p1")] == [b"{}"]
    assert server.store.data_version() == version


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"call": ""}, "call: String should have at least 1 character"),
        ({"at": "2026-01-01T00:00:00"}, "at: Input should have timezone info"),
        ({"ended": "soon"}, "ended: Input should be 'whole', 'aborted' or 'cut'"),
        ({"authorization": "sk-secret"}, "authorization: Extra inputs are not permitted"),
        ({"request": {"base64": "sk-secret!"}}, "base64 does not hold base64"),
        ({"request": {"text": "sk-secret", "bytes": 3}}, "bytes is less than what is there; it is the length of the"),
        ({"request": {"text": "sk-secret", "base64": ""}}, "a part has text or base64, not both"),
    ],
)
def test_a_line_that_is_wrong_is_rejected_without_its_words_and_the_others_are_kept(
    server: Here, changes: dict[str, Any], reason: str
) -> None:
    wrong = json.dumps(json.loads(line("wrong")) | changes).encode() + b"\n"
    said = post(server, wrong + line("right")).json
    (rejected,) = said["rejected"]
    assert (said["accepted"], rejected["line"]) == (1, 1)
    assert rejected["reason"].startswith(reason)
    assert "sk-secret" not in str(said)
    assert of(server, "wrong") == []


def test_what_is_no_json_is_rejected(server: Here) -> None:
    assert post(server, b"rubbish\n").json == {"accepted": 0, "rejected": [{"line": 1, "reason": "is not JSON"}]}


@pytest.mark.parametrize(
    ("body", "kind", "packing", "status", "words"),
    [
        (b"", "text/plain", "", 415, "payloads are sent as application/x-ndjson"),
        (b"{}", NDJSON, "br", 415, "packed as 'br'"),
        (b"{}", NDJSON, "gzip", 400, "says that it is gzip and is not"),
        (gzip.compress(b"{}")[:-5], NDJSON, "gzip", 400, "says that it is gzip and is not"),
        (gzip.compress(bytes(2**21)), NDJSON, "gzip", 413, "more than 1,048,576 bytes, unpacked"),
        (bytes(2**20 + 1), NDJSON, "", 413, "more than 1,048,576 bytes, unpacked"),
    ],
    ids=["text", "brotli", "no gzip", "half a gzip", "a bomb", "too large"],
)
def test_a_wrong_form_is_refused_with_what_would_be_right(
    server: Here, body: bytes, kind: str, packing: str, status: int, words: str
) -> None:
    answer = server.send("/v1/payloads", body, kind, **({"Content_Encoding": packing} if packing else {}))
    assert answer.status == status
    assert words in answer.json["message"]


def test_only_the_role_that_sends_may_send(server: Here) -> None:
    refused = post(server, line("not mine"), server.token("router", "dashboard", "finance"))
    assert (refused.status, of(server, "not mine")) == (403, [])
    assert "needs the role `ingest`" in refused.json["message"]


def test_no_question_and_so_no_role_reads_what_was_in_calls(catalog: Catalog, server: Here) -> None:
    assert "payload" not in build_schema(catalog).as_str().lower()  # as the operator has it: roles have parts of it
    assert server.store.columns("request_payloads") == server.store.columns("REQUEST_PAYLOADS") == {}


def test_a_bound_token_attaches_to_its_own_sessions_alone(server: Here) -> None:
    bound = server.token("ingest", sessions=("mine:*",))
    said = post(server, line("b1", "mine:1") + line("b2", "yours:1") + line("b3", None), bound).json
    assert (said["accepted"], [each["line"] for each in said["rejected"]]) == (1, [2, 3])
    assert "the session 'yours:1' is another's" in said["rejected"][0]["reason"]
    assert [len(of(server, call)) for call in ("b1", "b2", "b3")] == [1, 0, 0]


def test_a_bound_token_cannot_attach_to_anothers_call_by_stating_a_session_of_its_own(server: Here) -> None:
    assert server.send("/v1/calls", call_line(900, "theirs", "main"), NDJSON).status == 200
    server.await_stored()
    for claims in ({"sessions": ("mine:*",)}, {"agents": ("scout",)}):
        bound = server.token("ingest", **claims)
        said = post(server, line("c900", "mine:1", "scout"), bound).json
        assert said == {"accepted": 0, "rejected": [{"line": 1, "reason": "the call is another's"}]}
    assert of(server, "c900") == []
    assert post(server, line("c900", "theirs", "main"), server.token("ingest")).json["accepted"] == 1


def test_a_load_of_payloads_deletes_those_whose_days_are_over(server: Here) -> None:
    now = clock()
    old = [payload("old", now - DAYS - timedelta(hours=1)), payload("promised less", now - 2 * DAYS / 3, days=7)]
    server.store.keep_payloads(old, now=now - DAYS, days=30)
    assert server.count("SELECT count(*) FROM request_payloads WHERE call_id IN ('old', 'promised less')") == 2
    assert of(server, "old") == []  # not shown either
    late = line("late", at=(now - DAYS).isoformat())
    assert post(server, late).json == {"accepted": 1, "rejected": []}
    assert server.count("SELECT count(*) FROM request_payloads WHERE call_id IN ('old', 'promised less', 'late')") == 0


def test_what_a_clock_that_is_ahead_has_dated_is_deleted_when_the_days_of_the_server_are_over(server: Here) -> None:
    assert post(server, line("ahead", at="2099-01-01T00:00:00Z", until="2099-01-31T00:00:00Z")).json["accepted"] == 1
    (kept,) = of(server, "ahead")
    assert clock() < kept.kept_until <= clock() + DAYS
    server.store.forget_payloads(now=clock() + DAYS, days=30)
    assert of(server, "ahead") == []


def test_a_server_deletes_at_its_start_and_again_and_again(tmp_path: Path) -> None:
    hours, looked = [datetime.fromisoformat("2026-11-01T00:00Z")], Event()

    def at() -> datetime:
        looked.set()
        return hours[0]

    with Store.open(tmp_path / "store.duckdb") as store:
        later = hours[0] + timedelta(days=1)
        store.keep_payloads([payload("a", hours[0]), payload("b", later)], now=later, days=30)
        forgetting = Forgetting(store, at, 30, every_s=0.01)
        with forgetting.kept_going():
            for day, left in ((29, 2), (30, 1), (31, 0)):
                hours[0] = datetime.fromisoformat("2026-11-01T00:00Z") + timedelta(days=day)
                for _ in range(3):  # the second look began after the clock was set, and is over when the third begins
                    looked.clear()
                    assert looked.wait(20)
                ((count,),) = store.read("SELECT count(*) FROM request_payloads").rows
                assert count == left


def test_the_command_line_of_the_owner_shows_it_with_and_without_a_server(run: Run, tmp_path: Path) -> None:
    path, said = tmp_path / "store.duckdb", b'{"model":"m","input":"\x1b[31mred"}'
    now = clock()
    with Store.open(path) as store:
        load_into(store, ())
        whole = Part("application/json", len(said), said)
        cut = Part("text/event-stream", 900, "data: é".encode()[:-1])
        answered = payload("c1", now, said)
        shown = Payload(**{**_fields(answered), "request": whole, "answer": cut, "http_status": 200, "agent": "main"})
        store.keep_payloads([shown, payload("c2", now, b"\xff\xfe")], now=now, days=30)
    alone = run("payload", "call:c1")
    assert alone.code == 0
    assert "call:c1 at" in alone.out
    assert "agent main, status 200" in alone.out
    assert f"--- request (application/json, {len(said)} bytes)" in alone.out
    assert '"input":"\\x1b[31mred"' in alone.out
    assert "--- answer (text/event-stream, CUT: the first 7 of 900 bytes)\ndata: " in alone.out
    assert "no text; --only request writes it" in run("payload", "proxy:c2").out
    with served(path):
        assert run("payload", "call:c1") == alone
        assert run("payload", "c1", "--only", "request").out.encode() == said
        assert json.loads(run("payload", "c1", "--format", "json").out)["payloads"][0]["answer"]["isCut"] is True
        missing = run("payload", "nobody")
    assert missing.code == 1
    assert missing.err.startswith("error: nothing is kept of 'nobody': no call has this name")


def test_without_the_key_beside_the_store_nobody_is_shown_anything(run: Run, tmp_path: Path) -> None:
    with served(tmp_path / "store.duckdb") as url:
        for headers in ({}, {"Authorization": "Bearer another"}):
            assert sent(f"{url}/payloads", b'{"call":"c1"}', headers).status == 401
        right = {"Authorization": "Bearer the key"}
        assert sent(f"{url}/payloads", b'{"call":"c1"}', right).json == {"payloads": []}
        assert sent(f"{url}/payloads", b"[]", right).status == 400


def _fields(stated: Payload) -> dict[str, Any]:
    return {name: getattr(stated, name) for name in Payload.__dataclass_fields__}
