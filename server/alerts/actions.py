"""One round: look at the budgets, then the flag file, the gauges, the messages. In that order, because what stops money
must not wait for a receiver that does not answer.
"""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from threading import Lock

from finance.budgets import Alert, Standing
from server.alerts.channel import Budgets, Channel
from server.alerts.exposition import Evaluation, exposition
from server.alerts.files import write_whole
from server.alerts.flag_file import FlagFile, FlagFileError
from server.alerts.matrix import Matrix
from server.alerts.outbox import Outbox
from server.alerts.webhook import Webhook
from server.alerts.words import sentence
from server.settings import Settings
from store import StoreError

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Round:
    """What one round found and did."""

    standings: tuple[Standing, ...]
    alerts: tuple[Alert, ...]
    """Those that are new in this round."""
    is_flagged: bool | None
    """Whether the flag file is there; None where none is asked for, or it could not be set."""
    problems: tuple[str, ...]
    """What could not be done, a line each; it is tried again in the next round."""


@dataclass(slots=True)
class Actions:
    """Safe to use from many threads: one round at a time. Whoever makes it owns what `budgets` rests on."""

    budgets: Budgets
    channels: Sequence[Channel] = ()
    flag: FlagFile | None = None
    metrics_file: Path | None = None
    monotonic: Callable[[], float] = time.monotonic
    _outbox: Outbox = field(init=False)
    _lock: Lock = field(default_factory=Lock, init=False)

    def __post_init__(self) -> None:
        self._outbox = Outbox(self.budgets, self.channels, self.monotonic)

    @classmethod
    def of(cls, settings: Settings, budgets: Budgets, clock: Callable[[], datetime]) -> "Actions":
        """What the settings ask for. Raises `SettingsError` where the file of a token holds none."""
        flag = None if settings.flag_file is None else FlagFile(settings.flag_file)
        return cls(budgets, channels_of(settings, clock), flag, settings.metrics_file)

    def run(self, now: datetime) -> Round:
        """Raises `StoreError` where the budgets cannot be looked at; the flag file stays as it is then."""
        with self._lock:
            try:
                alerts = self.budgets.check(now)
                standings = self.budgets.standings(now)
            except StoreError as error:
                self._write_metrics(Evaluation((), now, error=str(error)))
                raise
            for alert in alerts:
                _LOG.warning("%s", sentence(alert))
            is_flagged, problems = self._set_flag(standings, now)
            problems += self._write_metrics(Evaluation(tuple(standings), now, self._outbox.deliveries()))
            problems += self._outbox.empty()
            return Round(tuple(standings), tuple(alerts), is_flagged, tuple(problems))

    def standings(self, now: datetime) -> list[Standing]:
        """Where budgets stand, without doing anything about it."""
        return self.budgets.standings(now)

    def page(self, now: datetime) -> str:
        """What a scrape reads: as of now, whether or not a round is due."""
        try:
            return exposition(Evaluation(tuple(self.budgets.standings(now)), now, self._outbox.deliveries()))
        except StoreError as error:
            _LOG.warning("the gauges cannot be computed: %s", error)
            return exposition(Evaluation((), now, error=str(error)))

    def _set_flag(self, standings: Sequence[Standing], now: datetime) -> tuple[bool | None, list[str]]:
        if self.flag is None:
            return None, []
        try:
            return self.flag.set(standings, now), []
        except FlagFileError as error:
            _LOG.error("%s", error)
            return None, [str(error)]

    def _write_metrics(self, evaluation: Evaluation) -> list[str]:
        path = self.metrics_file
        if path is None:
            return []
        try:
            write_whole(path, exposition(evaluation), 0o644)
        except OSError as error:
            problem = f"the metrics file {path} could not be written: {error.strerror or error}"
            _LOG.error("%s", problem)
            return [problem]
        return []


def channels_of(settings: Settings, clock: Callable[[], datetime]) -> list[Channel]:
    """The channels that the settings name."""
    channels: list[Channel] = []
    token = settings.matrix_token_stated()
    if settings.matrix_url is not None and settings.matrix_room is not None and token is not None:
        channels.append(Matrix(settings.matrix_url, settings.matrix_room, token))
    if settings.webhook_url is not None:
        secret = settings.webhook_secret
        url = settings.webhook_url.get_secret_value()
        channels.append(Webhook(url, clock, None if secret is None else secret.get_secret_value()))
    return channels
