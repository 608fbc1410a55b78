"""The log: every line in one form, no secret in it, and none that somebody else has made."""

import asyncio
import io
import json
import logging
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from server.telemetry.exchange import CURRENT, Exchange
from server.telemetry.logs import Form, logging_to
from server.telemetry.redaction import Redactor

KNOWN = "correct horse battery staple"
JWT = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJyb3V0ZXIifQ.c2lnbmF0dXJl"
SECRETS = [
    ("Authorization: Bearer s3cr3t-0123456789", "s3cr3t-0123456789"),
    ("headers were [(b'authorization', b'Bearer s3cr3t-0123456789')]", "s3cr3t-0123456789"),
    ("{'Authorization': 'Basic czNjcjN0OjEyMw=='}", "czNjcjN0OjEyMw=="),
    ("sent with bearer abcdef0123456789", "abcdef0123456789"),
    ("GET https://robert:hunter2-hunter2@host.example/x", "hunter2-hunter2"),
    ("GET https://robert:p@ss:w@rd@host.example/x", "p@ss:w@rd"),
    ("https://hooks.example/x?token=t0k3n-t0k3n&page=2", "t0k3n-t0k3n"),
    ("https://hooks.example/x?access_token=t0k3n-t0k3n", "t0k3n-t0k3n"),
    ('{"password": "two words"}', "two words"),
    ("{'api_key': 'two, words'}", "two, words"),
    ("(b'x-api-key', b'0123456789')", "0123456789"),
    ("X-Api-Key: 0123456789", "0123456789"),
    ("AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI", "wJalrXUtnFEMI"),
    ("Set-Cookie: session=0123456789; Path=/", "session=0123456789"),
    (f"got {JWT} from a client", "eyJzdWIiOiJyb3V0ZXIifQ"),
    ("key sk-ant-api03-0123456789abcdef", "0123456789abcdef"),
    ("ghp_0123456789abcdefghij", "0123456789abcdefghij"),
    ("whsec_0123456789abcdefghij", "0123456789abcdefghij"),
    ("-----BEGIN RSA PRIVATE KEY-----\nMIIEow\nabc\n-----END RSA PRIVATE KEY-----", "MIIEow"),
    ("-----BEGIN PRIVATE KEY-----\nMIIEow and then it breaks off", "MIIEow"),
    (f"the value {KNOWN} of a setting", KNOWN),
]
HARMLESS = [
    "cost_per_session of 3 tokens: input_tokens=10, output_tokens: 5",
    "GET /graphql answered 200 in 3 ms",
    "write to robert@example.org; see https://example.org/docs#basic",
    "a bearer of bad news, basic needs",
]


@contextmanager
def log(form: Form = "json", level: str = "info") -> Iterator[io.StringIO]:
    stream = io.StringIO()
    with logging_to(stream, form, level, Redactor([KNOWN])):
        yield stream


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


@pytest.mark.parametrize(("text", "secret"), SECRETS)
def test_a_secret_is_blackened_whatever_wrote_it(text: str, secret: str) -> None:
    for form in ("json", "text"):
        with log(form) as stream:
            logging.getLogger("clawback").warning(text)
            logging.getLogger("anybody.else").error("it was %s", text)
            logging.getLogger("uvicorn.error").error("Invalid HTTP request received: %r", text)
            logging.getLogger("a").info("here", extra={"facts": {"operation": text}})
            try:
                raise ValueError(text)
            except ValueError:
                logging.getLogger("server").exception("a failure")
        written = stream.getvalue()
        assert len(written.splitlines()) >= 5
        assert "***" in written
        assert secret not in written
        assert json.dumps(secret)[1:-1] not in written


@pytest.mark.parametrize("text", HARMLESS)
def test_what_is_no_secret_stays(text: str) -> None:
    assert Redactor([KNOWN]).clean(text) == text


def test_a_redactor_takes_time_that_grows_with_the_text_and_does_not_show_what_it_hides() -> None:
    redactor = Redactor([KNOWN, "short"])
    for bomb in (
        "a_" * 30_000,
        "://" * 20_000,
        "token" * 12_000,
        "-----BEGIN " * 5_000,
        'password="' + "\\" * 50_000,
        "eyJaaaaa-" * 6_000,
    ):
        redactor.clean(bomb)
    assert KNOWN not in repr(redactor)
    assert redactor.clean("short") == "short"


