"""Alerts to a homeserver: one message whatever happens on the way, and errors that say what to do."""

from collections.abc import Iterator
from decimal import Decimal
from socket import create_server

import pytest

from server.alerts.channel import RefusedError, UntoldError
from server.alerts.matrix import Matrix
from tests.server.alerts.boxes import alert, closed, standing
from tests.server.alerts.receivers import ALIAS, ROOM, TOKEN, Answer, Receiver, homeserver, refusal


@pytest.fixture(scope="module")
def serving() -> Iterator[Receiver]:
    with homeserver() as receiver:
        yield receiver


@pytest.fixture
def server(serving: Receiver) -> Receiver:
    serving.answers.clear()
    serving.requests.clear()
    serving.messages.clear()
    serving.takes = 0
    return serving


def test_an_alert_is_a_message_that_notifies_and_mentions_nobody(server: Receiver) -> None:
    Matrix(server.url, ROOM, TOKEN).tell(alert())
    (message,) = server.messages.values()
    text = (
        "Clawback: budget daily has reached its limit: $5.25 of $5.00 (105 %) in 2026-02-20."
        " Requests are stopped until 2026-02-21T00:00:00Z."
    )
    assert message == {
        "msgtype": "m.text",
        "body": text,
        "format": "org.matrix.custom.html",
        "formatted_body": f"<strong>Budget reached</strong><br>{text}",
        "m.mentions": {},
    }


def test_an_alert_that_is_sent_again_is_one_message(server: Receiver) -> None:
    server.answers.append(Answer(500, is_taken=True))  # it was taken, and the answer was lost
    matrix = Matrix(server.url, ROOM, TOKEN)
    with pytest.raises(UntoldError, match="500"):
        matrix.tell(alert())
    matrix.tell(alert())
    Matrix(server.url, ROOM, TOKEN).tell(alert())
    assert (server.takes, len(server.messages)) == (3, 1)


def test_another_alert_is_another_message(server: Receiver) -> None:
    matrix = Matrix(server.url, ROOM, TOKEN)
    for alert_id in ("daily/2026-02-20/1", "daily/2026-02-21/1", "dai/ly?#..\n"):
        matrix.tell(alert(alert_id))
    assert len(server.messages) == 3


def test_an_alias_is_looked_up_once(server: Receiver) -> None:
    matrix = Matrix(server.url + "/", ALIAS, TOKEN)
    matrix.tell(alert("one"))
    matrix.tell(alert("two"))
    assert [method for method, _, _ in server.requests] == ["GET", "PUT", "PUT"]
    assert len(server.messages) == 2


def test_names_cannot_write_html_or_lines_of_their_own(server: Receiver) -> None:
    evil = standing(scope="agent", member="<b>x</b>\n@room \u202eevil" + "y" * 5000, budget_id="a\r\nb")
    Matrix(server.url, ROOM, TOKEN).tell(alert(standing=evil))
    (message,) = server.messages.values()
    assert "budget a\\r\\nb for agent '<b>x</b>\\n@room \\u202eevilyyy" in message["body"]
    assert "&lt;b&gt;x&lt;/b&gt;" in message["formatted_body"]
    assert "<b>" not in message["formatted_body"]
    assert len(message["body"]) < 500
    assert message["body"].isprintable()


def test_a_recovery_says_so(server: Receiver) -> None:
    Matrix(server.url, ROOM, TOKEN).tell(alert(kind="RECOVERED", threshold=None, standing=closed()))
    (message,) = server.messages.values()
    assert message["body"] == "Clawback: budget daily is within its limit again: $0.17 of $5.00 (3 %) in 2026-02-20."
    assert message["formatted_body"].startswith("<strong>Within budget again</strong>")


def test_a_warning_is_told_with_its_forecast_and_what_is_not_known(server: Receiver) -> None:
    near = closed(spent_usd=Decimal("4.1"), unpriced_requests=3, projected_usd=Decimal("8.2"))
    Matrix(server.url, ROOM, TOKEN).tell(alert(threshold=Decimal("0.8"), standing=near))
    (message,) = server.messages.values()
    assert message["body"] == (
        "Clawback: budget daily has reached 80 % of its limit: at least $4.10 of $5.00 (82 %) in 2026-02-20."
        " At this pace it ends at $8.20. 3 requests have no price."
    )


