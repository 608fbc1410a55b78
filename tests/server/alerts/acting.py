"""A server that watches its budgets by a clock of the test, as `clawback serve` makes it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.request import ProxyHandler, build_opener

from loaders import Task
from loaders.job import run_load
from loaders.kinds import LOADERS
from semantic import load_catalog
from server.alerts.actions import Actions
from server.alerts.watch import Watch
from server.app import create_app
from server.cli.notice import announced
from server.cli.opening import open_breakers
from server.settings import Settings
from store import LoadReport, Store
from tests.serving import running

REPOSITORY = Path(__file__).parents[3]
KEY = "the key"


@dataclass
class Clock:
    now: datetime

    def __call__(self) -> datetime:
        return self.now


@dataclass(frozen=True)
class Acting:
    url: str
    store: Store
    actions: Actions
    clock: Callable[[], datetime]

    def load(self, kind: str, path: Path) -> LoadReport:
        task = Task(str(path), self.clock())
        return run_load(self.store, kind, str(path), LOADERS[kind].read(task), now=self.clock())

    def metrics(self) -> list[str]:
        return self.get("/metrics").splitlines()

    def get(self, path: str) -> str:
        with build_opener(ProxyHandler({})).open(f"{self.url}{path}", timeout=20) as response:
            return str(response.read().decode())


@contextmanager
def acting(settings: Settings, clock: Callable[[], datetime]) -> Iterator[Acting]:
    catalog = load_catalog((REPOSITORY / "metrics.yaml").read_text(encoding="utf-8"))
    with Store.open(settings.store) as store, open_breakers(settings, store) as breakers:
        actions = Actions.of(settings, breakers, clock)
        watch = Watch(actions, clock, store.data_version, settings.budget_every_s)
        app = create_app(store, catalog, settings, clock, "one", key=KEY, breakers=breakers, watch=watch)
        with running(app) as url, announced(settings.store, url, "one", KEY):
            yield Acting(url, store, actions, clock)
