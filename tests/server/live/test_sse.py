"""Subscriptions as streams of events: one request, one operation, until somebody leaves."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from http.client import HTTPConnection, HTTPResponse
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

from semantic import Catalog
from server.access import OPERATOR
from server.live import Live, LiveLimits
from store import Store
from tests.server.live.conftest import PATIENCE_S, QUICK, Keys, app_of, live_over, one_more_session, until
from tests.serving import running

SESSIONS = 'subscription { metrics(where: {agent: {eq: "main"}}) { totals { sessions } } }'
Event = tuple[str, Any]


@contextmanager
def served(
    catalog: Catalog, store: Store, limits: LiveLimits = QUICK, **settings: Any
) -> Iterator[tuple[str, Live, Keys]]:
    live, keys = live_over(catalog, store, limits), Keys({"ours": OPERATOR})
    with running(app_of(live, keys, **settings)) as url:
        yield url, live, keys


@contextmanager
def streamed(url: str, query: str, method: str = "POST", **headers: str) -> Iterator[HTTPResponse]:
    place = urlsplit(url)
    sent = {"Accept": "text/event-stream", "Authorization": "Bearer ours", **headers}
    with closing(HTTPConnection(str(place.hostname), int(place.port or 80), timeout=PATIENCE_S)) as connection:
        if method == "GET":
            connection.request("GET", f"/graphql?{urlencode({'query': query})}", headers=sent)
        else:
            body = json.dumps({"query": query})
            connection.request("POST", "/graphql", body, {**sent, "Content-Type": "application/json"})
        yield connection.getresponse()


def next_event(response: HTTPResponse) -> Event:
    """Signs of life are passed over."""
    lines = []
    while (line := response.readline().decode().rstrip("\n")) or not lines:
        if line and not line.startswith(":"):
            lines.append(line)
    fields = dict(line.split(":", 1) for line in lines)
    data = fields["data"].strip()
    return fields["event"].strip(), json.loads(data) if data else None


def sessions(number: int) -> Event:
    return "next", {"data": {"metrics": {"totals": {"sessions": number}}}}


@pytest.mark.parametrize("method", ["POST", "GET"])
def test_each_new_answer_is_an_event(catalog: Catalog, own_store: Store, method: str) -> None:
    with served(catalog, own_store) as (url, live, _):
        with streamed(url, SESSIONS, method) as response:
            assert (response.status, response.headers["Content-Type"]) == (200, "text/event-stream; charset=utf-8")
            assert next_event(response) == sessions(2)
            one_more_session(own_store, 1)
            assert next_event(response) == sessions(3)
            assert (live.feeds, live.places.taken) == (1, 1)
        until(lambda: (live.feeds, live.places.taken) == (0, 0))


def test_a_query_is_answered_once_and_complete(catalog: Catalog, store: Store) -> None:
    with served(catalog, store) as (url, _, _), streamed(url, "{ dataVersion }") as response:
        assert [next_event(response), next_event(response)] == [
            ("next", {"data": {"dataVersion": 1}}),
            ("complete", None),
        ]
        assert response.read() == b""


def test_what_is_refused_is_told_as_an_event_because_a_browser_shows_nothing_else(
    catalog: Catalog, store: Store
) -> None:
    with served(catalog, store) as (url, _, _):
        for query, code in (("subscription { nothing }", "INVALID_QUERY"), ("mutation { a }", "INVALID_QUERY")):
            with streamed(url, query) as response:
                kind, told = next_event(response)
                assert (response.status, kind, told["errors"][0]["extensions"]["code"]) == (200, "next", code)
                assert next_event(response) == ("complete", None)


def test_a_quiet_stream_shows_signs_of_life(catalog: Catalog, store: Store) -> None:
    with served(catalog, store) as (url, _, _), streamed(url, SESSIONS) as response:
        next_event(response)
        assert [response.readline(), response.readline()] == [b":\n", b"\n"]


def test_a_token_that_is_revoked_ends_the_stream(catalog: Catalog, store: Store) -> None:
    with served(catalog, store) as (url, _, keys), streamed(url, SESSIONS) as response:
        next_event(response)
        keys.known.clear()
        assert next_event(response) == (
            "next",
            {"errors": [{"message": "this token is not known", "extensions": {"code": "UNAUTHENTICATED"}}]},
        )
        assert next_event(response) == ("complete", None)


def test_whoever_may_not_listen_is_told_by_the_status(catalog: Catalog, store: Store) -> None:
    limits = LiveLimits(connections_each=1)
    with served(catalog, store, limits) as (url, _, _):
        with streamed(url, SESSIONS, Authorization="Bearer wrong") as response:
            assert response.status == 401
        with streamed(url, SESSIONS, Origin="https://evil.example") as response:
            assert response.status == 403
        with streamed(url, SESSIONS) as first:
            next_event(first)
            with streamed(url, SESSIONS) as second:
                assert (second.status, second.headers["Retry-After"]) == (503, "30")
                assert json.loads(second.read())["errors"][0]["extensions"]["code"] == "BUSY"


def test_a_subscription_by_plain_post_says_how_it_is_sent(catalog: Catalog, store: Store) -> None:
    with served(catalog, store) as (url, _, _), streamed(url, SESSIONS, Accept="application/json") as response:
        assert json.loads(response.read())["errors"] == [
            {
                "message": "a subscription is sent over a WebSocket (graphql-transport-ws), or by POST with Accept: "
                "text/event-stream alone",
                "extensions": {"code": "BAD_REQUEST"},
            }
        ]


def test_a_server_that_goes_down_completes_its_streams(catalog: Catalog, store: Store) -> None:
    with ExitStack() as open_still:
        with served(catalog, store, LiveLimits()) as (url, _, _):
            response = open_still.enter_context(streamed(url, SESSIONS))
            assert next_event(response) == sessions(2)
        assert next_event(response) == ("complete", None)
