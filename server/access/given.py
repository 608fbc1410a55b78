"""The tokens that were given out, in memory: found by their hash, and as new as the file beside the store.

A thread looks a few times a second whether the file has changed, so a token that `clawback token revoke` names opens
nothing a second later. The request itself reads memory alone.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from threading import Event, Thread

from server.access.bearer import digest_of, is_well_formed
from server.access.principal import Principal
from store import StoreError
from store.tokens import KeptToken, Tokens

LOOK_S = 0.25
MARK_EVERY = timedelta(minutes=1)
_LOG = logging.getLogger(__name__)


class GivenTokens:
    """Safe to use from many threads; `kept_going` keeps it new. The file is closed by whoever opened it."""

    def __init__(self, tokens: Tokens, clock: Callable[[], datetime]) -> None:
        self._tokens = tokens
        self._clock = clock
        self._used: dict[str, datetime] = {}
        self._marked_at = clock()
        self._ending = Event()
        self._version = -1
        self._of_digest: dict[bytes, tuple[KeptToken, Principal]] = {}
        self.look()

    @property
    def were_given(self) -> bool:
        """Whether there ever was a token. Those that ended count: a server does not open when its last one expires."""
        return bool(self._of_digest)

    @property
    def role_sets(self) -> frozenset[frozenset[str] | None]:
        """The sets of roles that its tokens have; None for the operator's."""
        return frozenset(principal.roles for _, principal in self._of_digest.values())

    def principal(self, token: str) -> Principal | None:
        """Whose it is; None for a token that opens nothing, whatever the reason."""
        found = self._of_digest.get(digest_of(token)) if is_well_formed(token) else None
        if found is None:
            return None
        kept, principal = found
        now = self._clock()
        if kept.revoked_at is not None or (kept.expires_at is not None and kept.expires_at <= now):
            return None
        self._used[kept.token_id] = now
        return principal

    def look(self) -> None:
        """Reads the file where somebody else has written to it."""
        version = self._tokens.version()
        if version != self._version:
            self._of_digest = {token.digest: (token, principal_of(token)) for token in self._tokens.all()}
            self._version = version

    def mark(self) -> None:
        """Writes down which tokens were used since it was last called."""
        used, self._used, self._marked_at = self._used, {}, self._clock()
        if used:
            self._tokens.mark_used(used)

    @contextmanager
    def kept_going(self) -> Iterator[None]:
        """Looks again and again, in a thread of its own, for as long as the block runs."""
        self._ending.clear()
        thread = Thread(target=self._watch, name="tokens")
        thread.start()
        try:
            yield
        finally:
            self._ending.set()
            thread.join()

    def _watch(self) -> None:
        while not self._ending.wait(LOOK_S):
            self._try(self.look)
            if self._clock() - self._marked_at >= MARK_EVERY:
                self._try(self.mark)
        self._try(self.mark)

    def _try(self, act: Callable[[], None]) -> None:
        try:
            act()
        except StoreError as error:  # a full disk or a busy file now; the next look may find it well
            _LOG.warning("the tokens could not be looked at: %s", error)


def principal_of(token: KeptToken) -> Principal:
    """A token's own name: two tokens of one owner are told apart, in limits and in the audit."""
    return Principal.of(f"{token.name}#{token.token_id}", token.roles, token.claims)
