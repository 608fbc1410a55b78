"""The second port takes what is sent and nothing else; where another program has it, that is told loudly."""

import logging
import socket

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from server.intake.other_port import OtherPort, listening_too

PORT = 4318
SENT = ("/v1/traces", "/v1/metrics", "/v1/logs", "/v1/calls", "/v1/payloads", "/health/live", "/health/ready")
ASKED = ("/", "/graphql", "/metrics", "/loads", "/v1/traces/", "/v1/")


async def _told(request: Request) -> Response:
    return PlainTextResponse("taken")


APP = Starlette(
    routes=[Route("/{path:path}", _told, methods=["GET", "POST"])], middleware=[Middleware(OtherPort, port=PORT)]
)


@pytest.mark.parametrize("path", SENT)
def test_what_is_sent_is_taken_on_both_ports(path: str) -> None:
    for port in (PORT, 8321):
        assert TestClient(APP, f"http://localhost:{port}").post(path).text == "taken"


@pytest.mark.parametrize("path", ASKED)
def test_questions_are_for_the_main_port(path: str) -> None:
    refused = TestClient(APP, f"http://localhost:{PORT}").get(path)
    assert refused.status_code == 404
    assert refused.text == f"this port takes {', '.join(SENT[:5])}; ask on the main one\n"
    assert TestClient(APP, "http://localhost:8321").get(path).text == "taken"


def test_a_port_that_another_program_has_is_told_loudly(caplog: pytest.LogCaptureFixture) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with caplog.at_level(logging.ERROR), listening_too("127.0.0.1", port, 8321) as listener:
            assert listener is None
    assert caplog.messages[0].startswith(f"OTLP is NOT taken on port {port}: Address already in use")


def test_no_port_is_taken_where_none_is_to_be(caplog: pytest.LogCaptureFixture) -> None:
    for port, main in ((0, 8321), (8321, 8321)):
        with listening_too("127.0.0.1", port, main) as listener:
            assert listener is None
    assert not caplog.messages
