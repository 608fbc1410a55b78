"""What the stubs of providers share: a key, a script of what goes wrong first, and a note of what was asked."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

from tests.loaders.http_stub import Asked, Reply


def said(status: int, body: object, **headers: str) -> Reply:
    """An answer in JSON; `Retry_After` is the header Retry-After."""
    return Reply(status, json.dumps(body).encode(), {name.replace("_", "-"): value for name, value in headers.items()})


def query(asked: Asked) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(asked.path).query).items()}


def place(asked: Asked) -> str:
    return urlsplit(asked.path).path


@dataclass
class Scripted:
    """A provider. A subclass says with which header it is asked, and what it answers when nothing is wrong."""

    script: list[Reply | Callable[[Asked], Reply | None]] = field(default_factory=list)
    """Each answers one request, in its order; one that gives None lets it pass."""
    asked: list[Asked] = field(default_factory=list)
    url: str = ""

    def answer(self, asked: Asked) -> Reply:
        self.asked.append(asked)
        if self.script:
            scripted = self.script.pop(0)
            reply = scripted if isinstance(scripted, Reply) else scripted(asked)
            if reply is not None:
                return reply
        name, value = self.key()
        if asked.headers.get(name) != value:
            return said(401, {"error": {"message": "Invalid credentials", "code": 401}})
        return self.usual(asked)

    def key(self) -> tuple[str, str]:
        """The header, in lower case, and its value, without which nothing is answered."""
        raise NotImplementedError

    def usual(self, asked: Asked) -> Reply:
        raise NotImplementedError
