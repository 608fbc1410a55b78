from collections.abc import Callable, Iterator

import pytest

from loaders import anthropic
from loaders.item import Item, Note, Reached
from loaders.loader import Task
from loaders.web import Clock
from tests.loaders.anthropic.stub import KEY, Anthropic
from tests.loaders.http_stub import NOW, served

Load = Callable[..., list[Item | Note]]


@pytest.fixture
def provider() -> Iterator[Anthropic]:
    provider = Anthropic()
    with served(provider.answer) as provider.url:
        yield provider


@pytest.fixture
def load(provider: Anthropic, clock: Clock) -> Load:
    """One load of acme from 2026-11-19 on; a later one goes on where the last has ended."""
    last: list[str | None] = [None]

    def run(token: str | None = KEY, location: str = "acme", **options: str) -> list[Item | Note]:
        task = Task(location, NOW, {"url": provider.url, "since": "2026-11-19", **options}, last[0], token)
        items = list(anthropic.read(task, clock))
        assert isinstance(items[-1], Reached), "it says where it ended, at the end"
        last[0] = items[-1].cursor
        return items

    return run
