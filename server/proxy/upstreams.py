"""Which host a request is for: the first part of its path names a configured upstream, and nothing else does.

The rest of the path goes on byte for byte. What a client says of a host, in the address or in `Host`, is never used.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

RESERVED = frozenset({"health", "metrics", "t"})
"""First parts of a path that are ours."""
_TOKEN_PREFIX = b"/t/"
_DOTS = frozenset({b".", b".."})


@dataclass(frozen=True, slots=True)
class Upstream:
    name: str
    provider: str
    """As the price book and other sources call it."""
    scheme: bytes
    host: bytes
    port: int | None
    root: bytes = b""
    """The path that its own paths begin with; without a slash at its end."""

    @property
    def authority(self) -> bytes:
        """What `Host` says to it."""
        host = b"[%b]" % self.host if b":" in self.host else self.host
        return host if self.port is None else b"%b:%d" % (host, self.port)


@dataclass(frozen=True, slots=True)
class Route:
    upstream: Upstream
    target: bytes
    """Path and query, as they go to the upstream."""
    path: str
    """The path alone, from its slash on and without escapes, as the upstream reads it: to tell what is asked for."""


@dataclass(frozen=True, slots=True)
class NoRoute:
    status: int
    reason: str


def token_in_path(raw_path: bytes) -> tuple[bytes | None, bytes]:
    """The token of a client that can set no headers, and the path without it: /t/TOKEN/openai/v1/..."""
    if not raw_path.startswith(_TOKEN_PREFIX):
        return None, raw_path
    token, slash, rest = raw_path[len(_TOKEN_PREFIX) :].partition(b"/")
    return token, slash + rest


def route_of(raw_path: bytes, query: bytes, upstreams: Mapping[str, Upstream]) -> Route | NoRoute:
    if not raw_path.startswith(b"/"):
        return NoRoute(400, "the address must be a path such as /openai/v1/responses; whole addresses are not taken")
    if any(part in _DOTS for part in unquote_to_bytes(raw_path).replace(b"\\", b"/").split(b"/")):
        return NoRoute(400, "the path must not hold . or .. as a part")
    name, slash, rest = raw_path[1:].partition(b"/")
    upstream = upstreams.get(name.decode("ascii", "replace"))
    if upstream is None:
        known = ", ".join(f"/{each}/..." for each in sorted(upstreams))
        return NoRoute(404, f"no upstream has this name; paths begin with one of {known}")
    path = upstream.root + slash + rest
    target = (path or b"/") + (b"?" + query if query else b"")
    return Route(upstream, target, unquote_to_bytes(slash + rest).decode("utf-8", "replace"))
