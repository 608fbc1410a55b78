"""When to leave a server alone: a circuit breaker as a value. Whoever holds it gives the time and keeps the next one.

Closed, every question goes out. After some failures in a row it opens, and nobody waits for a server that does not
answer. After a pause one question is let through (half open): in time, it closes; else the pause doubles.
"""

from dataclasses import dataclass, replace
from typing import Literal

Gate = Literal["ASK", "PROBE", "LEAVE"]

MOST_FAILURES = 3
FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 30.0
LONGEST_ASKED_S = 300.0
"""How long a server may ask to be left alone."""


@dataclass(frozen=True, slots=True)
class Circuit:
    failures: int = 0
    """In a row."""
    pause_s: float = FIRST_PAUSE_S
    open_until_s: float | None = None
    """None while it is closed."""
    is_probing: bool = False

    def gate(self, now_s: float) -> Gate:
        if self.open_until_s is None:
            return "ASK"
        return "LEAVE" if self.is_probing or now_s < self.open_until_s else "PROBE"

    def probing(self) -> "Circuit":
        return replace(self, is_probing=True)

    def after_success(self) -> "Circuit":
        return Circuit()

    def after_failure(self, now_s: float, retry_after_s: float | None = None) -> "Circuit":
        """`retry_after_s`: the server asked for a pause, so that there is one whatever came before."""
        failures = self.failures + 1
        if retry_after_s is None and failures < MOST_FAILURES and self.open_until_s is None:
            return replace(self, failures=failures)
        pause = max(self.pause_s, min(retry_after_s or 0.0, LONGEST_ASKED_S))
        return Circuit(failures, min(self.pause_s * 2, LONGEST_PAUSE_S), now_s + pause)
