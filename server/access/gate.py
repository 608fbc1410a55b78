"""The door: which of the ways to show oneself a request uses, and who that is.

In this order: the headers of a trusted proxy, the key of the command line, a token of ours, a JWT; a token in the first
message of a socket goes before the headers. Whoever shows nothing is let in where the server is open, on this machine
alone. What is wrong with a token is told in the same words whether it is unknown, expired or revoked.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from secrets import compare_digest

from starlette.requests import HTTPConnection

from server.access.attempts import MOST_FAILURES, Attempts
from server.access.bearer import MOST_CHARACTERS, PREFIX, bearer_of, check_query, unauthenticated
from server.access.given import GivenTokens
from server.access.identify import DeniedError
from server.access.jwts import Jwts
from server.access.principal import Principal
from server.access.proxy import TrustedProxy, peer_of

NOT_VALID = "the token is not valid here: it is unknown, has expired or was revoked"
NO_TOKEN = "send a token as `Authorization: Bearer <token>`; whoever runs this server makes one: clawback token create"  # noqa: S105 - it asks for one
_FORWARDED = frozenset({b"forwarded", b"x-forwarded-for", b"x-real-ip"})


@dataclass
class Gate:
    """An `Identify`. `kept_going` keeps what it knows new."""

    anybody: Principal
    """Who is let in without a token while the server is open, and whoever has the key of the command line."""
    key: str = field(default="", repr=False)
    tokens: GivenTokens | None = None
    jwts: Jwts | None = None
    proxy: TrustedProxy | None = None
    is_opened: bool = False
    """Open whatever tokens there are, because the settings say so."""
    on_denied: Callable[[str, int, str], None] = lambda peer, status, message: None
    """Told of the first attempts of a peer in a minute that are denied, for the audit."""
    attempts: Attempts = field(default_factory=Attempts)

    @property
    def is_open(self) -> bool:
        """Whether whoever reaches the server may ask."""
        can_tell = (
            self.jwts is not None or self.proxy is not None or (self.tokens is not None and self.tokens.were_given)
        )
        return self.is_opened or not can_tell

    @property
    def role_sets(self) -> frozenset[frozenset[str] | None]:
        """The sets of roles that are known to ask, so that what they need can be made ready before they do."""
        anybody = frozenset({self.anybody.roles}) if self.is_open else frozenset()
        return anybody | (self.tokens.role_sets if self.tokens is not None else frozenset())

    def __call__(self, connection: HTTPConnection, token: str | None = None) -> Principal:
        try:
            return self._principal(connection, token)
        except DeniedError as denied:
            if denied.status == 503:
                raise
            raise self._counted(connection, denied) from None

    @contextmanager
    def kept_going(self) -> Iterator[None]:
        with ExitStack() as going_on:
            if self.tokens is not None:
                going_on.enter_context(self.tokens.kept_going())
            if self.jwts is not None:
                going_on.enter_context(self.jwts.keys.kept_going())
            yield

    def _principal(self, connection: HTTPConnection, token: str | None) -> Principal:
        proxied = self.proxy.principal(connection) if self.proxy is not None else None
        if token is None and proxied is not None:
            check_query(connection)
            return proxied
        shown = bearer_of(connection) if token is None else token
        if shown is not None:
            return self._of_token(shown)
        if not self.is_open:
            raise unauthenticated(NO_TOKEN, "")
        if any(name in _FORWARDED for name, _ in connection.scope["headers"]):
            message = "this server is open to this machine alone, and the request came through a proxy; make tokens"
            raise DeniedError(403, f"{message}: clawback token create")
        return self.anybody

    def _of_token(self, token: str) -> Principal:
        if len(token) > MOST_CHARACTERS or not token.isascii():
            raise unauthenticated(NOT_VALID)
        if self.key and compare_digest(token.encode(), self.key.encode()):
            return self.anybody if self.anybody.roles is not None else Principal("operator")
        if token.startswith(PREFIX):
            found = self.tokens.principal(token) if self.tokens is not None else None
        else:
            found = self._of_jwt(token)
        if found is None:
            raise unauthenticated(NOT_VALID)
        return found

    def _of_jwt(self, token: str) -> Principal | None:
        """Whatever failed from the same address: behind a proxy that is everybody's, and a signature costs 0.2 ms."""
        if self.jwts is None or token.count(".") != 2:
            return None
        if remembered := self.jwts.remembered(token):
            return remembered
        if not self.jwts.keys.is_there:
            self.jwts.keys.key(None)
            raise DeniedError(503, "the keys of the issuer are not there yet; try again", {"Retry-After": "5"})
        return self.jwts.checked(token)

    def _counted(self, connection: HTTPConnection, denied: DeniedError) -> DeniedError:
        """The refusal, or 429 after too many from one address. A valid token is let in from there all the same."""
        peer = peer_of(connection)
        wait = self.attempts.wait_s(peer)
        if wait:
            return DeniedError(
                429, "too many attempts from this address without a valid token", {"Retry-After": str(wait)}
            )
        if self.attempts.failed(peer) <= MOST_FAILURES:
            self.on_denied(peer, denied.status, str(denied))
        return denied
