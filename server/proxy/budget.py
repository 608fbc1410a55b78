"""Asks the server's budgets before a call: `mayISpend`, within a short deadline.

Nothing is held: the proxy does not know what a call will cost before it was made, so calls at the same time can go
beyond a limit together, by what they cost. The next one is refused as soon as they are stored.
"""

import asyncio
import logging
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

import httpx2
import orjson

from server.proxy.attribution import Attribution
from server.proxy.meters import Meters
from server.proxy.refusals import Refusal

_TRIGGERS = frozenset({"HUMAN", "CRON", "SUBAGENT", "HEARTBEAT", "WEBHOOK", "API"})
_QUESTION = """query ($trigger: BudgetTrigger!, $agent: String, $model: String, $session: String) {
  mayISpend(trigger: $trigger, agent: $agent, model: $model, session: $session) {
    decision reason budgetId member
    lines { budgetId member limitUsd spentUsd window { label endsAt } }
  }
}"""
_CLOSED = Refusal(503, "budget_unknown", "the budgets cannot be asked now, and calls wait for them", 5, may_retry=True)


_NEEDED = "a proxy that asks budgets needs a token with the role `router`"
FIRST_S = 15.0
"""How long the first question may take, for which no call waits."""
_LOG = logging.getLogger(__name__)


class _UnansweredError(Exception):
    """The message says why there is no answer."""


@dataclass(slots=True)
class Budgets:
    client: httpx2.AsyncClient
    fails: Literal["open", "closed"]
    meters: Meters
    deadline_s: float
    """For the whole answer; the client's own timeouts are those of each step."""
    problem: str | None = field(default=None, init=False)
    """Why the last question had no answer; None where it had one."""

    async def refusal(self, attribution: Attribution, model: str | None) -> Refusal | None:
        """None where the call may be made."""
        try:
            said = await self._asked(attribution, model, self.deadline_s)
        except _UnansweredError as error:
            self._tell(str(error))
            self.meters.budget.labels("none").inc()
            return _CLOSED if self.fails == "closed" else None
        self._tell(None)
        is_allowed = said["decision"] == "ALLOW"
        self.meters.budget.labels("allow" if is_allowed else "deny").inc()
        return None if is_allowed else _denial(said)

    async def try_once(self) -> None:
        """At the start: a server makes ready for a role that it has not met, which may take longer than a call waits.

        And whoever forgot the role is told before the first call.
        """
        try:
            await self._asked(Attribution(), None, FIRST_S)
        except _UnansweredError as error:
            self._tell(str(error))

    async def _asked(self, attribution: Attribution, model: str | None, deadline_s: float) -> dict[str, object]:
        """Raises `_UnansweredError`."""
        trigger = (attribution.trigger or "").upper()
        asked = {
            "trigger": trigger if trigger in _TRIGGERS else "UNKNOWN",
            "agent": attribution.agent,
            "model": model,
            "session": attribution.session_id,
        }
        body = orjson.dumps({"query": _QUESTION, "variables": asked})
        try:
            async with asyncio.timeout(deadline_s):
                headers = {"Content-Type": "application/json"}
                answer = await self.client.post("/graphql", content=body, headers=headers, timeout=deadline_s)
        except (httpx2.HTTPError, TimeoutError) as error:
            problem = type(error).__name__
        else:
            return _read(answer)
        # Outside of the handler: the error holds the request, and with it the token.
        raise _UnansweredError(f"no answer within {deadline_s * 1000:g} ms ({problem})")

    def _tell(self, problem: str | None) -> None:
        """Whoever forgot a role, or has a server that is away, learns that no limit holds, or that no call is made."""
        if problem is not None and self.problem is None:
            then = "go through without being asked" if self.fails == "open" else "are refused"
            _LOG.error("the budgets cannot be asked, and calls %s: %s", then, problem)
        elif problem is None and self.problem is not None:
            _LOG.warning("the budgets are asked again")
        self.problem = problem


def _read(answer: httpx2.Response) -> dict[str, object]:
    """Raises `_UnansweredError`, with the server's words where it has some."""
    try:
        body = orjson.loads(answer.content)
        if errors := body.get("errors"):
            words = str(errors[0]["message"])[:300].rstrip(".")
            raise _UnansweredError(f"the server answered {answer.status_code}: {words}; {_NEEDED}")
        said = body["data"]["mayISpend"]
        if isinstance(said, dict) and "decision" in said:
            return said
    except (ValueError, LookupError, TypeError, AttributeError):
        pass  # told below: it is not the answer of such a server
    raise _UnansweredError(f"the server answered {answer.status_code}, and that is no answer about budgets")


def _denial(said: dict[str, object]) -> Refusal:
    budget, member = said.get("budgetId"), said.get("member")
    whose = f"budget {budget}" + (f" of {member}" if member else "")
    listed = said.get("lines")
    lines = [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
    line = next((each for each in lines if each.get("budgetId") == budget and each.get("member") == member), None)
    window = line.get("window") if line else None
    if line is None or not isinstance(window, dict):
        return Refusal(429, "budget_exceeded", f"{whose} allows no more calls ({said.get('reason')})")
    spent = f"${_usd(line.get('spentUsd'))} of ${_usd(line.get('limitUsd'))} in {window.get('label')}"
    return Refusal(
        429, "budget_exceeded", f"{whose} is used up: {spent} ({said.get('reason')})", _seconds_to(window.get("endsAt"))
    )


def _usd(amount: object) -> str:
    """Every digit that says something.

    Example:
        >>> _usd("0.035275000000"), _usd("5.000000000000"), _usd("100")
        ('0.035275', '5', '100')
    """
    text = str(amount)
    return text.rstrip("0").rstrip(".") if "." in text else text


def _seconds_to(instant: object) -> int | None:
    try:
        at = datetime.fromisoformat(str(instant))
        return max(1, int((at - datetime.now(UTC)).total_seconds()) + 1)
    except (ValueError, TypeError):
        return None
