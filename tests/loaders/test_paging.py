"""Pages that a token leads to: none is missed, none is read twice, and a list that never ends is no list."""

import pytest

from loaders.item import LoadError
from loaders.paging import Page, page_of, pages
from loaders.web import TryAgainError


def test_pages_are_read_until_the_last_one() -> None:
    book = {None: Page([1, 2], "b"), "b": Page([], "c"), "c": Page([3], None)}

    assert list(pages(book.__getitem__, "costs")) == [[1, 2], [], [3]]


def test_a_page_that_leads_back_ends_the_load() -> None:
    book = {None: Page([1], "b"), "b": Page([2], "c"), "c": Page([3], "b")}

    with pytest.raises(LoadError, match="costs: page 3 leads back to one that was read; the list would never end"):
        list(pages(book.__getitem__, "costs"))


def test_a_list_that_does_not_end_ends_the_load() -> None:
    with pytest.raises(LoadError, match="costs: the list does not end after 7 pages; nothing of it is stored"):
        list(pages(lambda token: Page([], f"{token}x"), "costs", most=7))


@pytest.mark.parametrize(
    ("said", "page"),
    [
        ({"data": [1], "has_more": True, "next_page": "p"}, Page([1], "p")),
        ({"data": [], "has_more": False, "next_page": None}, Page([], None)),
        ({"data": [], "has_more": False}, Page([], None)),
        ({"data": [], "has_more": False, "next_page": "left over"}, Page([], None)),
    ],
)
def test_a_page_says_whether_there_is_more(said: object, page: Page) -> None:
    assert page_of(said) == page


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ([], "must have a list 'data'"),
        ({"data": {}, "has_more": False}, "must have a list 'data'"),
        ({"data": []}, "has_more must be true or false, got None"),
        ({"data": [], "has_more": "false"}, "has_more must be true or false, got 'false'"),
        ({"data": [], "has_more": True}, "there is more and not where: next_page is None"),
        ({"data": [], "has_more": True, "next_page": ""}, "there is more and not where: next_page is ''"),
    ],
)
def test_what_is_no_page_is_asked_for_again(said: object, reason: str) -> None:
    with pytest.raises(TryAgainError, match=reason):
        page_of(said)
