"""Asks for the money before a model is called, and tells what it has cost after.

    permit = purse.reserve("CRON", Decimal("0.25"), model=decision.model, agent="main")
    if permit.is_allowed:
        ...
        purse.settle(permit, actual_usd, request_key)

`reserve` waits no longer than the limit. Where nobody answers in time the trigger decides: by default what a human
started goes on, and what a machine started waits. `settle` and `release` never wait.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from threading import Lock
from typing import Any, Literal

from examples.clients.router.asking import Asker
from examples.clients.router.bounded import Bounded
from examples.clients.router.evidence import MalformedError
from examples.clients.router.ground import Failure
from examples.clients.router.telling import Permit, Teller

RESERVE = """
mutation Reserve(
  $trigger: BudgetTrigger!, $agent: String, $model: String, $session: String, $maxUsd: Decimal, $ttlSeconds: Int = 600
) {
  reserve(
    trigger: $trigger, agent: $agent, model: $model, session: $session, maxUsd: $maxUsd, ttlSeconds: $ttlSeconds
  ) { decision reason hold { holdId } }
}
"""
MAY = """
query MayISpend($trigger: BudgetTrigger!, $agent: String, $model: String, $session: String, $maxUsd: Decimal) {
  mayISpend(trigger: $trigger, agent: $agent, model: $model, session: $session, maxUsd: $maxUsd) { decision reason }
}
"""
Trigger = Literal["HUMAN", "CRON", "SUBAGENT", "HEARTBEAT", "WEBHOOK", "API", "UNKNOWN"]


@dataclass(frozen=True, slots=True)
class PurseSettings:
    url: str
    token: str | None = field(default=None, repr=False)
    documents: Mapping[str, str] | None = None
    """The id of each operation, from `documents_of`, for a server that knows the manifest; None sends their texts."""
    limit_s: float = 0.05
    request_s: float = 2.0
    allowed_when_unknown: frozenset[str] = frozenset({"HUMAN"})
    """Triggers that go on where no answer comes in time."""
    hold_s: int = 600
    """When a hold ends by itself; longer than any request takes."""


@dataclass(slots=True)
class _Answer:
    """Of one `reserve`, between whoever waits for it and the thread that asks."""

    lock: Lock = field(default_factory=Lock)
    permit: Permit | None = None
    given_up: Permit | None = None
    """What was returned in its place."""


class Purse:
    """Safe to use from many threads; close it at the end."""

    def __init__(self, settings: PurseSettings) -> None:
        self._settings = settings
        self._asker = Asker(settings.url, settings.token, settings.request_s, settings.documents)
        self._bounded: Bounded[Permit] = Bounded(settings.limit_s)
        self._teller = Teller(self._asker)

    @property
    def lost(self) -> int:
        """Settlements that could not be told."""
        return self._teller.lost

    def may_spend(self, trigger: Trigger, max_usd: Decimal | None = None, **about: str | None) -> Permit:
        """Whether a request would fit now; nothing is held. `about`: agent, model, session."""
        asked = _asked(trigger, max_usd, about)
        outcome = self._ask(lambda: _permit(self._asker.ask(MAY, asked).get("mayISpend")))
        return outcome if isinstance(outcome, Permit) else self._unknown(trigger, outcome)

    def reserve(self, trigger: Trigger, max_usd: Decimal | None = None, **about: str | None) -> Permit:
        """Holds the most that a request may cost. `about`: agent, model, session."""
        asked = {**_asked(trigger, max_usd, about), "ttlSeconds": self._settings.hold_s}
        answer = _Answer()

        def work() -> Permit:
            permit = _permit(self._asker.ask(RESERVE, asked).get("reserve"))
            with answer.lock:
                answer.permit = permit
                if answer.given_up is not None:
                    self._came_late(answer.given_up, permit)
            return permit

        outcome = self._ask(work)
        if isinstance(outcome, Permit):
            return outcome
        with answer.lock:
            answer.given_up = self._unknown(trigger, outcome)
            return answer.permit or answer.given_up

    def settle(self, permit: Permit, actual_usd: Decimal, request_key: str | None = None) -> None:
        """Tells what a request has cost. With the key of the request it counts once when the request is loaded."""
        self._teller.settle(permit, actual_usd, request_key)

    def release(self, permit: Permit) -> None:
        """Tells that a request came to nothing."""
        self._teller.release(permit)

    def close(self, within_s: float = 5.0) -> None:
        """Tells what is still to be told, for so long."""
        self._teller.drain(within_s)
        self._asker.end()
        self._teller.close()
        self._bounded.close()
        self._asker.close()

    def _ask(self, work: Callable[[], Permit]) -> Permit | Failure:
        """Nobody joins the question of another here: two requests need two holds."""
        self._asker.end_overdue()
        return self._bounded.ask(object(), work)

    def _unknown(self, trigger: Trigger, failure: Failure) -> Permit:
        late_until_s = time.monotonic() + 2 * self._settings.request_s if failure == "TIMEOUT" else 0.0
        return Permit(trigger in self._settings.allowed_when_unknown, failure, None, late_until_s)

    def _came_late(self, given_up: Permit, permit: Permit) -> None:
        """The request that went on gets the hold; of one that did not, the money is given back at once."""
        if given_up.is_allowed:
            given_up.hold_id = permit.hold_id
        else:
            self.release(permit)


def _asked(trigger: Trigger, max_usd: Decimal | None, about: dict[str, str | None]) -> dict[str, Any]:
    if unknown := about.keys() - {"agent", "model", "session"}:
        raise TypeError(f"a request is about agent, model and session, not {', '.join(sorted(unknown))}")
    return {"trigger": trigger, "maxUsd": None if max_usd is None else format(max_usd, "f"), **about}


def _permit(found: Any) -> Permit:
    """`MalformedError` for anything but an answer to `RESERVE` or `MAY`."""
    try:
        decision, reason, hold = found["decision"], found["reason"], found.get("hold")
        hold_id = None if hold is None else hold["holdId"]
    except (LookupError, TypeError, AttributeError) as error:
        raise MalformedError(f"the answer has another form: {error!r}") from error
    if decision not in ("ALLOW", "DENY") or not isinstance(reason, str) or not isinstance(hold_id, str | None):
        raise MalformedError(f"{decision!r} for {reason!r} is no decision")
    return Permit(decision == "ALLOW", reason, hold_id)
