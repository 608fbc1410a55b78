"""The proxy as an ASGI application: who may ask, for which upstream, on whose account; then it is forwarded."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

import httpx2
import orjson
from starlette.types import Receive, Scope, Send

from server.proxy.attribution import AttributionError, attribution_of, has_own_session, with_session_of
from server.proxy.bodies import ClientLeftError, RequestBody, TooLargeError, word
from server.proxy.budget import Budgets
from server.proxy.calls import Call, is_model_path
from server.proxy.forward import TOO_LARGE, Forwarder
from server.proxy.headers import Headers, refusal_of, to_upstream, value_of
from server.proxy.meters import Meters
from server.proxy.payloads import Payloads
from server.proxy.refusals import Refusal, refuse
from server.proxy.settings import ProxySettings
from server.proxy.sides import Exchanged
from server.proxy.tokens import NotAllowedError, Right, Tokens
from server.proxy.upstreams import NoRoute, Route, route_of, token_in_path

CLOSE = "clawback.close"
"""In the scope: closes the connection of the client after what was sent, so that it sees that more should have come."""
_TEXT = "text/plain; version=0.0.4; charset=utf-8"
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_BAD_METHOD = Refusal(501, "method", "this method does not go through the proxy")
_NO_WEBSOCKETS = Refusal(501, "upgrade", "WebSockets and other upgrades do not go through the proxy")


class RefusedError(Exception):
    """The request is not forwarded."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal


