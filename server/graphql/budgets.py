"""The `budgets` field: where every budget stands in its window, what was told, where a straight line leads."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any

import strawberry
from strawberry import Info

from finance.budgets import Standing
from semantic import QueryError
from server.budgets import BudgetState as StateOfBudget
from server.graphql.budget_types import (
    BudgetAction,
    BudgetPeriod,
    BudgetScope,
    BudgetState,
    BudgetTrigger,
    BudgetWindow,
    breakers_of,
    known_text,
    window_type,
)
from server.graphql.context import Context
from server.graphql.fields import Inputs, RootField
from server.graphql.scalars import BigInt

_EARLIEST = datetime(1970, 2, 1, tzinfo=UTC)
_LATEST = datetime(9000, 1, 1, tzinfo=UTC)
MOST_STANDINGS = 1_000
_A_MICROSECOND = timedelta(microseconds=1)
_MICROSECONDS_AN_HOUR = Decimal(3_600_000_000)


@strawberry.type(name="BudgetThreshold", description="A share of the limit that is told once.")
class BudgetThreshold:
    share: Decimal
    amount_usd: Decimal = strawberry.field(description="The share of the limit.")
    told_at: datetime | None = strawberry.field(
        description="When it was told; null where it was not, or where it was armed again since: the limit was raised "
        "above what was spent, or a correction closed the breaker."
    )


@strawberry.type(name="BudgetForecast", description="A straight line from the window's start through now.")
class BudgetForecast:
    elapsed_hours: Decimal = strawberry.field(description="Of the window, up to now or to its end.")
    projected_usd: Decimal | None = strawberry.field(
        description="Spend at the window's end; a lower bound where requests are unpriced. Null at its start."
    )
    is_breach: bool = strawberry.field(description="The limit is reached, or will be before the window ends.")
    breach_at: datetime | None = strawberry.field(
        description="When the line reaches the limit; null where it does not within the window, or where the limit is "
        "reached already (state OPEN)."
    )


@strawberry.type(name="BudgetStanding", description="Where a budget stands for one member of its scope.")
class BudgetStanding:
    member: str | None = strawberry.field(description="Which agent, model, trigger or session; null for everything.")
    window: BudgetWindow
    limit_usd: Decimal = strawberry.field(description="Of a window that has ended, the one that held then.")
    spent_usd: Decimal = strawberry.field(
        description="Cost of the requests that started in the window, and what is settled and not loaded yet."
    )
    unpriced_requests: BigInt = strawberry.field(
        description="Requests of unknown cost; where there are some, what is spent is a lower bound."
    )
    is_lower_bound: bool = strawberry.field(description="Some request of the window has no known cost.")
    held_usd: Decimal = strawberry.field(description="Reserved by requests in flight.")
    overshoot_usd: Decimal = strawberry.field(description="Spent beyond the limit; 0 where it is not passed.")
    state: BudgetState
    thresholds: list[BudgetThreshold]
    forecast: BudgetForecast


@strawberry.type(name="Budget", description="A limit on spend, and where it stands.")
class Budget:
    budget_id: str
    scope: BudgetScope
    member: str | None = strawberry.field(
        description="Which agent, model, trigger or session it is for; null: everything, or each on its own."
    )
    period: BudgetPeriod
    zone: str
    limit_usd: Decimal = strawberry.field(description="In force now.")
    action: BudgetAction
    exempt_triggers: list[BudgetTrigger] = strawberry.field(description="Never stopped.")
    unpriced_denied: list[BudgetTrigger] = strawberry.field(
        description="Denied where nobody knows what a request may cost."
    )
    was_watched: bool = strawberry.field(
        description="Whether thresholds were looked at in the window. Where not, the limit of its standings is the one "
        "in force now."
    )
    members: BigInt = strawberry.field(description="How many members have a standing; the list may have fewer.")
    standings: list[BudgetStanding] = strawberry.field(description="Nearest to the limit first.")


def _budgets(inputs: Inputs) -> Any:
    def read(
        info: Info[Context, None],
        budget_id: Annotated[str | None, strawberry.argument(description="Only this budget.")] = None,
        at: Annotated[
            datetime | None, strawberry.argument(description="In the windows that contain this instant; default: now.")
        ] = None,
        first: Annotated[
            int, strawberry.argument(description=f"Standings of each budget, up to {MOST_STANDINGS:,}.")
        ] = 100,
    ) -> list[Budget]:
        breakers, context = breakers_of(info.context), info.context
        known_text("budgetId", budget_id)
        if not 1 <= first <= MOST_STANDINGS:
            raise QueryError("BAD_LIMIT", f"first is 1 to {MOST_STANDINGS:,}, not {first:,}")
        if at is None:
            states = breakers.budgets(context.now)
        elif _EARLIEST <= at <= _LATEST:
            states = breakers.budgets_at(at, context.now, context.reader, context.deadline.remaining_ms())
        else:
            raise QueryError("BAD_TIME", f"at is an instant from 1970 to 9000, not {at.isoformat()}")
        chosen = [state for state in states if budget_id in (None, state.rule.budget_id)]
        return [_budget(state, context.now, first) for state in chosen]

    return strawberry.field(
        resolver=read,
        description="Where every budget stands in its window: spent, held, left to its limit, and what was told.",
    )


def _budget(state: StateOfBudget, now: datetime, first: int) -> Budget:
    rule = state.rule
    return Budget(
        budget_id=rule.budget_id,
        scope=BudgetScope(rule.scope),
        member=rule.member,
        period=BudgetPeriod(rule.period),
        zone=rule.zone,
        limit_usd=rule.limit_usd,
        action=BudgetAction("block" if rule.blocks else "alert"),
        exempt_triggers=[BudgetTrigger(name) for name in sorted(rule.exempt_triggers)],
        unpriced_denied=[BudgetTrigger(name) for name in sorted(rule.unpriced_denied)],
        was_watched=state.was_watched,
        members=BigInt(state.members),
        standings=[_standing(state, standing, now) for standing in state.standings[:first]],
    )


def _standing(state: StateOfBudget, standing: Standing, now: datetime) -> BudgetStanding:
    return BudgetStanding(
        member=standing.member,
        window=window_type(standing.window),
        limit_usd=standing.limit_usd,
        spent_usd=standing.spent_usd,
        unpriced_requests=BigInt(standing.unpriced_requests),
        is_lower_bound=standing.unpriced_requests > 0,
        held_usd=standing.held_usd,
        overshoot_usd=max(standing.spent_usd - standing.limit_usd, Decimal(0)),
        state=BudgetState(standing.state),
        thresholds=[_threshold(state, standing, share) for share in state.rule.thresholds],
        forecast=_forecast(standing, now),
    )


def _threshold(state: StateOfBudget, standing: Standing, share: Decimal) -> BudgetThreshold:
    times = [told.at for told in state.told if told.member == standing.member and told.threshold == share]
    is_told = share in state.armed.get(standing.member, frozenset())
    return BudgetThreshold(
        share=share,
        amount_usd=share * standing.limit_usd,
        told_at=times[-1] if is_told and times else None,
    )


def _forecast(standing: Standing, now: datetime) -> BudgetForecast:
    window, breach_at = standing.window, standing.projected_breach_at
    passed = max(min(now, window.ends_at) - window.starts_at, timedelta())
    return BudgetForecast(
        elapsed_hours=Decimal(passed // _A_MICROSECOND) / _MICROSECONDS_AN_HOUR,
        projected_usd=standing.projected_usd,
        is_breach=standing.state == "OPEN" or breach_at is not None,
        breach_at=breach_at,
    )


FIELDS = (RootField("budgets", _budgets, ("inference_cost",)),)
