"""An open server says so: in the head of every response, and on standard error when it starts."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.access.gate import Gate

HEADER = (b"clawback-access", b"open: whoever reaches this address may ask")
WARNING = (
    "This server is OPEN: whoever reaches it on this machine asks without a token. "
    "It closes with the first token (clawback token create NAME --role ROLE)."
)


class SaysOpen:
    """An ASGI app around another."""

    def __init__(self, app: ASGIApp, gate: Gate) -> None:
        self._app = app
        self._gate = gate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not self._gate.is_open:
            await self._app(scope, receive, send)
            return

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), HEADER]
            await send(message)

        await self._app(scope, receive, told)
