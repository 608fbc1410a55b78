"""The command line beside a server: a store that is served is asked there, and no other server ever is."""

import json
import os
import signal
import socket
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.request import ProxyHandler, build_opener

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from server.cli.notice import Server, announced, server_of
from store import Store
from tests.server.conftest import Run, served
from tests.serving import running


def test_a_store_that_another_process_holds_is_named_with_what_to_do(loaded: Run, tmp_path: Path) -> None:
    hold = "import duckdb, sys; held = duckdb.connect(sys.argv[1]); print('open', flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", hold, str(tmp_path / "store.duckdb")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"open\n"
        shown = loaded("query", "sessions")
        assert holder.stdin is not None
        holder.stdin.close()
    assert shown.code == 1
    assert str(holder.pid) in shown.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("cost_per_session", "roi", "sessions", "--by", "agent", "--by", "model"),
        ("sessions", "--by", "task_result", "--where", "task_result in ('success', 'failure') and not agent = 'x'"),
        ("session_cost", "--where", "model is null or model like 'b%'", "--order", "session_cost:desc"),
        ("burn_rate", "cash", "runway_months", "depletion_date", "--as-of", "2026-03-01"),
        ("sessions", "--grain", "day", "--since", "2026-03-01", "--until", "2026-03-03", "--zone", "Asia/Kolkata"),
        ("sessions", "--grain", "hour", "--since", "2026-03-01T00:00:00Z", "--until", "2026-03-01T03:00:00Z"),
        ("sessions", "roi", "--by", "model", "--having", "sessions >= 2 and (roi > 0.5 or roi is null)"),
        ("session_cost", "--by", "agent", "--having", "session_cost > 0.05 and not session_cost in (0.75)"),
        ("sessions", "--by", "time.year", "--by", "agent", "--where", "time.weekday in (1, 2, 3) or time.hour is null"),
        ("charged_cost", "--grain", "quarter", "--range", "2026", "--as-of", "2026-03-01"),
    ],
)
def test_a_store_that_a_server_owns_is_asked_through_the_server(loaded: Run, tmp_path: Path, arguments: Any) -> None:
    asked = ("query", *arguments, "--format", "json")
    alone = loaded(*asked)
    assert alone.code == 0
    with served(tmp_path / "store.duckdb"):
        through = loaded(*asked)
        refused = loaded("query", "sessions", "--limit", "1000000")
    assert (through.code, through.out) == (0, alone.out)
    assert (refused.code, "10,000" in refused.err) == (1, True)
    assert list(tmp_path.glob("*.server")) == []


OWN = """
calendar: {grains: {sprint: {every: 2 weeks, from: 2026-01-05}}}
models:
  sessions:
    source: session_facts
    key: session_id
    time: started_at
    dimensions:
      agent: string
      model: string
      began: {type: timestamp, sql: "coalesce(started_at, cast('2026-03-01 10:00:00' as timestamp))"}
      class: {type: enum, values: [productive, failed, idle, pending, unknown]}
filters:
  of_main: {model: sessions, where: agent = 'main'}
  big: {model: sessions, where: model = 'big'}
metrics:
  sessions: {count: sessions}
  a_model: {max: sessions.model, unit: text}
  share: {metric: sessions, share: {within: all}}
"""


@pytest.mark.parametrize(
    "arguments",
    [
        ("sessions", "--filter", "of_main", "--filter", "big"),
        ("sessions", "a_model", "--by", "agent", "--having", "a_model = 'small' or sessions > 2"),
        ("share", "--by", "agent", "--having", "share > 0.3"),
        ("sessions", "--by", "began", "--where", "began >= '2026-03-01T10:00:00Z'"),
        ("sessions", "--by", "class", "--where", "class in ('productive', 'failed')"),
        ("sessions", "--grain", "sprint", "--range", "2026-03", "--as-of", "2026-03-20"),
    ],
)
def test_what_a_file_names_is_asked_through_the_server_as_well(
    loaded: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: Any
) -> None:
    own = tmp_path / "own.yaml"
    own.write_text(OWN)
    monkeypatch.setenv("CLAWBACK_METRICS", str(own))
    asked = ("query", *arguments, "--format", "json")
    alone = loaded(*asked)
    assert (alone.code, alone.err) == (0, "")
    with served(tmp_path / "store.duckdb", own):
        assert loaded(*asked) == alone


def test_a_question_that_the_file_refuses_is_refused_in_its_words(loaded: Run, tmp_path: Path) -> None:
    asked = ("query", "sessions", "--by", "modle", "--having", "rio > 1")
    alone = loaded(*asked)
    with served(tmp_path / "store.duckdb"):
        assert loaded(*asked) == alone
    assert alone.code == 1


def test_nobody_is_asked_as_through_a_server(loaded: Run, tmp_path: Path) -> None:
    with served(tmp_path / "store.duckdb") as url:
        shown = loaded("query", "sessions", "--role", "staff")
    assert shown.code == 1
    assert f"is served at {url}, which answers everybody as its own settings say" in shown.err


