"""Tags every call of the OpenAI and Anthropic clients with the session that is under way: copy this into your project.

    client = openai.OpenAI(base_url=PROXY + "/openai/v1", http_client=openai.DefaultHttpxClient(event_hooks=HOOKS))
    with session("run-42", agent="scout"):
        client.responses.create(...)

Threads and tasks have each their own session; one that was started inside a session belongs to it. An asynchronous
client takes `ASYNC_HOOKS`. The headers are for `clawback proxy`, which takes them off before a call goes on.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

_TAGS: ContextVar[dict[str, str]] = ContextVar("tags", default={})  # noqa: B039 - never changed, only replaced


@contextmanager
def session(session_id: str, agent: str | None = None) -> Iterator[None]:
    """Calls inside are of this session; one inside another replaces it until it ends."""
    tags = {"X-OpenClaw-Session-Id": session_id} | ({"X-OpenClaw-Agent-Id": agent} if agent else {})
    before = _TAGS.set(tags)
    try:
        yield
    finally:
        _TAGS.reset(before)


def tag(request: Any) -> None:
    request.headers.update(_TAGS.get())


async def tag_async(request: Any) -> None:
    tag(request)


HOOKS = {"request": [tag]}
ASYNC_HOOKS = {"request": [tag_async]}
