"""One HTTP exchange for an alert: bounded in time and size, no redirect, no secret in any message.

It does not wait and does not repeat: what was not taken stays in the outbox, and whoever empties that decides when.
"""

import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

import httpx2

from server.alerts.channel import UntoldError

MOST_BYTES = 64 * 1024
CONNECT_S = 5.0
READ_S = 10.0
WHOLE_S = 20.0
PASSING = frozenset({408, 425, 429, 500, 502, 503, 504, 524, 529})
_MOST_TOLD = 200


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    headers: Mapping[str, str] = field(repr=False)
    """By lower-case name."""
    body: bytes = field(repr=False)

    def pause_s(self) -> float | None:
        """The seconds that `Retry-After` asks for; None where it gives no count of them."""
        said = self.headers.get("retry-after", "").strip()
        return float(said) if said.isascii() and said.isdigit() and len(said) < 10 else None


def exchange(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str],
    body: bytes | None,
    secrets: tuple[str, ...],
    whole_s: float = WHOLE_S,
) -> Reply:
    """What came back, whatever its status. Raises `UntoldError` where nothing of use did."""
    is_https = url.startswith("https:")
    client = httpx2.Client(
        timeout=httpx2.Timeout(min(READ_S, whole_s), connect=min(CONNECT_S, whole_s)),
        follow_redirects=False,
        trust_env=is_https,  # a proxy of the environment is not for this machine
        verify=is_https or ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),  # trusts nobody, and costs nothing
    )
    named = {**headers, "Accept-Encoding": "identity", "User-Agent": "clawback"}
    deadline = time.monotonic() + whole_s
    try:
        with client, client.stream(method, url, headers=named, content=body) as response:
            return Reply(
                response.status_code,
                {name.lower(): value for name, value in response.headers.items()},
                _bounded(response, deadline, whole_s),
            )
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        problem = blackened(f"{type(error).__name__}: {error}" if str(error) else type(error).__name__, secrets)
    # Outside of the handler: the error of the client holds the request, and with it the secret.
    raise UntoldError(f"no answer ({problem})")


def blackened(text: str, secrets: tuple[str, ...]) -> str:
    """Short enough for a log line, in printable characters, without any of the secrets."""
    for secret in secrets:
        text = text.replace(secret, "***") if secret else text
    return "".join(c if c.isprintable() else " " for c in text[:_MOST_TOLD])


def _bounded(response: httpx2.Response, deadline: float, whole_s: float) -> bytes:
    body = bytearray()
    for chunk in response.iter_raw():
        body += chunk
        if len(body) > MOST_BYTES:
            raise UntoldError(f"the answer is over {MOST_BYTES:,} bytes, the most that is read")
        if time.monotonic() > deadline:
            raise UntoldError(f"the answer took longer than {whole_s:.0f} s")
    return bytes(body)
