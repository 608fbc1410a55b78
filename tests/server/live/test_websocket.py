"""Subscriptions over real sockets: what is pushed when, who may listen, and with which code it ends."""

from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from semantic import Catalog, load_catalog
from server.access import OPERATOR, Principal
from server.live import Live, LiveLimits
from store import Store
from tests.server.live.conftest import QUICK, Keys, Talk, app_of, live_over, one_more_session, talk, until
from tests.server.test_access import FILE
from tests.serving import running

SESSIONS = 'subscription { metrics(where: {agent: {eq: "main"}}) { totals { sessions } dataVersion } }'
OPERATORS = {"token": "the operator's"}
INIT = ("connection_init", None, OPERATORS)
SUBSCRIBE = ("subscribe", "1", {"query": "subscription { dataVersion }"})
ROBERT = {"Authorization": "Bearer robert's"}


def known() -> Keys:
    return Keys({"the operator's": OPERATOR, "robert's": Principal("robert", frozenset({"finance"}))})


@contextmanager
def served(
    catalog: Catalog, store: Store, limits: LiveLimits = QUICK, **settings: Any
) -> Iterator[tuple[str, Live, Keys]]:
    live, keys = live_over(catalog, store, limits), known()
    with running(app_of(live, keys, **settings)) as url:
        yield url, live, keys


@pytest.fixture(scope="module")
def url(catalog: Catalog, store: Store) -> Iterator[str]:
    """Over a store that nobody loads into."""
    with served(catalog, store) as (url, _, _):
        yield url


def closed(client: Talk) -> tuple[int, str]:
    """With which code and reason; what is said before that is passed over."""
    with pytest.raises(ConnectionClosed) as raised:
        deque(iter(client.hear, None))
    assert raised.value.rcvd is not None
    return raised.value.rcvd.code, raised.value.rcvd.reason


def sessions(number: int, version: int) -> dict[str, Any]:
    return {"metrics": {"totals": {"sessions": number}, "dataVersion": version}}


def test_the_answer_comes_at_once_and_again_when_a_load_has_changed_it(catalog: Catalog, own_store: Store) -> None:
    with served(catalog, own_store) as (url, live, _), talk(url) as client:
        client.begin(OPERATORS)
        client.subscribe(SESSIONS)
        assert client.pushed() == sessions(2, 1)
        one_more_session(own_store, 1)
        assert client.pushed() == sessions(3, 2)
        client.say("complete", "1")
        client.subscribe("{ dataVersion }", "2")
        assert client.hear() == {"id": "2", "type": "next", "payload": {"data": {"dataVersion": 2}}}
        assert client.hear() == {"id": "2", "type": "complete"}
        assert live.feeds == 0


def test_an_answer_that_is_the_same_is_not_pushed_again(catalog: Catalog, own_store: Store) -> None:
    with served(catalog, own_store) as (url, live, _), talk(url) as client:
        client.begin(OPERATORS)
        client.subscribe(
            'subscription { metrics(where: {agent: {eq: "scout"}}) { asOf totals { sessions } } }', "scout"
        )
        client.subscribe("subscription { dataVersion }", "version")
        assert {client.hear()["id"], client.hear()["id"]} == {"scout", "version"}
        before = live.computed
        one_more_session(own_store, 1)
        assert client.hear() == {"id": "version", "type": "next", "payload": {"data": {"dataVersion": 2}}}
        until(lambda: live.computed == before + 2)
        client.say("ping")
        assert client.hear() == {"type": "pong"}


def test_two_connections_of_one_that_ask_the_same_are_answered_by_one_computation(
    catalog: Catalog, own_store: Store
) -> None:
    with served(catalog, own_store) as (url, live, _), talk(url) as one, talk(url) as other, talk(url) as third:
        one.begin(ROBERT)
        other.begin(ROBERT)
        third.begin(OPERATORS)
        for client in (one, other):
            client.subscribe(SESSIONS)
            assert client.pushed() == sessions(2, 1)
        assert (live.feeds, live.computed) == (1, 1)
        third.subscribe(SESSIONS)
        assert third.pushed() == sessions(2, 1)
        assert (live.feeds, live.computed) == (2, 2)
        one_more_session(own_store, 1)
        assert [client.pushed() for client in (one, other, third)] == [sessions(3, 2)] * 3
        assert live.computed == 4


def test_a_subscription_takes_variables_a_name_and_fragments(url: str) -> None:
    text = """
    query Other { dataVersion }
    subscription Main($agent: String) { ...Root }
    fragment Root on Subscription { ... on Subscription { m: metrics(where: {agent: {eq: $agent}}) { ...Totals } } }
    fragment Totals on Metrics { totals { sessions } }
    """
    with talk(url) as client:
        client.begin(OPERATORS)
        client.subscribe(text, operationName="Main", variables={"agent": "main"})
        assert client.pushed() == {"m": {"totals": {"sessions": 2}}}


