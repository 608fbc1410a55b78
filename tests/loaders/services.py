"""Each loader that asks a service, with a stub of it: for what holds whichever service it is."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from loaders import brave, elevenlabs, google, langfuse, litellm, xai
from loaders.item import Item, Note, Reached
from loaders.loader import Task
from loaders.web import Clock
from tests.loaders.brave import stub as brave_stub
from tests.loaders.elevenlabs import stub as elevenlabs_stub
from tests.loaders.google import stub as google_stub
from tests.loaders.http_stub import NOW, Time, served
from tests.loaders.langfuse import stub as langfuse_stub
from tests.loaders.litellm import stub as litellm_stub
from tests.loaders.scripted import Scripted
from tests.loaders.xai import stub as xai_stub

Read = Callable[[Task, Clock | None], Iterator[Item | Note]]


@dataclass(frozen=True)
class Kind:
    name: str
    read: Read
    token: str
    new: Callable[[], Scripted]
    location: str | None = None
    """None where it is the address of the service."""
    options: Mapping[str, str] = field(default_factory=dict)


KINDS = (
    Kind(
        "litellm",
        litellm.read,
        litellm_stub.TOKEN,
        lambda: litellm_stub.LiteLlm(rows=[litellm_stub.row("chatcmpl-1"), litellm_stub.row("chatcmpl-2")]),
    ),
    Kind(
        "langfuse",
        langfuse.read,
        langfuse_stub.TOKEN,
        lambda: langfuse_stub.Langfuse(observations=[langfuse_stub.generation()]),
    ),
    Kind("xai", xai.read, xai_stub.TOKEN, xai_stub.Xai, xai_stub.TEAM),
    Kind(
        "google",
        google.read,
        google_stub.TOKEN,
        lambda: google_stub.BigQueryApi(rows=[google_stub.line()]),
        google_stub.TABLE,
    ),
    Kind("elevenlabs", elevenlabs.read, elevenlabs_stub.TOKEN, elevenlabs_stub.ElevenLabs, "workspace"),
    Kind("brave", brave.read, brave_stub.TOKEN, brave_stub.Brave, "search", {"probe": "yes"}),
)


@dataclass
class Asking:
    """One service and the loads of it. Each load goes on from the last, unless `anew`."""

    kind: Kind
    stub: Scripted
    time: Time = field(default_factory=Time)
    cursor: str | None = None

    def task(self, token: str | None = "", **options: str) -> Task:
        given = {**self.kind.options, **({"url": self.stub.url} if self.kind.location else {}), **options}
        secret = self.kind.token if token == "" else token
        return Task(self.kind.location or self.stub.url, self.time.at, given, self.cursor, secret)

    @property
    def clock(self) -> Clock:
        return Clock(now=self.time.now, sleep=self.time.sleep, chance=lambda: 1.0)

    def load(self, token: str | None = "", anew: bool = False, **options: str) -> list[Item | Note]:
        if anew:
            self.cursor = None
        items = list(self.kind.read(self.task(token, **options), self.clock))
        if self.kind.name != "brave":
            assert isinstance(items[-1], Reached), "it says where it ended, at the end"
            self.cursor = items[-1].cursor
        return items


@contextmanager
def asking(name: str) -> Iterator[Asking]:
    kind = next(kind for kind in KINDS if kind.name == name)
    stub = kind.new()
    with served(stub.answer) as stub.url:
        yield Asking(kind, stub)


assert NOW.year == 2026, "the stubs have days of 2026"
