"""The router: asks which model is worth its money before each decision, and always has one in time.

    router = Router(RouterSettings("http://127.0.0.1:8321/graphql", ("small", "large"), "large"), careful)
    decision = router.choose("fix-a-bug")

`choose` never raises and never waits longer than `limit_s`; docs/clients.md has a table of what it does when.
"""

import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import Event, Lock, Thread

from examples.clients.router.asking import Asker
from examples.clients.router.bounded import Bounded
from examples.clients.router.choice import Choice, Policy
from examples.clients.router.evidence import QUERY, read_answer
from examples.clients.router.ground import Failure, Ground, Heard, Reason, Source, ground, kept_of

_LOG = logging.getLogger(__name__)
TICK_S = 0.5
MOST_REFRESHED = 8
"""Task classes, those that were asked about last."""


@dataclass(frozen=True, slots=True)
class RouterSettings:
    url: str
    models: tuple[str, ...]
    """That may be chosen, at most 50."""
    default_model: str
    token: str | None = field(default=None, repr=False)
    documents: Mapping[str, str] | None = None
    """The id of each operation, from `documents_of`, for a server that knows the manifest; None sends their texts."""
    limit_s: float = 0.05
    """Of the wait for a decision."""
    request_s: float = 2.0
    """Of a question in the background; late answers serve the next decision."""
    most_age_s: float = 3_600.0
    """Data older than this is no ground for a decision any more."""
    refresh_s: float = 30.0
    """How often what was asked lately is asked again, so that there is a last answer."""
    most_task_classes: int = 1_000


@dataclass(frozen=True, slots=True)
class Decision:
    """Log all of it with the session."""

    choice: Choice
    source: Source
    reason: Reason
    age_s: float | None
    """Of the data behind it; None for the default."""
    snapshot_id: int | None

    @property
    def model(self) -> str:
        return self.choice.model


class Router:
    """Safe to use from many threads; close it at the end."""

    def __init__(self, settings: RouterSettings, policy: Policy) -> None:
        self._settings = settings
        self._policy = policy
        self._asker = Asker(settings.url, settings.token, settings.request_s, settings.documents)
        self._bounded: Bounded[Heard] = Bounded(settings.limit_s)
        self._kept: OrderedDict[str | None, Heard | None] = OrderedDict()
        self._lock = Lock()
        self._ending = Event()
        self._refresher = Thread(target=self._refresh, name="clawback-refresh", daemon=True)
        self._refresher.start()

    def choose(self, task_class: str | None = None) -> Decision:
        """The model for a task of this class."""
        try:
            outcome = self._bounded.ask(task_class, self._question(task_class))
            return self._decided(task_class, outcome)
        except Exception:  # noqa: BLE001 - the promise of this method: its failure must not take the work down
            _LOG.exception("the router failed; the default model is taken")
            return self._default("ERROR")

    def close(self) -> None:
        self._ending.set()
        self._asker.end()
        self._refresher.join()
        self._bounded.close()
        self._asker.close()

    def _question(self, task_class: str | None) -> Callable[[], Heard]:
        def ask() -> Heard:
            models = self._settings.models
            data = self._asker.ask(QUERY, {"taskClass": task_class, "models": list(models)})
            heard = Heard(read_answer(data, models), time.monotonic())
            self._keep(task_class, heard)
            return heard

        return ask

    def _decided(self, task_class: str | None, outcome: Heard | Failure) -> Decision:
        now_s = time.monotonic()
        with self._lock:
            kept = self._kept.setdefault(task_class, None)
            self._kept.move_to_end(task_class)
            while len(self._kept) > self._settings.most_task_classes:
                self._kept.popitem(last=False)
        found = ground(outcome, kept, now_s, self._settings.most_age_s)
        return self._default(found.reason) if found.heard is None else self._chosen(found, found.heard, now_s)

    def _chosen(self, found: Ground, heard: Heard, now_s: float) -> Decision:
        choice = self._policy(heard.answer.models, self._settings.default_model)
        return Decision(choice, found.source, found.reason, heard.age_s(now_s), heard.answer.snapshot_id)

    def _default(self, reason: Reason) -> Decision:
        return Decision(Choice(self._settings.default_model, "NO_EVIDENCE", 1.0), "DEFAULT", reason, None, None)

    def _keep(self, task_class: str | None, heard: Heard) -> None:
        with self._lock:
            self._kept[task_class] = kept_of(self._kept.get(task_class), heard)

    def _refresh(self) -> None:
        """Asks again what is kept, beside the decisions, and ends what hangs."""
        due_s = time.monotonic() + self._settings.refresh_s
        while not self._ending.wait(min(TICK_S, self._settings.refresh_s)):
            self._asker.end_overdue()
            if time.monotonic() < due_s:
                continue
            due_s = time.monotonic() + self._settings.refresh_s
            with self._lock:
                known = list(self._kept)[-MOST_REFRESHED:]
            for task_class in known:
                self._bounded.ask(task_class, self._question(task_class), waits=False)
