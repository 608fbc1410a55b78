"""Empties the outbox: each channel for itself, in order, with longer and longer pauses where it does not work.

A pause is measured by a clock that never goes back, so that a machine whose time is corrected neither floods a receiver
nor falls silent.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from finance.budgets import Alert
from server.alerts.channel import Budgets, Channel, RefusedError, UntoldError
from server.alerts.exposition import Delivery

FIRST_PAUSE_S = 5.0
LONGEST_PAUSE_S = 900.0
MOST_PAUSE_S = 86_400.0
"""Whatever a receiver asks for."""
LONGEST_S = 30.0
"""For one channel in one go, so that a slow receiver does not hold up the budgets."""
MOST_AT_ONCE = 20
"""Messages that one channel is sent in one go; the others follow in the next."""
_LOG = logging.getLogger(__name__)


@dataclass(slots=True)
class _State:
    failures: int = 0
    not_before: float = 0.0
    error: str | None = None
    refused: set[str] = field(default_factory=set)
    """Alerts that the receiver does not want; they are tried again after a restart."""


@dataclass(slots=True)
class Outbox:
    """For one thread at a time."""

    budgets: Budgets
    channels: Sequence[Channel]
    monotonic: Callable[[], float]
    _states: dict[str, _State] = field(default_factory=dict, init=False)

    def empty(self) -> list[str]:
        """Tells what is to be told. Gives what went wrong, a line for each channel."""
        return [problem for channel in self.channels if (problem := self._empty(channel)) is not None]

    def deliveries(self) -> tuple[Delivery, ...]:
        """How each channel does."""
        return tuple(
            Delivery(c.name, self._state(c).error is None, len(self.budgets.undelivered(c.name))) for c in self.channels
        )

    def _state(self, channel: Channel) -> _State:
        return self._states.setdefault(channel.name, _State())

    def _empty(self, channel: Channel) -> str | None:
        state = self._state(channel)
        waiting = [alert for alert in self.budgets.undelivered(channel.name) if alert.alert_id not in state.refused]
        if channel.is_for_people:
            waiting = self._worth_telling(channel, waiting)
        began = self.monotonic()
        if waiting and began < state.not_before:
            return f"{channel.name}: {state.error}; {len(waiting):,} alerts wait"
        for alert in waiting[:MOST_AT_ONCE]:
            if self.monotonic() - began > LONGEST_S or not self._tell(channel, state, alert):
                break
        return f"{channel.name}: {state.error}" if waiting and state.error else None

    def _worth_telling(self, channel: Channel, waiting: Sequence[Alert]) -> list[Alert]:
        """Without thresholds that a higher one of the same budget, member and window has overtaken."""
        highest: dict[tuple[str, str | None], Alert] = {}
        overtaken: set[str] = set()
        for alert in waiting:
            of = alert.standing.budget_id, alert.standing.member
            if alert.kind == "RECOVERED":
                highest.pop(of, None)
                continue
            before = highest.get(of)
            highest[of] = alert
            if before is not None and before.standing.window == alert.standing.window:
                lower, highest[of] = sorted((before, alert), key=lambda one: one.threshold or Decimal(0))
                overtaken.add(lower.alert_id)
                self.budgets.delivered(lower.alert_id, channel.name)
        return [alert for alert in waiting if alert.alert_id not in overtaken]

    def _tell(self, channel: Channel, state: _State, alert: Alert) -> bool:
        """Whether the channel can be given the next alert."""
        try:
            channel.tell(alert)
        except RefusedError as error:
            state.refused.add(alert.alert_id)
            state.error = f"an alert was refused, the others are told: {error}"
            _LOG.warning("%s: %s", channel.name, state.error)
            return True
        except UntoldError as error:
            self._pause(channel, state, error)
            return False
        except Exception as mistake:  # noqa: BLE001 - a mistake of ours in one channel must not silence the others
            _LOG.exception("%s failed unexpectedly", channel.name)
            self._pause(channel, state, UntoldError(f"unexpected: {type(mistake).__name__}"))
            return False
        self.budgets.delivered(alert.alert_id, channel.name)
        state.failures, state.error = 0, None
        return True

    def _pause(self, channel: Channel, state: _State, error: UntoldError) -> None:
        grown = min(FIRST_PAUSE_S * 2.0 ** min(state.failures, 20), LONGEST_PAUSE_S)
        pause = min(max(error.pause_s or 0.0, LONGEST_PAUSE_S if error.is_lasting else grown), MOST_PAUSE_S)
        state.failures += 1
        state.not_before = self.monotonic() + pause
        state.error = str(error)
        _LOG.warning("%s: %s; tried again in %.0f s or later", channel.name, error, pause)
