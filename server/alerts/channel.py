"""What the actions need of the budgets, and what a way of telling people must offer: two small protocols."""

from datetime import datetime
from typing import Protocol

from finance.budgets import Alert, Standing


class Budgets(Protocol):
    """Where budgets stand, and an outbox of what is to be told that outlives the process."""

    def standings(self, now: datetime) -> list[Standing]:
        """Every budget and member in the window of `now`."""
        ...

    def check(self, now: datetime) -> list[Alert]:
        """Puts what has newly happened into the outbox, once, and gives it."""
        ...

    def undelivered(self, channel: str) -> list[Alert]:
        """What a channel has not told yet, oldest first."""
        ...

    def delivered(self, alert_id: str, channel: str) -> None:
        """Takes an alert out of the outbox of one channel."""
        ...


class Channel(Protocol):
    """One way of telling people."""

    @property
    def name(self) -> str:
        """Under which the outbox keeps what it has told; it stays the same for as long as the receiver does."""
        ...

    @property
    def is_for_people(self) -> bool:
        """Whether a lower threshold is not worth a message where a higher one waits beside it."""
        ...

    def tell(self, alert: Alert) -> None:
        """Returns once the receiver has taken it. Told twice, the receiver must see one. Raises `UntoldError`."""
        ...


class UntoldError(Exception):
    """The receiver did not take an alert; the message says why and holds no secret."""

    def __init__(self, reason: str, *, pause_s: float | None = None, is_lasting: bool = False) -> None:
        super().__init__(reason)
        self.pause_s = pause_s
        """What the receiver asks for; None where it asks for nothing."""
        self.is_lasting = is_lasting
        """Trying again soon is of no use: somebody has to change something first."""


class RefusedError(UntoldError):
    """The receiver refuses this very alert, and may take others."""