@pytest.mark.parametrize(
    ("payload", "code", "message"),
    [
        ({"query": "subscription {"}, "SYNTAX_ERROR", "Syntax Error: Expected Name, found <EOF>."),
        ({"query": "subscription { zzzzz }"}, "INVALID_QUERY", "Cannot query field 'zzzzz' on type 'Subscription'."),
        (
            {"query": "subscription { dataVersion sources { name } }"},
            "INVALID_QUERY",
            "Anonymous Subscription must select only one top level field.",
        ),
        (
            {"query": 'mutation { setScore(sessionId: "s1", score: 0.5, scorer: "me") { score } }'},
            "BAD_REQUEST",
            "a mutation is sent by POST; neither a socket nor a stream of events takes one",
        ),
        ({"query": "subscription A { dataVersion } subscription B { dataVersion }"}, "BAD_REQUEST",
         "the document has several operations; name one of them in operationName"),
        ({"query": ""}, "BAD_REQUEST", "query is missing; it is the text of a GraphQL document"),
        ({"query": "{ dataVersion }", "variables": []}, "BAD_REQUEST",
         "variables and extensions are JSON objects, or left out"),
        ({"query": "subscription { " + "dataVersion " * 1_001 + "}"}, "SYNTAX_ERROR",
         "Syntax Error: Document contains more than 1000 tokens. Parsing aborted."),
    ],
)  # fmt: skip
def test_an_operation_that_is_refused_ends_alone(url: str, payload: dict[str, Any], code: str, message: str) -> None:
    with talk(url) as client:
        client.begin(OPERATORS)
        client.say("subscribe", "1", payload)
        refused = client.hear()
        assert (refused["id"], refused["type"]) == ("1", "error")
        assert (refused["payload"][0]["extensions"]["code"], refused["payload"][0]["message"]) == (code, message)
        client.subscribe("subscription { dataVersion }")
        assert client.pushed() == {"dataVersion": 1}


def test_a_refused_question_is_pushed_with_its_error_like_the_answer_to_a_query(url: str) -> None:
    with talk(url) as client:
        client.begin(OPERATORS)
        client.subscribe("subscription { metrics(limit: 0) { dataVersion rows { sessions } } }")
        payload = client.hear()["payload"]
        assert payload["data"] == {"metrics": None}
        assert [error["extensions"]["code"] for error in payload["errors"]] == ["BAD_LIMIT"]


def test_everybody_is_pushed_his_own_rows_and_no_metric_that_is_withheld(own_store: Store) -> None:
    agents = {name: Principal(name, frozenset(), {"agents": (name,)}) for name in ("main", "scout")}
    with served(load_catalog(FILE), own_store) as (url, live, keys), talk(url) as main, talk(url) as scout:
        keys.known |= agents
        for client, name in ((main, "main"), (scout, "scout")):
            client.begin({"token": name})
            client.subscribe("subscription { metrics { rows { agent sessions } } }")
        assert main.pushed() == {"metrics": {"rows": [{"agent": "main", "sessions": 2}]}}
        assert scout.pushed() == {"metrics": {"rows": [{"agent": "scout", "sessions": 1}]}}
        assert live.feeds == 2
        one_more_session(own_store, 1)
        assert main.pushed() == {"metrics": {"rows": [{"agent": "main", "sessions": 3}]}}
        scout.subscribe("subscription { metrics { rows { cost } } }", "2")
        refused = scout.hear()
        assert (refused["id"], refused["type"]) == ("2", "error")
        assert refused["payload"][0]["message"] == "Cannot query field 'cost' on type 'MetricsRow'."


@pytest.mark.parametrize(
    ("messages", "code", "reason"),
    [
        (
            [("subscribe", "1", {"query": "{ dataVersion }"})],
            4401,
            "Unauthorized: nothing is answered before connection_ack",
        ),
        ([("connection_init", None, {"token": "wrong"})], 4401, "this token is not known"),
        ([("connection_init", None, None)], 4401, "say who you are"),
        ([("hello", None, None)], 4400, "a message is a JSON object whose type is one of graphql-transport-ws"),
        (
            [("connection_init", None, OPERATORS), ("connection_init", None, OPERATORS)],
            4429,
            "Too many initialisation requests",
        ),
        (
            [
                ("connection_init", None, OPERATORS),
                *([("subscribe", "1", {"query": "subscription { dataVersion }"})] * 2),
            ],
            4409,
            "Subscriber for 1 already exists",
        ),
    ],
)
def test_a_breach_of_the_protocol_closes_the_connection_with_its_code(
    url: str, messages: list[tuple[str, str | None, Any]], code: int, reason: str
) -> None:
    with talk(url) as client:
        for message in messages:
            client.say(*message)
        assert closed(client) == (code, reason)


def test_whoever_does_not_say_who_he_is_is_closed_soon(url: str) -> None:
    with talk(url) as client:
        assert closed(client) == (4408, "Connection initialisation timeout")


def test_a_message_that_is_too_long_closes_the_connection(url: str) -> None:
    with talk(url) as client:
        client.begin(OPERATORS)
        client.subscribe("#" + "x" * 70_000)
        assert closed(client)[0] == 1009


def test_a_binary_message_is_none_of_the_protocol(url: str) -> None:
    with talk(url) as client:
        client.socket.send(b'{"type":"connection_init"}')
        assert closed(client)[0] == 4400


