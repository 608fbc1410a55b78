from collections.abc import Callable, Iterator

import pytest

from loaders import github
from loaders.item import Item, Note, Reached
from loaders.loader import Task
from loaders.web import Clock
from tests.loaders.github.stub import NOW, TOKEN, GitHub, served

Load = Callable[..., list[Item | Note]]


@pytest.fixture
def hub() -> Iterator[GitHub]:
    hub = GitHub()
    with served(hub.answer) as hub.url:
        yield hub


@pytest.fixture
def load(hub: GitHub, clock: Clock) -> Load:
    """One load of acme/shop. It asks for what the last one has reached, unless `cursor` is given."""
    last: list[str | None] = [None]

    def run(token: str | None = TOKEN, location: str = "acme/shop", **options: str) -> list[Item | Note]:
        task = Task(location, NOW, {"url": hub.url, **options}, last[0], token)
        items = list(github.read(task, clock))
        assert isinstance(items[-1], Reached), "it says where it ended, at the end"
        last[0] = items[-1].cursor
        return items

    return run
