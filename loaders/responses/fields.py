"""Counts inside a `usage` object, by their path, and what they add up to.

A provider leaves out, or writes as null or 0, what a call did not use; a count that is stated twice must say the same.
"""

from loaders.openclaw.usage import Buckets
from loaders.openclaw.values import FieldError, Object, count


class UnknownShapeError(FieldError):
    """The object is not what any provider is known to answer, so nothing in it can be counted."""


def stated(usage: Object, *path: str) -> int | None:
    """The count at a path; None where it, or an object on the way to it, is absent or null."""
    value: object = usage
    for step in path:
        if value is None:
            return None
        if not isinstance(value, dict):
            raise FieldError(f"usage.{'.'.join(path)} must be in an object, got {str(value)[:60]!r}")
        value = value.get(step)
    return count(value, f"usage.{'.'.join(path)}")


def required(usage: Object, *path: str) -> int:
    value = stated(usage, *path)
    if value is None:
        raise UnknownShapeError(f"usage.{'.'.join(path)} is missing beside {', '.join(sorted(usage)[:8])}")
    return value


def agreed(usage: Object, *paths: tuple[str, ...]) -> int:
    """One count that gateways write under several names; 0 where none of them is there."""
    found = {path: value for path in paths if (value := stated(usage, *path))}
    if len(set(found.values())) > 1:
        said = ", ".join(f"{'.'.join(path)} {value}" for path, value in found.items())
        raise FieldError(f"usage says one count in two ways ({said}); which is right cannot be told")
    return next(iter(found.values()), 0)


def without_cached(prompt: int, read: int, written: int, *, may_exceed: bool = False) -> int:
    """What of a prompt was neither read from nor written to the cache, where the prompt's count contains both."""
    if read + written > prompt and not may_exceed:
        raise FieldError(
            f"usage says that {read:,} tokens were read from the cache and {written:,} written to it, "
            f"of a prompt of {prompt:,} that contains them"
        )
    return max(0, prompt - read - written)


def split_writes(written: int, five_minutes: int, one_hour: int) -> tuple[int, int]:
    """Cache writes by how long they are kept; what no field assigns was written for five minutes."""
    if five_minutes + one_hour > written:
        raise FieldError(
            f"usage splits the cache writes into {five_minutes:,} for 5 minutes and {one_hour:,} for 1 hour, "
            f"but says that they are {written:,} together"
        )
    return written - one_hour, one_hour


def check_total(usage: Object, name: str, expected: int) -> None:
    """Refuses counts that do not make the total beside them: something was served that no field tells."""
    total = stated(usage, name)
    if total is not None and total != expected:
        raise FieldError(f"usage.{name} is {total:,}, but its parts make {expected:,}; what the rest is cannot be told")


def sum_of(buckets: Buckets) -> int:
    writes = buckets.cache_write_5m + buckets.cache_write_1h
    return buckets.uncached_input + buckets.cache_read + writes + buckets.output