def refused(url: str, **settings: Any) -> tuple[int, str]:
    with pytest.raises(InvalidStatus) as raised, connect(f"{url.replace('http', 'ws', 1)}/graphql", **settings):
        pass
    response = raised.value.response
    return response.status_code, (response.body or b"").decode()


def test_a_page_of_another_origin_is_turned_away_unless_it_is_listed(catalog: Catalog, store: Store) -> None:
    ours: dict[str, Any] = {"subprotocols": ["graphql-transport-ws"]}
    with served(catalog, store, origins=frozenset({"https://dashboard.example"})) as (url, _, _):
        for origin in ("https://evil.example", "null", "http://127.0.0.1:1", "file://", "127.0.0.1"):
            assert refused(url, origin=origin, **ours)[0] == 403, origin
        for origin in (url, "https://dashboard.example"):
            with talk(url, origin=origin) as client:
                client.begin(OPERATORS)


def test_the_subprotocol_has_to_be_asked_for(url: str) -> None:
    assert refused(url, subprotocols=["graphql-ws"]) == (
        400,
        "the subprotocol is graphql-transport-ws; ask for it in Sec-WebSocket-Protocol\n",
    )


def test_a_program_shows_its_token_in_a_header(url: str) -> None:
    with talk(url, additional_headers={"Authorization": "Bearer the operator's"}) as client:
        client.begin()
        client.subscribe("subscription { dataVersion }")
        assert client.pushed() == {"dataVersion": 1}
    assert refused(
        url, subprotocols=["graphql-transport-ws"], additional_headers={"Authorization": "Bearer wrong"}
    ) == (401, "this token is not known\n")


@pytest.mark.parametrize("is_pushed", [True, False], ids=["at the next push", "where nothing is pushed"])
def test_a_token_that_is_revoked_ends_the_connection(catalog: Catalog, own_store: Store, is_pushed: bool) -> None:
    limits = LiveLimits(interval_s=0.05, keep_alive_s=3_600 if is_pushed else 0.1)
    with served(catalog, own_store, limits) as (url, _, keys), talk(url) as client:
        client.begin(ROBERT)
        client.subscribe(SESSIONS)
        assert client.pushed() == sessions(2, 1)
        del keys.known["robert's"]
        if is_pushed:
            one_more_session(own_store, 1)
        assert closed(client) == (4401, "this token is not known")


def test_a_token_that_opens_something_else_by_now_ends_the_connection(catalog: Catalog, own_store: Store) -> None:
    with served(catalog, own_store) as (url, _, keys), talk(url) as client:
        client.begin(ROBERT)
        client.subscribe(SESSIONS)
        client.pushed()
        keys.known["robert's"] = Principal("robert", frozenset({"router"}))
        one_more_session(own_store, 1)
        assert closed(client) == (4403, "what this token opens has changed; connect again")


def test_one_subscription_more_than_a_connection_may_have_is_refused(catalog: Catalog, store: Store) -> None:
    with served(catalog, store, LiveLimits(subscriptions=1)) as (url, _, _), talk(url) as client:
        client.begin(OPERATORS)
        client.subscribe("subscription { dataVersion }", "1")
        client.subscribe("subscription { dataVersion }", "2")
        heard = {message["id"]: message for message in (client.hear(), client.hear())}
        assert heard["1"]["type"] == "next"
        assert heard["2"]["payload"][0]["extensions"]["code"] == "TOO_LARGE"


def test_one_connection_more_than_a_principal_may_have_is_closed(catalog: Catalog, store: Store) -> None:
    with served(catalog, store, LiveLimits(connections_each=1)) as (url, _, _), talk(url) as one:
        one.begin(ROBERT)
        with talk(url) as other:
            other.begin(OPERATORS)
        with talk(url) as another:
            another.say("connection_init", payload=ROBERT)
            assert closed(another) == (1013, "robert has 1 connections open, as many as one may have; close some")
        header = {"Authorization": "Bearer robert's"}
        assert refused(url, subprotocols=["graphql-transport-ws"], additional_headers=header)[0] == 503


def test_a_server_that_goes_down_completes_what_goes_on_and_says_so(catalog: Catalog, store: Store) -> None:
    live, keys = live_over(catalog, store, LiveLimits()), known()
    with ExitStack() as open_still:
        with running(app_of(live, keys)) as url:
            client = open_still.enter_context(talk(url))
            client.begin(OPERATORS)
            client.subscribe("subscription { dataVersion }")
            client.pushed()
        assert client.hear() == {"id": "1", "type": "complete"}
        assert closed(client) == (1001, "the server goes down")


def test_a_client_that_vanishes_leaves_nothing_behind(catalog: Catalog, store: Store) -> None:
    with served(catalog, store) as (url, live, _):
        with talk(url) as client:
            client.begin(OPERATORS)
            client.subscribe("subscription { dataVersion }")
            client.pushed()
            assert (live.feeds, live.places.taken) == (1, 1)
            client.socket.socket.close()
        until(lambda: (live.feeds, live.places.taken) == (0, 0))
