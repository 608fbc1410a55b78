"""HTTP for loaders that only read: one origin, one secret, bounded answers, and waiting that can be told from outside.

The secret is sent to the origin that it was given for and nowhere else: no redirect and no link leads it away, and an
answer that repeats it is blackened before anybody reads it. Retries are our own few lines, because how long to wait
stands in the answer, and because a wait that is too long for a load has to end it with the time to come back.
"""

import ipaddress
import json
import ssl
import time
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from random import SystemRandom
from types import MappingProxyType, TracebackType
from typing import Self, TypeVar

import httpx2

from loaders.auth import Bearer, Scheme
from loaders.item import LoadError

_T = TypeVar("_T")
_REDIRECTS = frozenset({301, 302, 307, 308})
_REDIRECTS_OF_A_QUESTION = frozenset({307, 308})
"""The others would have it asked again without what is asked."""
_PASSING = frozenset({408, 429, 500, 502, 503, 504, 524, 529})
_NO_HEADERS: Mapping[str, str] = MappingProxyType({})
_BLACKENED = b"***"


class TryAgainError(Exception):
    """What came back is of no use, and may be of use later. The message says what it was."""

    def __init__(self, reason: str, at_least_s: float | None = None, *, doubles: bool = False) -> None:
        super().__init__(reason)
        self.at_least_s = at_least_s
        """What the server asks for; None where it asks for nothing."""
        self.doubles = doubles
        """Each further wait is twice the one before."""


class ComeBackError(LoadError):
    """Not now: the server asks for a longer pause than a load waits for, or no try brought anything of use."""


@dataclass(frozen=True, slots=True)
class Clock:
    """Time and chance. A test has its own, so that nothing waits in it."""

    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    chance: Callable[[], float] = SystemRandom().random
    """From 0 up to 1."""


@dataclass(frozen=True, slots=True)
class WebLimits:
    """How much is read, tried and waited for."""

    body_bytes: int = 32 * 2**20
    connect_s: float = 10
    read_s: float = 30
    """Without a single byte."""
    answer_s: float = 120
    """For one answer as a whole."""
    tries: int = 6
    wait_s: float = 300
    """At once; the load ends where a server asks for more."""
    waits_s: float = 900
    """In one load, all together."""
    redirects: int = 3


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer; what was packed is unpacked."""

    url: str
    status: int
    headers: Mapping[str, str]
    """By lower-case name."""
    body: bytes

    def pause(self, now: datetime) -> float | None:
        """The seconds that `Retry-After` asks for, given as such or as a date; None where it says nothing clear.

        OpenAI says it in milliseconds too, under a name of its own, and means that one first.
        """
        exactly = self.headers.get("retry-after-ms", "").strip()
        if exactly.isascii() and exactly.isdigit() and len(exactly) < 13:
            return int(exactly) / 1000
        said = self.headers.get("retry-after", "").strip()
        if said.isascii() and said.isdigit() and len(said) < 10:
            return float(said)
        at = _http_date(said)
        return None if at is None else max(0.0, (at - self.server_time(now)).total_seconds())

    def server_time(self, now: datetime) -> datetime:
        """By the server's own clock, so that a wait until an instant is right where our clock is not."""
        return _http_date(self.headers.get("date", "")) or now


def refuse_passing(answer: Answer, now: datetime) -> None:
    """Raises `TryAgainError` for a status that goes away by itself."""
    if answer.status in _PASSING:
        raise TryAgainError(f"answered {answer.status}", answer.pause(now))


