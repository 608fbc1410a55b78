"""Copies of one answer that follow each other: written down line by line while it streamed, they become one record.

The store would merge them into the same row. Doing it here spares the price, the staged line and the merge of all
copies but one, which is most of the work where a program writes each answer three times or more.
"""

from dataclasses import fields, replace
from operator import attrgetter

from loaders.item import Parsed
from store import Request

MOST_AT_ONCE = 100
"""A file that repeats one answer for ever is not held in memory."""
_SAME = attrgetter(
    *(field.name for field in fields(Request) if field.name not in {"started_at", "ended_at", "output_tokens"})
)


def goes_on(earlier: Parsed, later: Parsed) -> bool:
    """Whether the later line says all that the earlier one says, and nothing else but more output at a later time."""
    if len(earlier.records) != 1 or len(later.records) != 1:
        return False
    one, other = earlier.records[0], later.records[0]
    if not isinstance(one, Request) or not isinstance(other, Request) or one.request_key != other.request_key:
        return False
    return (
        one.output_tokens is not None
        and other.output_tokens is not None
        and one.output_tokens <= other.output_tokens
        and one.started_at is not None
        and other.started_at is not None
        and one.started_at <= other.started_at
        and one.ended_at is not None
        and other.ended_at is not None
        and one.ended_at <= other.ended_at
        and bool(_SAME(one) == _SAME(other))
    )


def merged(first: Request, last: Request) -> Request:
    """The row that the store would make of copies of which each one goes on with the one before."""
    return replace(last, started_at=first.started_at)
