"""Alerts as signed JSON to one's own receiver."""

from collections.abc import Iterator
from decimal import Decimal

import pytest

from server.alerts.channel import UntoldError
from server.alerts.webhook import Webhook
from server.budgets.standing_json import standing_json, standing_of
from tests.server.alerts.boxes import NOON, alert, standing
from tests.server.alerts.receivers import Answer, Receiver, is_signed, webhook


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with webhook() as served:
        yield served


def test_an_alert_is_json_with_exact_money(receiver: Receiver) -> None:
    Webhook(receiver.url, lambda: NOON).tell(alert())
    (body,) = receiver.messages.values()
    assert body == {
        "alert_id": "daily/2026-02-20/1",
        "kind": "THRESHOLD",
        "threshold": "1",
        "at": "2026-02-20T12:00:00Z",
        "text": "Clawback: budget daily has reached its limit: $5.25 of $5.00 (105 %) in 2026-02-20."
        " Requests are stopped until 2026-02-21T00:00:00Z.",
        "standing": {
            "budget_id": "daily",
            "scope": "global",
            "member": None,
            "window": "2026-02-20",
            "starts_at": "2026-02-20T00:00:00Z",
            "ends_at": "2026-02-21T00:00:00Z",
            "limit_usd": "5",
            "spent_usd": "5.25",
            "unpriced_requests": 0,
            "held_usd": "0",
            "state": "OPEN",
            "blocks": True,
            "projected_usd": None,
            "projected_breach_at": None,
        },
    }


@pytest.mark.parametrize(
    ("secret", "key"), [("a secret of ours", b"a secret of ours"), ("whsec_AAECAwQ=", bytes(range(5)))]
)
def test_the_receiver_can_tell_who_sent_it(receiver: Receiver, secret: str, key: bytes) -> None:
    Webhook(receiver.url, lambda: NOON, secret).tell(alert())
    (request,) = receiver.requests
    assert is_signed(request, receiver.last_body, key)
    assert not is_signed(request, receiver.last_body + b" ", key)
    assert not is_signed(request, receiver.last_body, b"another")
    assert request[2]["webhook-timestamp"] == "1771588800"


def test_an_alert_that_is_sent_again_has_the_same_id(receiver: Receiver) -> None:
    receiver.answers.append(Answer(503, is_taken=True))
    hook = Webhook(receiver.url, lambda: NOON, "secret")
    with pytest.raises(UntoldError, match="answered 503"):
        hook.tell(alert())
    hook.tell(alert())
    assert (receiver.takes, len(receiver.messages)) == (2, 1)


def test_a_redirect_is_not_followed(receiver: Receiver) -> None:
    receiver.answers.append(Answer(307, b"", {"Location": f"{receiver.url}/elsewhere"}))
    with pytest.raises(UntoldError, match="redirects are not followed") as caught:
        Webhook(receiver.url, lambda: NOON).tell(alert())
    assert caught.value.is_lasting
    assert len(receiver.requests) == 1


@pytest.mark.parametrize(
    ("answer", "pause_s", "is_lasting"),
    [
        (Answer(500), None, False),
        (Answer(429, b"", {"Retry-After": "60"}), 60.0, False),
        (Answer(404), None, True),
        (Answer(410), None, True),
    ],
)
def test_whether_to_try_again_soon_follows_from_the_status(
    receiver: Receiver, answer: Answer, pause_s: float | None, is_lasting: bool
) -> None:
    receiver.answers.append(answer)
    with pytest.raises(UntoldError) as caught:
        Webhook(receiver.url, lambda: NOON).tell(alert())
    assert (caught.value.pause_s, caught.value.is_lasting) == (pause_s, is_lasting)


def test_the_address_is_as_secret_as_the_secret(receiver: Receiver) -> None:
    hook = Webhook(f"{receiver.url}/hook-of-T0PSECRET", lambda: NOON, "the signing secret")
    assert "T0PSECRET" not in repr(hook)
    assert "signing" not in repr(hook)


def test_a_standing_is_read_back_as_it_was() -> None:
    there = standing(projected_usd=Decimal("8.20"), projected_breach_at=NOON, member=None)
    assert standing_of(standing_json(there)) == there