@dataclass(slots=True)
class Web:
    """GET and POST below one root, such as https://api.github.com; `LoadError` for a root that must not be used."""

    root: str
    secret: str | None = field(default=None, repr=False)
    """Sent as `scheme` says."""
    headers: Mapping[str, str] = field(default_factory=lambda: _NO_HEADERS)
    clock: Clock = field(default_factory=Clock)
    limits: WebLimits = field(default_factory=WebLimits)
    scheme: Scheme = field(default_factory=Bearer)
    _client: httpx2.Client = field(init=False, repr=False)
    _waited_s: float = field(default=0, init=False)

    def __post_init__(self) -> None:
        root = _root(self.root)
        headers = {**self.headers, "Accept-Encoding": "gzip"}
        if self.secret is not None:
            headers |= self.scheme.headers(self.secret)
        limits = self.limits
        self._client = httpx2.Client(
            headers=headers,
            timeout=httpx2.Timeout(limits.read_s, connect=limits.connect_s),
            follow_redirects=False,
            trust_env=root.scheme == "https",  # a proxy of the environment is not for loopback
            verify=root.scheme != "http" or ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),  # trusts nobody, and costs nothing
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._client.close()

    def get(self, url: str, read: Callable[[Answer], _T], headers: Mapping[str, str] = _NO_HEADERS) -> _T:
        """What `read` makes of the answer; where it raises `TryAgainError`, of the answer to another try.

        Raises `ComeBackError` where the last try is of no use, too, or the server asks for a long pause; `LoadError`
        where it leads away from the root, or says more than the limits allow.
        """
        return self._asked(url, read, headers, None)

    def post(
        self, url: str, question: object, read: Callable[[Answer], _T], headers: Mapping[str, str] = _NO_HEADERS
    ) -> _T:
        """As `get`, with a question as JSON. Only for what changes nothing: it may be asked more than once."""
        headers = {**headers, "Content-Type": "application/json"}
        return self._asked(url, read, headers, json.dumps(question).encode())

    def _asked(self, url: str, read: Callable[[Answer], _T], headers: Mapping[str, str], content: bytes | None) -> _T:
        for number in range(1, self.limits.tries + 1):
            try:
                return read(self._answer(url, headers, content))
            except TryAgainError as again:
                problem = again
            if number < self.limits.tries:
                self._wait(url, number, problem)
        if problem.at_least_s is not None:
            raise self._come_back(url, problem, problem.at_least_s)
        raise ComeBackError(f"{url}: {problem}, {self.limits.tries} times; load again later")

    def _wait(self, url: str, number: int, problem: TryAgainError) -> None:
        """Exponential with full jitter from 1 s to 60 s, or what the server asks for where that is more."""
        asked = (problem.at_least_s or 0.0) * (2.0 ** (number - 1) if problem.doubles else 1.0)
        pause = max(asked, self.clock.chance() * min(60.0, 2.0 ** (number - 1)))
        if pause > self.limits.wait_s or self._waited_s + pause > self.limits.waits_s:
            raise self._come_back(url, problem, pause)
        self._waited_s += pause
        self.clock.sleep(pause)

    def _come_back(self, url: str, problem: TryAgainError, pause: float) -> ComeBackError:
        # A second more, because the instant is shown without its fraction; a year at most, whatever is asked for.
        until = self.clock.now() + timedelta(seconds=min(pause, 365 * 86_400.0) + 1)
        return ComeBackError(f"{url}: {problem}; load again at {until:%Y-%m-%dT%H:%M:%SZ} or later")

    def _answer(self, url: str, headers: Mapping[str, str], content: bytes | None) -> Answer:
        for _ in range(self.limits.redirects + 1):
            answer = self._fetch(self._within_origin(url), headers, content)
            if answer.status not in (_REDIRECTS if content is None else _REDIRECTS_OF_A_QUESTION):
                return answer
            url = str(_url(answer.url).join(_url(answer.headers.get("location", ""))))
        raise LoadError(f"{url}: is redirected more than {self.limits.redirects} times")

    def _within_origin(self, url: str) -> str:
        target, root = _url(url), _url(self.root)
        if (target.scheme, target.host, target.port) != (root.scheme, root.host, root.port) or target.userinfo:
            place = f"{target.scheme}://{target.netloc.decode('ascii', 'replace').rpartition('@')[2]}"
            raise LoadError(f"{self.root} leads to {place}, which is another place; the token is not sent there")
        return url

    def _fetch(self, url: str, headers: Mapping[str, str], content: bytes | None) -> Answer:
        deadline = self.clock.monotonic() + self.limits.answer_s
        try:
            method = "GET" if content is None else "POST"
            with self._client.stream(method, url, headers=dict(headers), content=content) as response:
                body = self._body(response, deadline)
                named = {name.lower(): self._blackened(value) for name, value in response.headers.items()}
                return Answer(url, response.status_code, named, self._blackened_bytes(body))
        except httpx2.HTTPError as error:
            problem = self._blackened(f"{type(error).__name__}: {error}" if str(error) else type(error).__name__)
        # Outside of the handler: the error of the client holds the request, and with it the secret.
        raise TryAgainError(problem)

    def _body(self, response: httpx2.Response, deadline: float) -> bytes:
        packing = response.headers.get("content-encoding", "").strip().lower()
        if packing not in ("", "identity", "gzip"):
            raise TryAgainError(f"answered with content packed as {packing[:50]!r}, which was not asked for")
        unpacker, body, is_begun = zlib.decompressobj(wbits=31) if packing == "gzip" else None, bytearray(), False
        for chunk in response.iter_raw():
            if self.clock.monotonic() > deadline:
                raise TryAgainError(f"took longer than {self.limits.answer_s:.0f} s to answer")
            most, is_begun = self.limits.body_bytes + 1 - len(body), True
            try:
                body += chunk if unpacker is None else unpacker.decompress(chunk, most)
            except zlib.error:
                raise TryAgainError("answered with content that is not gzip, as it says it is") from None
            if len(body) > self.limits.body_bytes:
                raise LoadError(
                    f"{response.url}: the answer is over {self.limits.body_bytes:,} bytes, the most it may be"
                )
            if unpacker is not None and unpacker.unused_data:
                raise TryAgainError("answered with more than the packed content")
        if unpacker is not None and is_begun and not unpacker.eof:
            raise TryAgainError("answered with packed content that ends too early")
        return bytes(body)

    def _blackened(self, text: str) -> str:
        return self._blackened_bytes(text.encode("utf-8", "surrogateescape")).decode("utf-8", "surrogateescape")

    def _blackened_bytes(self, text: bytes) -> bytes:
        for hidden in () if self.secret is None else self.scheme.hidden(self.secret):
            text = text.replace(hidden, _BLACKENED)
        return text


def _root(root: str) -> httpx2.URL:
    url = _url(root)
    # What stands before the host may be a secret, so it is not repeated.
    if url.userinfo:
        raise LoadError("url must not hold a name or a password; the token is given apart from it")
    if url.query or url.fragment or not url.host:
        raise LoadError(f"url must be the root of an API like https://api.github.com, got {root[:200]!r}")
    if url.scheme != "https" and not (url.scheme == "http" and is_loopback(url.host)):
        raise LoadError(f"url must begin with https:// (http:// is for this very machine alone), got {root[:200]!r}")
    return url


def _url(text: str) -> httpx2.URL:
    try:
        return httpx2.URL(text)
    except (httpx2.InvalidURL, ValueError):
        raise LoadError(f"{text[:200]!r} is no address like https://api.github.com") from None


def is_loopback(host: str) -> bool:
    """Whether a name or an address is this very machine."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _http_date(text: str) -> datetime | None:
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    try:
        return at.astimezone(UTC) if at.tzinfo is not None else at.replace(tzinfo=UTC)
    except OverflowError:
        return None
