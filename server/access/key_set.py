"""The public keys of whoever issues JWTs (a JWKS, RFC 7517): read in a thread of its own, kept while they cannot be.

Nobody who asks waits for it. A token with an unknown key makes the thread look sooner, though not more often than
every 30 seconds, whatever is sent.
"""

import json
import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from urllib.request import HTTPRedirectHandler, Request, build_opener

import jwt

FETCH_EVERY_S = 600.0
LEAST_PAUSE_S = 30.0
RETRY_S = 5.0
MOST_STALE_S = 86_400.0
TIMEOUT_S = 5.0
MOST_BYTES = 1_000_000
MOST_KEYS = 100
FIRST_LOOK_S = 5.0
_LOG = logging.getLogger(__name__)


class KeySet:
    """Safe to ask from many threads. `where` is an address (https, or http on this machine) or a file."""

    def __init__(
        self,
        where: str,
        algorithms: frozenset[str],
        monotonic: Callable[[], float] = time.monotonic,
        least_pause_s: float = LEAST_PAUSE_S,
    ) -> None:
        self._where = where
        self._algorithms = algorithms
        self._monotonic = monotonic
        self._least_pause_s = least_pause_s
        self._keys: Mapping[str, jwt.PyJWK] | None = None
        self._read_at = 0.0
        self.generation = 0
        """Another number whenever the keys are other ones."""
        self._is_wanted, self._looked, self._ending = Event(), Event(), Event()

    @property
    def is_there(self) -> bool:
        return self._keys is not None

    def key(self, kid: str | None) -> jwt.PyJWK | None:
        """The key of that id; without an id, the only one. One that is unknown is looked for, later."""
        keys = self._keys or {}
        found = next(iter(keys.values())) if kid is None and len(keys) == 1 else keys.get(kid or "")
        if found is None:
            self._is_wanted.set()
        return found

    def look(self) -> None:
        """Reads the keys now; where that fails, those from before stay for a day."""
        try:
            found = self._usable(_read(self._where))
        except (OSError, ValueError, jwt.PyJWTError) as error:
            _LOG.warning("the keys of %s could not be read: %s", self._where, error)
            if self._keys is not None and self._monotonic() - self._read_at > MOST_STALE_S:
                self._keys, self.generation = None, self.generation + 1
            return
        old = {kid: key._jwk_data for kid, key in (self._keys or {}).items()}
        if self._keys is None or old != {kid: key._jwk_data for kid, key in found.items()}:
            self.generation += 1
        self._keys, self._read_at = found, self._monotonic()

    @contextmanager
    def kept_going(self) -> Iterator[None]:
        """Reads again and again for as long as the block runs; begins once it was tried, or after five seconds."""
        self._ending.clear()
        thread = Thread(target=self._watch, name="keys")
        thread.start()
        try:
            self._looked.wait(FIRST_LOOK_S)
            yield
        finally:
            self._ending.set()
            self._is_wanted.set()
            thread.join()

    def _watch(self) -> None:
        while not self._ending.is_set():
            self._is_wanted.clear()
            self.look()
            self._looked.set()
            self._ending.wait(self._least_pause_s if self.is_there else min(RETRY_S, self._least_pause_s))
            if self.is_there:
                self._is_wanted.wait(FETCH_EVERY_S)

    def _usable(self, text: bytes) -> dict[str, jwt.PyJWK]:
        """Keys that sign with an algorithm that is taken. A shared secret among them is none."""
        document = json.loads(text)
        given = document.get("keys") if isinstance(document, dict) else None
        if not isinstance(given, list) or len(given) > MOST_KEYS:
            raise ValueError(f"a key set is an object with a list `keys` of at most {MOST_KEYS}")
        found: dict[str, jwt.PyJWK] = {}
        for data in given:
            key = _key(data) if isinstance(data, dict) and data.get("use", "sig") == "sig" else None
            if key is not None and key.algorithm_name in self._algorithms:
                found[key.key_id or ""] = key
        return found


def _key(data: dict[str, object]) -> jwt.PyJWK | None:
    try:
        return jwt.PyJWK.from_dict(data)
    except (jwt.PyJWTError, ValueError, TypeError, KeyError):  # one key of a kind that we do not take spoils no other
        return None


class _NoRedirects(HTTPRedirectHandler):
    def redirect_request(self, *given: object) -> None:
        """Keys come from the address that was set, and from no other."""


def _read(where: str) -> bytes:
    if "://" not in where:
        with Path(where).open("rb") as file:
            return _bounded(file.read(MOST_BYTES + 1))
    request = Request(where, headers={"Accept": "application/json"})  # noqa: S310  # the settings take https and http
    with build_opener(_NoRedirects()).open(request, timeout=TIMEOUT_S) as response:
        return _bounded(response.read(MOST_BYTES + 1))


def _bounded(text: bytes) -> bytes:
    if len(text) > MOST_BYTES:
        raise ValueError(f"it has more than {MOST_BYTES:,} bytes")
    return text