@dataclass(frozen=True, slots=True)
class Proxy:
    settings: ProxySettings
    tokens: Tokens
    forwarder: Forwarder
    budgets: Budgets | None
    payloads: Payloads | None
    """None: nothing that is in a call is kept."""
    meters: Meters
    health: Callable[[], dict[str, object]]
    running: AbstractAsyncContextManager[None]
    """What goes on in the background, from the application's begin to its end."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            with self.meters.in_flight.track_inprogress():
                await self._answer(scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        async with self.running:
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        token, path = token_in_path(scope["raw_path"])
        if path in (b"/health", b"/metrics"):
            await self._ours(scope, path, token, send)
            return
        route = route_of(path, scope["query_string"], self.settings.upstreams)
        provider = "" if isinstance(route, NoRoute) else route.upstream.provider
        try:
            right = self._right(scope["headers"], token)
            if isinstance(route, NoRoute):
                raise RefusedError(Refusal(route.status, "no_route", route.reason))
            await self._forward(scope, route, right, receive, send)
        except RefusedError as error:
            self.meters.refused.labels(error.refusal.code).inc()
            await refuse(send, error.refusal, provider)

    def _right(self, headers: Headers, token: bytes | None) -> Right:
        try:
            return self.tokens.right_of(token or value_of(headers, b"x-clawback-token"))
        except NotAllowedError as error:
            raise RefusedError(Refusal(error.status, "token", str(error))) from error

    async def _forward(self, scope: Scope, route: Route, right: Right, receive: Receive, send: Send) -> None:
        headers: Headers = scope["headers"]
        if reason := refusal_of(headers):
            raise RefusedError(Refusal(400, "bad_request", reason))
        if scope["method"] not in _METHODS:
            raise RefusedError(_BAD_METHOD)
        if value_of(headers, b"upgrade") is not None:
            raise RefusedError(_NO_WEBSOCKETS)
        call = self._call(scope["method"], route, headers, right)
        most = self.settings.max_request_mb * 2**20
        if int(value_of(headers, b"content-length") or 0) > most:
            raise RefusedError(TOO_LARGE)
        sides = self._sides(call, scope)
        told = None if sides is None else sides.request.feed
        body = RequestBody(receive, most, self.settings.write_timeout_s, self.forwarder.allowance, told)
        try:
            added = await self._looked_at(call, body, right)
            request = self._request(scope["method"], route, headers, body, added)
            is_whole = await self.forwarder.forward(call, request, body, send, sides)
        except ClientLeftError:
            is_whole = False
        except TooLargeError:
            raise RefusedError(TOO_LARGE) from None
        finally:
            body.close()
            if self.payloads is not None and sides is not None:
                self.payloads.end(call, sides)
        if not is_whole:
            await _close(scope, receive)

    def _sides(self, call: Call, scope: Scope) -> Exchanged | None:
        """Where what is in the call is to be kept: copies of both its sides."""
        if self.payloads is None or not call.is_model_call:
            return None
        return self.payloads.begin(scope["headers"], scope["query_string"], token_in_path(scope["raw_path"])[0])

    def _call(self, method: str, route: Route, headers: Headers, right: Right) -> Call:
        upstream = route.upstream
        try:
            attribution = right.checked(attribution_of(headers, upstream.provider))
            reads_body = upstream.provider == "openrouter" and not has_own_session(headers)
        except AttributionError as error:
            raise RefusedError(Refusal(400, "bad_attribution", str(error))) from error
        except NotAllowedError as error:
            raise RefusedError(Refusal(error.status, "not_allowed", str(error))) from error
        own_id = value_of(headers, b"x-request-id")
        return Call(
            upstream,
            attribution,
            route.path,
            is_model_path(method, route.path),
            method == "POST",
            reads_body,
            client_request_id=None if own_id is None else own_id.decode("latin-1"),
        )

    async def _looked_at(self, call: Call, body: RequestBody, right: Right) -> int:
        """What has to be known of the body before it goes on; gives how many bytes were added to it."""
        needs_session = call.reads_session_of_body and not right.states_any_session
        asks_usage = self.settings.ask_usage and call.path.endswith("/chat/completions")
        if not call.is_model_call or not (self.budgets or asks_usage or needs_session):
            return 0
        looked_at = await body.looked_at()
        if call.reads_session_of_body:
            call.reads_session_of_body = False
            try:
                call.attribution = right.checked(with_session_of(looked_at or {}, call.attribution))
            except (AttributionError, NotAllowedError) as error:
                status = getattr(error, "status", 400)
                raise RefusedError(Refusal(status, "not_allowed", str(error))) from error
        if self.budgets is not None:
            refusal = await self.budgets.refusal(call.attribution, word(looked_at, "model") or call.model_of_path())
            if refusal is not None:
                raise RefusedError(refusal)
        return body.ask_usage(looked_at) if asks_usage and looked_at is not None else 0

    def _request(self, method: str, route: Route, headers: Headers, body: RequestBody, added: int) -> httpx2.Request:
        sent = to_upstream(headers, route.upstream.authority)
        if added:
            sent = [
                (name, b"%d" % (int(value) + added) if name == b"content-length" else value) for name, value in sent
            ]
        settings, upstream = self.settings, route.upstream
        timeout = {
            "connect": settings.connect_timeout_s,
            "read": settings.read_timeout_s,
            "write": settings.write_timeout_s,
            "pool": settings.connect_timeout_s,
        }
        url = httpx2.URL(scheme=upstream.scheme.decode(), host=upstream.host.decode(), port=upstream.port)
        return httpx2.Request(
            method, url, headers=sent, stream=body, extensions={"timeout": timeout, "target": route.target}
        )

    async def _ours(self, scope: Scope, path: bytes, token: bytes | None, send: Send) -> None:
        content, kind = orjson.dumps(self.health()), "application/json"
        if path == b"/metrics":
            try:
                self._right(scope["headers"], token)
            except RefusedError as error:
                await refuse(send, error.refusal, "")
                return
            content, kind = self.meters.page(), _TEXT
        headers = [(b"content-type", kind.encode()), (b"content-length", b"%d" % len(content))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": content})


async def _close(scope: Scope, receive: Receive) -> None:
    close: Callable[[], None] | None = scope.get(CLOSE)
    if close is not None:
        close()
        while (await receive())["type"] != "http.disconnect":
            pass
