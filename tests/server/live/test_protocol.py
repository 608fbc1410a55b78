"""graphql-transport-ws as values: what comes in, and what is to be done."""

import pytest

from server.live.protocol import (
    Close,
    Init,
    Overfull,
    Protocol,
    Say,
    Step,
    Stop,
    Subscribe,
    closing,
    next_message,
)

INIT = '{"type":"connection_init"}'
QUERY = {"query": "subscription { dataVersion }"}
SUBSCRIBE = '{"type":"subscribe","id":"1","payload":{"query":"subscription { dataVersion }"}}'
NO_MESSAGE = Close(4400, "a message is a JSON object whose type is one of graphql-transport-ws")
NO_PAYLOAD = Close(4400, "the payload of connection_init is a JSON object, or left out")
NO_SUBSCRIBE = Close(4400, "subscribe has an id of 1 to 128 characters and a payload")


def acknowledged(most: int = 2) -> Protocol:
    protocol = Protocol(most)
    protocol.received(INIT)
    assert protocol.acknowledge() == '{"type":"connection_ack"}'
    return protocol


@pytest.mark.parametrize(
    ("text", "step"),
    [
        (INIT, Init({})),
        ('{"type":"connection_init","payload":{"token":"x"}}', Init({"token": "x"})),
        ('{"type":"connection_init","payload":null}', Init({})),
        ('{"type":"ping"}', Say('{"type":"pong"}')),
        ('{"type":"ping","payload":{"a":1}}', Say('{"type":"pong"}')),
        ('{"type":"pong"}', None),
        ('{"type":"complete","id":"1"}', None),
        (SUBSCRIBE, Close(4401, "Unauthorized: nothing is answered before connection_ack")),
        ('{"type":"connection_init","payload":"x"}', NO_PAYLOAD),
        ('{"type":"ping","payload":1}', Close(4400, "the payload of ping is a JSON object, or left out")),
        ('{"type":"complete"}', Close(4400, "complete has the id of a subscription")),
        ('{"type":"complete","id":7}', Close(4400, "complete has the id of a subscription")),
        (None, NO_MESSAGE),
        ("", NO_MESSAGE),
        ("{", NO_MESSAGE),
        ("[]", NO_MESSAGE),
        ("null", NO_MESSAGE),
        ('"connection_init"', NO_MESSAGE),
        ("{}", NO_MESSAGE),
        ('{"type":"start"}', NO_MESSAGE),
        ('{"type":"next","id":"1"}', NO_MESSAGE),
        ('{"type":["ping"]}', NO_MESSAGE),
    ],
)  # fmt: skip
def test_the_first_message_of_a_connection(text: str | None, step: Step) -> None:
    assert Protocol(2).received(text) == step


@pytest.mark.parametrize(
    ("text", "step"),
    [
        (SUBSCRIBE, Subscribe("1", QUERY)),
        (INIT, Close(4429, "Too many initialisation requests")),
        ('{"type":"subscribe","id":"1"}', NO_SUBSCRIBE),
        ('{"type":"subscribe","id":"1","payload":[]}', NO_SUBSCRIBE),
        ('{"type":"subscribe","id":"","payload":{}}', NO_SUBSCRIBE),
        ('{"type":"subscribe","id":1,"payload":{}}', NO_SUBSCRIBE),
        ('{"type":"subscribe","payload":{}}', NO_SUBSCRIBE),
        ('{"type":"subscribe","id":"%s","payload":{}}' % ("x" * 129), NO_SUBSCRIBE),
    ],
)
def test_a_message_after_the_acknowledgement(text: str, step: Step) -> None:
    assert acknowledged().received(text) == step


def test_a_second_init_is_too_many_even_before_the_first_is_acknowledged() -> None:
    protocol = Protocol(2)
    protocol.received(INIT)
    assert protocol.received(INIT) == Close(4429, "Too many initialisation requests")


def test_an_id_is_taken_until_its_operation_ends() -> None:
    protocol = acknowledged()
    protocol.received(SUBSCRIBE)
    assert protocol.received(SUBSCRIBE) == Close(4409, "Subscriber for 1 already exists")
    assert protocol.received('{"type":"complete","id":"1"}') == Stop("1")
    assert protocol.received('{"type":"complete","id":"1"}') is None
    assert protocol.received(SUBSCRIBE) == Subscribe("1", QUERY)


def test_one_operation_too_many_is_refused_and_the_others_go_on() -> None:
    protocol = acknowledged(most=1)
    protocol.received(SUBSCRIBE)
    assert protocol.received(SUBSCRIBE.replace('"id":"1"', '"id":"2"')) == Overfull("2")
    assert protocol.active == {"1"}


def test_an_id_is_written_as_json_whatever_is_in_it() -> None:
    assert next_message('a"\\', b'{"data":null}') == '{"id":"a\\"\\\\","type":"next","payload":{"data":null}}'


def test_a_reason_fits_into_the_frame_that_closes_and_no_letter_is_cut() -> None:
    assert closing(4403, "ä" * 100) == Close(4403, "ä" * 61)