def test_a_question_to_a_server_of_this_machine_passes_by_every_proxy(
    loaded: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with served(tmp_path / "store.duckdb"):
        shown = loaded("query", "sessions", "--format", "csv")
    assert (shown.code, shown.out) == (0, "sessions,sessions_status\n4,OK\n")


def stand_in(token: str, status: int, body: bytes) -> Starlette:
    """A server that calls itself `token` and gives one answer to every question."""

    async def ready(request: Request) -> Response:
        return JSONResponse({"server": token})

    async def answer(request: Request) -> Response:
        return Response(body, status)

    return Starlette(routes=[Route("/health/ready", ready), Route("/graphql", answer, methods=["POST"])])


@pytest.mark.parametrize(
    ("status", "body", "message"),
    [
        (200, b"<html>hello</html>", "answers with something other than JSON: b'<html>hello</html>'"),
        (502, b"Bad Gateway", "answers with something other than JSON: b'Bad Gateway'"),
        (200, b"\xff\xfe\xfd", "answers with something other than JSON"),
        (200, b"[]", "answers in another form"),
        (200, b"{}", "answers in another form"),
        (404, b'{"detail": "Not Found"}', "answers in another form"),
        (200, b'{"data": null}', "answers in another form"),
        (200, b'{"errors": ["no"]}', "answers in another form"),
        (200, b'{"data": {"metrics": {"rows": [{"session_cost": "much"}], "truncated": false}}}', "in another form"),
        (400, b'{"errors": [{"message": "ask later"}]}', "error: ask later"),
    ],
)
def test_an_odd_answer_of_the_server_is_one_line_and_a_failure(
    loaded: Run, tmp_path: Path, status: int, body: bytes, message: str
) -> None:
    path = tmp_path / "store.duckdb"
    with Store.open(path), running(stand_in("one", status, body)) as url, announced(path, url, "one"):
        shown = loaded("query", "session_cost")
    assert shown.code == 1
    assert shown.err.startswith("error: ")
    assert message in shown.err
    assert len(shown.err.splitlines()) == 1


def test_a_notice_that_a_killed_server_left_behind_sends_nobody_to_another_server(loaded: Run, tmp_path: Path) -> None:
    path, other = tmp_path / "store.duckdb", tmp_path / "other.duckdb"
    with Store.open(path), served(other) as url, announced(path, url, "the token of the killed one"):
        shown = loaded("query", "sessions")
        assert server_of(other) == Server(url, "the key")
        assert server_of(path) is None
    assert shown.code == 1
    assert shown.err.startswith(f"error: {path} is open already in this process (PID {os.getpid()})")


def test_a_notice_of_a_server_that_is_gone_leaves_the_reason_that_the_store_gives(loaded: Run, tmp_path: Path) -> None:
    path = tmp_path / "store.duckdb"
    with Store.open(path), socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
        free.close()
        with announced(path, f"http://127.0.0.1:{port}", "one"):
            shown = loaded("query", "sessions")
    assert shown.code == 1
    assert shown.err.startswith(f"error: {path} is open already in this process")


@pytest.mark.parametrize("text", ["", "[]", '{"url": "http://127.0.0.1:1"}', '{"url": "http://[", "server": "one"}'])
def test_a_notice_that_cannot_be_read_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "store.duckdb.server").write_text(text)
    assert server_of(tmp_path / "store.duckdb") is None


def test_a_notice_that_names_another_machine_is_none(tmp_path: Path) -> None:
    with announced(tmp_path / "store.duckdb", "http://192.0.2.1:8321", "one"):
        assert server_of(tmp_path / "store.duckdb") is None


def test_only_its_owner_can_read_a_notice_also_where_an_open_one_was_left(tmp_path: Path) -> None:
    notice = tmp_path / "store.duckdb.server"
    notice.write_text("left")
    notice.chmod(0o644)
    with announced(tmp_path / "store.duckdb", "http://127.0.0.1:8321", "one"):
        assert stat.S_IMODE(notice.stat().st_mode) == 0o600
        assert json.loads(notice.read_text()) == {"url": "http://127.0.0.1:8321", "server": "one", "key": ""}
    assert not notice.exists()


def has_version_6() -> bool:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


@pytest.mark.parametrize(("host", "written"), [("127.0.0.1", "127.0.0.1"), ("::1", "[::1]")])
def test_serve_announces_the_address_at_which_it_answers(tmp_path: Path, host: str, written: str) -> None:
    if host == "::1" and not has_version_6():
        pytest.skip("this machine has no loopback of version 6")
    environment = {**os.environ, "CLAWBACK_HOST": host, "CLAWBACK_STORE": str(tmp_path / "store.duckdb")}
    command = [sys.executable, "-c", "from server.cli import main; main()", "serve", "--port", "0"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().split()[2]
        try:
            with build_opener(ProxyHandler({})).open(f"{url}health/ready", timeout=20) as answer:
                status = answer.status
            found = server_of(tmp_path / "store.duckdb")
        finally:
            process.send_signal(signal.SIGINT)
    assert url.startswith(f"http://{written}:")
    assert not url.endswith(":0/")
    assert found is not None
    assert (status, found.url) == (200, url.removesuffix("/"))
    assert found.key not in repr(found)
    assert process.returncode == 0
    assert list(tmp_path.glob("*.server")) == []


def test_a_port_that_is_taken_is_told_in_one_line(run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        shown = run("serve", "--port", str(port))
    assert shown.code == 1
    (told,) = [line for line in shown.err.splitlines() if "OPEN" not in line]
    assert told.startswith("error: [Errno")
    assert f"('127.0.0.1', {port})" in told