@pytest.mark.parametrize(
    ("answer", "pause_s"),
    [
        (refusal(429, "M_LIMIT_EXCEEDED", retry_after_ms=2500), 2.5),
        (Answer(429, b"", {"Retry-After": "7"}), 7.0),
        (Answer(429, b'{"retry_after_ms": 1000}', {"Retry-After": "7"}), 7.0),
        (refusal(429, "M_LIMIT_EXCEEDED", retry_after_ms="soon"), None),
        (refusal(429, "M_LIMIT_EXCEEDED", retry_after_ms=-5), None),
    ],
)
def test_the_pause_that_the_homeserver_asks_for_is_kept(
    server: Receiver, answer: Answer, pause_s: float | None
) -> None:
    server.answers.append(answer)
    with pytest.raises(UntoldError) as caught:
        Matrix(server.url, ROOM, TOKEN).tell(alert())
    assert (caught.value.pause_s, caught.value.is_lasting) == (pause_s, False)


@pytest.mark.parametrize(
    ("answer", "says", "is_lasting"),
    [
        (refusal(401, "M_UNKNOWN_TOKEN"), "401: M_UNKNOWN_TOKEN told so; is the token valid, and its user in", True),
        (refusal(403, "M_FORBIDDEN"), "403: M_FORBIDDEN", True),
        (refusal(400, "M_UNRECOGNIZED"), "400: M_UNRECOGNIZED", True),
        (Answer(502, b"<html>bad gateway</html>"), "answered 502$", False),
        (Answer(302, b"", {"Location": "https://elsewhere.example/"}), "answered 302", True),
        (Answer(200, b"hello"), "without an event id; is the address that of a homeserver", False),
        (Answer(200, b"[" * 60_000), "without an event id", False),
        (Answer(200, b"x" * 70_000), "over 65,536 bytes", False),
    ],
)
def test_an_error_says_what_it_is_and_whether_it_lasts(
    server: Receiver, answer: Answer, says: str, is_lasting: bool
) -> None:
    server.answers.append(answer)
    with pytest.raises(UntoldError, match=says) as caught:
        Matrix(server.url, ROOM, TOKEN).tell(alert())
    assert caught.value.is_lasting == is_lasting
    assert not isinstance(caught.value, RefusedError)


def test_a_message_that_is_not_wanted_is_told_from_a_room_that_is_not_open(server: Receiver) -> None:
    server.answers.append(refusal(413, "M_TOO_LARGE"))
    with pytest.raises(RefusedError, match="M_TOO_LARGE"):
        Matrix(server.url, ROOM, TOKEN).tell(alert())


def test_an_alias_of_no_room_is_told(server: Receiver) -> None:
    with pytest.raises(UntoldError, match=r"404: M_NOT_FOUND .* in the room #gone:example.org") as caught:
        Matrix(server.url, "#gone:example.org", TOKEN).tell(alert())
    assert caught.value.is_lasting


def test_no_message_repeats_the_token(server: Receiver) -> None:
    server.answers.append(refusal(403, "M_FORBIDDEN", error=f"the token {TOKEN} is bad\nline"))
    with pytest.raises(UntoldError) as caught:
        Matrix(server.url, ROOM, TOKEN).tell(alert())
    assert TOKEN not in str(caught.value)
    assert str(caught.value).isprintable()
    assert TOKEN not in repr(Matrix(server.url, ROOM, TOKEN))


def test_a_homeserver_that_is_down_is_told() -> None:
    with create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    with pytest.raises(UntoldError, match=r"no answer \(ConnectError") as caught:
        Matrix(url, ROOM, TOKEN).tell(alert())
    assert not caught.value.is_lasting


def test_a_homeserver_that_never_answers_is_given_up() -> None:
    with create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with pytest.raises(UntoldError, match="ReadTimeout"):
            Matrix(url, ROOM, TOKEN, whole_s=0.2).tell(alert())
