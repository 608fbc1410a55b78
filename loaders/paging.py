"""Pages that are led to by a token, as Anthropic, OpenAI and others give them: no page is missed and none read twice.

A list that is cut off looks just like one that is whole, so everything that could cut one off ends the load.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeGuard

from loaders.item import LoadError
from loaders.web import TryAgainError

MOST_PAGES = 5_000
_LONGEST_TOKEN = 4_000


@dataclass(frozen=True, slots=True)
class Page:
    entries: list[object]
    following: str | None
    """What leads to the next page; None on the last one."""


def page_of(said: object, entries: str = "data") -> Page:
    """A page of the form `{"data": [...], "has_more": true, "next_page": "..."}`.

    Raises `TryAgainError` for anything else, also where there is more and nothing says where.
    """
    if not isinstance(said, dict) or not isinstance(said.get(entries), list):
        raise TryAgainError(f"the answer is no page: it must have a list {entries!r}")
    has_more, following = said.get("has_more"), said.get("next_page")
    if not isinstance(has_more, bool):
        raise TryAgainError(f"the answer is no page: has_more must be true or false, got {has_more!a:.60}")
    if not has_more:
        return Page(said[entries], None)
    if not is_token(following):
        raise TryAgainError(f"the answer says that there is more and not where: next_page is {following!a:.60}")
    return Page(said[entries], following)


def is_token(said: object) -> TypeGuard[str]:
    """Whether this can lead to a page: it becomes part of an address."""
    return isinstance(said, str) and 0 < len(said) <= _LONGEST_TOKEN and said.isascii() and said.isprintable()


def pages(ask: Callable[[str | None], Page], what: str, most: int = MOST_PAGES) -> Iterator[list[object]]:
    """The entries of each page. `ask` is given the token of a page, None for the first.

    It has to ask with all the parameters that it asked for the first page with: some servers forget them.

    Raises `LoadError` where a page leads to one that was read already, or where there are more than `most`.
    """
    been: set[str | None] = set()
    token: str | None = None
    while token not in been:
        if len(been) >= most:
            raise LoadError(f"{what}: the list does not end after {most:,} pages; nothing of it is stored")
        been.add(token)
        page = ask(token)
        yield page.entries
        if page.following is None:
            return
        token = page.following
    raise LoadError(f"{what}: page {len(been)} leads back to one that was read; the list would never end")
