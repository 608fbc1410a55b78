from collections.abc import Callable, Iterator

import pytest

from loaders import openrouter
from loaders.item import Item, Note, Reached
from loaders.loader import Task
from loaders.web import Clock
from tests.loaders.http_stub import NOW, served
from tests.loaders.openrouter.stub import MANAGEMENT_KEY, OpenRouter

Load = Callable[..., list[Item | Note]]


@pytest.fixture
def provider() -> Iterator[OpenRouter]:
    provider = OpenRouter()
    with served(provider.answer) as provider.url:
        yield provider


@pytest.fixture
def load(provider: OpenRouter, clock: Clock) -> Load:
    """One load of acme; a later one goes on where the last has ended."""
    last: list[str | None] = [None]

    def run(token: str | None = MANAGEMENT_KEY, location: str = "acme", **options: str) -> list[Item | Note]:
        task = Task(location, NOW, {"url": f"{provider.url}/api/v1", **options}, last[0], token)
        items = list(openrouter.read(task, clock))
        assert isinstance(items[-1], Reached), "it says where it ended, at the end"
        last[0] = items[-1].cursor
        return items

    return run
