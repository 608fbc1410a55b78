"""Token counts of a span -> disjoint buckets.

The conventions say that the input contains what was cached. Some senders count it beside the input, as Anthropic's own
API does. Which of the two it is follows from the numbers alone: a total that fits one of them, or more cached than
input. Where both could be, the conventions are believed.

Half a usage is none: a stream that was cut off has told its input alone, and has used output, too.
"""

from loaders.openclaw.usage import Buckets
from loaders.otlp import names
from loaders.otlp.batch import Attributes, EntryError
from loaders.otlp.fields import count, first


def is_whole(attributes: Attributes, *, has_output: bool) -> bool:
    """Whether both counts are there; of an operation that has no output, its input."""
    return first(attributes, names.INPUT) is not None and (
        not has_output or first(attributes, names.OUTPUT) is not None
    )


def read_tokens(attributes: Attributes) -> Buckets | None:
    """None where nothing is said of usage; zeros alone say nothing either, for no call uses nothing.

    A count that is missing is 0 here: true of a total, which is a lower bound. Of a call see `is_whole`.

    Raises `EntryError` where a count is none, or the counts contradict each other.
    """
    prompt, output = count(attributes, *names.INPUT), count(attributes, *names.OUTPUT)
    if not prompt and not output:
        return None
    read = count(attributes, *names.CACHE_READ) or 0
    five_minutes, one_hour = _writes(attributes)
    cached = read + five_minutes + one_hour
    total = count(attributes, *names.TOTAL)
    uncached = (prompt or 0) - (0 if _is_beside(prompt or 0, cached, output or 0, total) else cached)
    return Buckets(uncached, read, five_minutes, one_hour, output or 0)


def _is_beside(prompt: int, cached: int, output: int, total: int | None) -> bool:
    """Whether the sender counts what was cached beside the input, against the conventions."""
    return cached > prompt or (cached > 0 and total == prompt + cached + output)


def _writes(attributes: Attributes) -> tuple[int, int]:
    """For five minutes and for an hour. What no attribute assigns was written for five minutes."""
    written = count(attributes, *names.CACHE_WRITE)
    five_minutes, one_hour = (count(attributes, *n) or 0 for n in (names.CACHE_WRITE_5M, names.CACHE_WRITE_1H))
    if written is None:
        return five_minutes, one_hour
    if five_minutes + one_hour > written:
        raise EntryError(
            f"cache writes are {five_minutes:,} for 5 minutes and {one_hour:,} for 1 hour, "
            f"but {written:,} together; which is right cannot be told"
        )
    return written - one_hour, one_hour