def test_a_death_of_a_thread_and_a_warning_are_lines_like_any_other() -> None:
    def die() -> None:
        raise RuntimeError(f"password={KNOWN}")

    with log() as stream:
        thread = threading.Thread(target=die, name="loader")
        thread.start()
        thread.join()
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            warnings.warn_explicit(f"token={KNOWN}", UserWarning, "x.py", 1)
    died, warned = lines(stream)
    assert (died["level"], died["message"]) == ("critical", "loader died")
    assert "RuntimeError" in died["exception"]
    assert warned["logger"] == "py.warnings"
    assert KNOWN not in stream.getvalue()


@pytest.mark.parametrize("form", ["json", "text"])
def test_nobody_can_make_a_line_of_his_own(form: Form) -> None:
    odd = "x\n2026-03-10 ERROR forged\r\x1b[2J\x00\u2028\u202e\x85\ud800"
    with log(form) as stream:
        logging.getLogger("a").info(odd)
        logging.getLogger("b").info("one", extra={"facts": {"operation": odd}})
    written = stream.getvalue()
    assert len(written.split("\n")) == 3
    assert [c for c in written if not c.isprintable() and c != "\n"] == []


def test_a_traceback_in_text_is_indented_so_that_none_of_its_lines_passes_for_an_event() -> None:
    with log("text") as stream:
        try:
            raise ValueError("first\n2026-03-10 CRITICAL forged")
        except ValueError:
            logging.getLogger("a").exception("it failed")
    head, *rest = stream.getvalue().splitlines()
    assert head.endswith("ERROR    a: it failed")
    assert rest
    assert all(line.startswith("    ") for line in rest)


def test_a_line_has_the_request_that_it_belongs_to() -> None:
    with log() as stream:
        token = CURRENT.set(Exchange("router-17"))
        logging.getLogger("server.x").warning("late")
        CURRENT.reset(token)
        logging.getLogger("server.x").warning("later")
    first, second = lines(stream)
    assert first.pop("time").endswith("+00:00")
    assert first == {"level": "warning", "logger": "server.x", "message": "late", "request_id": "router-17"}
    assert "request_id" not in second


def test_arguments_that_do_not_fit_are_told_without_them() -> None:
    with log() as stream:
        logging.getLogger("a").error("%d of %s", KNOWN)
    assert [line["message"] for line in lines(stream)] == ["%d of %s (its arguments do not fit)"]


def test_a_log_that_cannot_be_written_harms_nobody(capsys: pytest.CaptureFixture[str]) -> None:
    with log() as stream:
        stream.close()
        logging.getLogger("a").error(KNOWN)
    assert KNOWN not in "".join(capsys.readouterr())


def test_a_long_text_is_cut_after_its_secrets_are_gone() -> None:
    with log() as stream:
        logging.getLogger("a").error("x" * 15_990 + KNOWN + "y" * 100_000)
    (line,) = lines(stream)
    assert len(line["message"]) == 16_000
    assert "correct" not in line["message"]


def test_libraries_that_tell_of_every_request_are_quiet_and_lines_are_counted() -> None:
    counted: list[str] = []
    count: Callable[[str], None] = counted.append
    stream = io.StringIO()
    with logging_to(stream, "json", "info", Redactor(), count):
        logging.getLogger("httpx2").info("HTTP Request: POST https://hooks.example/secret")
        logging.getLogger("uvicorn.error").info("Started server process")
        logging.getLogger("asyncio").debug("Using selector")
        logging.getLogger("opentelemetry.exporter").error("gone")
        for _ in range(50):
            logging.getLogger("opentelemetry.exporter").error("gone")
    assert counted == ["error", "error"]
    logging.getLogger("a").error("after the block this is not ours")
    assert len(counted) == 2


def test_what_asyncio_says_of_a_lost_error_is_clean_too() -> None:
    async def lose() -> None:
        asyncio.get_running_loop().call_exception_handler({"message": f"Bearer {JWT}", "exception": ValueError(KNOWN)})

    with log() as stream:
        asyncio.run(lose())
    assert "ValueError" in stream.getvalue()
    assert KNOWN not in stream.getvalue()
    assert JWT not in stream.getvalue()
