"""Codex's two running counters -> what each call used.

A `token_count` event carries what the session has used so far and what its last call used. It is written again and
again without a call (limits were refreshed, a turn begins), the total is rewritten when the context is full, and a
session that goes on begins with a total that others have filled. So the last call counts, and only where the total
moved.
"""

from dataclasses import dataclass

from loaders.openclaw.usage import Buckets
from loaders.openclaw.values import Object, count, object_in

REPEATED = "token count without a new call"
NO_CALL = "token count that no call has filled"
EARLIER = "token count of a call before this file"


@dataclass(frozen=True, slots=True)
class Tokens:
    """As Codex writes them: the cached and the written part lie within the input, reasoning within the output."""

    input: int
    cached: int
    cache_write: int
    output: int

    @property
    def is_nothing(self) -> bool:
        return not self.input and not self.output

    @property
    def identity(self) -> str:
        """The numbers that every record of one call has; older releases leave out what was written to the cache."""
        return f"{self.input}-{self.cached}-{self.output}"

    def buckets(self) -> Buckets:
        uncached = max(0, self.input - self.cached - self.cache_write)
        return Buckets(uncached, self.cached, self.cache_write, 0, self.output)

    def minus(self, earlier: "Tokens") -> "Tokens | None":
        """None where a number fell: the counter began anew."""
        differences = (
            self.input - earlier.input,
            self.cached - earlier.cached,
            self.cache_write - earlier.cache_write,
            self.output - earlier.output,
        )
        return None if min(differences) < 0 else Tokens(*differences)


def read_tokens(holder: Object, field: str) -> Tokens | None:
    """None where the field is absent, null or empty."""
    written = object_in(holder, field)
    if not written:
        return None
    names = ("input_tokens", "cached_input_tokens", "cache_write_input_tokens", "output_tokens")
    return Tokens(*(count(written.get(name), f"{field}.{name}") or 0 for name in names))


class Counter:
    """The counters of one file, line by line."""

    def __init__(self) -> None:
        self._previous: Tokens | None = None
        self._seen: set[tuple[Tokens, Tokens | None]] = set()

    def take(self, total: Tokens | None, last: Tokens | None, *, may_be_earlier: bool) -> Tokens | str:
        """What a new call used, or the rule by which there is none.

        `may_be_earlier`: nothing in the file so far shows that a call was made, so a total that others have filled
        comes with their last call.
        """
        previous = self._previous
        if total is None:
            return NO_CALL if last is None or last.is_nothing else last
        self._previous = total
        if total == previous or (total, last) in self._seen:
            return REPEATED
        self._seen.add((total, last))
        if previous is None and may_be_earlier and total != last:
            return EARLIER
        used = last if last is not None else _growth(total, previous)
        return NO_CALL if used.is_nothing else used


def _growth(total: Tokens, previous: Tokens | None) -> Tokens:
    """For releases that wrote only the total: a total that fell counts from nothing again."""
    return total if previous is None else total.minus(previous) or total
