"""Asks the server's budgets before a call: `mayISpend`, within a short deadline.

Nothing is held: the proxy does not know what a call will cost before it was made, so calls at the same time can go
beyond a limit together, by what they cost. The next one is refused as soon as they are stored.
"""

import asyncio
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Budgets:
    client: httpx2.AsyncClient
    fails: Literal["open", "closed"]
    meters: Meters
    deadline_s: float
    """For the whole answer; the client's own timeouts are those of each step."""

    async def refusal(self, attribution: Attribution, model: str | None) -> Refusal | None:
        """None where the call may be made."""
        said = await self._asked(attribution, model)
        if said is None:
            self.meters.budget.labels("none").inc()
            return _CLOSED if self.fails == "closed" else None
        is_allowed = said["decision"] == "ALLOW"
        self.meters.budget.labels("allow" if is_allowed else "deny").inc()
        return None if is_allowed else _denial(said)

    async def _asked(self, attribution: Attribution, model: str | None) -> dict[str, object] | None:
        trigger = (attribution.trigger or "").upper()
        asked = {
            "trigger": trigger if trigger in _TRIGGERS else "UNKNOWN",
            "agent": attribution.agent,
            "model": model,
            "session": attribution.session_id,
        }
        body = orjson.dumps({"query": _QUESTION, "variables": asked})
        try:
            async with asyncio.timeout(self.deadline_s):
                answer = await self.client.post("/graphql", content=body, headers={"Content-Type": "application/json"})
            said = orjson.loads(answer.content)["data"]["mayISpend"]
        except (httpx2.HTTPError, TimeoutError, ValueError, KeyError, TypeError):
            return None
        return said if isinstance(said, dict) and "decision" in said else None


def _denial(said: dict[str, object]) -> Refusal:
    budget, member = said.get("budgetId"), said.get("member")
    whose = f"budget {budget}" + (f" of {member}" if member else "")
    listed = said.get("lines")
    lines = [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
    line = next((each for each in lines if each.get("budgetId") == budget and each.get("member") == member), None)
    window = line.get("window") if line else None
    if line is None or not isinstance(window, dict):
        return Refusal(429, "budget_exceeded", f"{whose} allows no more calls ({said.get('reason')})")
    spent = f"${line.get('spentUsd')} of ${line.get('limitUsd')} in {window.get('label')}"
    return Refusal(
        429, "budget_exceeded", f"{whose} is used up: {spent} ({said.get('reason')})", _seconds_to(window.get("endsAt"))
    )


def _seconds_to(instant: object) -> int | None:
    try:
        at = datetime.fromisoformat(str(instant))
        return max(1, int((at - datetime.now(UTC)).total_seconds()) + 1)
    except (ValueError, TypeError):
        return None
