"""`mayISpend`, `reserve`, `settle` and `release`: what whoever is about to call a model asks and tells."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

import strawberry
from strawberry import Info

from semantic import QueryError
from server.budgets import Wish
from server.budgets.breakers import MOST_TTL_S, TTL_S
from server.graphql.budget_types import (
    AdmissionReason,
    BudgetDecision,
    BudgetLine,
    BudgetTrigger,
    HoldStateName,
    answer_fields,
    breakers_of,
    known_text,
)
from server.graphql.context import Context
from server.graphql.fields import ROUTER, Inputs, RootField
from server.graphql.scalars import BigInt
from store.ledger import MOST_USD, Hold, HoldError

NEEDS = ("inference_cost",)

_TriggerArgument = Annotated[
    BudgetTrigger, strawberry.argument(description="What started the session; budgets may exempt some.")
]
_AgentArgument = Annotated[str | None, strawberry.argument(description="Budgets of agents apply where it is given.")]
_ModelArgument = Annotated[str | None, strawberry.argument(description="Budgets of models apply where it is given.")]
_SessionArgument = Annotated[
    str | None, strawberry.argument(description="Its id; budgets of sessions apply where it is given.")
]
_MaxArgument = Annotated[
    Decimal | None,
    strawberry.argument(description="The most that the request may cost; left out where nobody can say."),
]


@strawberry.type(name="MaySpend", description="Whether a request would fit now. Nothing is held for it.")
class MaySpend:
    decision: BudgetDecision
    reason: AdmissionReason
    budget_id: str | None = strawberry.field(description="The budget that denies it; null where none does.")
    member: str | None = strawberry.field(description="Whose limit denies it; null for everything.")
    left_usd: Decimal | None = strawberry.field(
        description="The least that a budget about it has left before it; null where no budget stops requests."
    )
    lines: list[BudgetLine] = strawberry.field(description="One for each budget that is about the request.")
    data_version: BigInt = strawberry.field(description="Of the data that was spent.")
    is_stale: bool = strawberry.field(description="Newer data was loaded in the last seconds and is not counted yet.")


@strawberry.type(name="ReservedHold", description="What is reserved for a request in flight.")
class ReservedHold:
    hold_id: str
    state: HoldStateName
    reserved_at: datetime
    expires_at: datetime
    max_usd: Decimal | None = strawberry.field(description="Held; null where nobody could say, then nothing is.")
    actual_usd: Decimal | None = strawberry.field(description="What it has cost; null until it is settled.")
    request_key: str | None = strawberry.field(description="The loaded request that takes its place.")


@strawberry.type(name="Reservation", description="A request that holds its maximum in every budget, or in none.")
class Reservation(MaySpend):
    hold: ReservedHold | None = strawberry.field(description="To be settled or released; null where it is denied.")


def _may(inputs: Inputs) -> Any:
    def read(
        info: Info[Context, None],
        trigger: _TriggerArgument,
        agent: _AgentArgument = None,
        model: _ModelArgument = None,
        session: _SessionArgument = None,
        max_usd: _MaxArgument = None,
    ) -> MaySpend:
        breakers = breakers_of(info.context)
        answer = breakers.may(_wish(trigger, agent, model, session, max_usd), info.context.now)
        return MaySpend(**answer_fields(answer))

    return strawberry.field(
        resolver=read,
        description="Whether a request would fit into every budget about it, from memory. Two that ask at once are "
        "told the same; to be sure of the place, `reserve` it.",
    )


def _reserve(inputs: Inputs) -> Any:
    def write(
        info: Info[Context, None],
        trigger: _TriggerArgument,
        agent: _AgentArgument = None,
        model: _ModelArgument = None,
        session: _SessionArgument = None,
        max_usd: _MaxArgument = None,
        ttl_seconds: Annotated[
            int, strawberry.argument(description=f"When the hold expires by itself, up to {MOST_TTL_S:,}.")
        ] = TTL_S,
    ) -> Reservation:
        breakers = breakers_of(info.context)
        if not 1 <= ttl_seconds <= MOST_TTL_S:
            raise QueryError("BAD_VALUE", f"ttlSeconds is 1 to {MOST_TTL_S:,}, not {ttl_seconds:,}")
        wish = _wish(trigger, agent, model, session, max_usd)
        try:
            answer, hold = breakers.reserve(wish, info.context.now, ttl_seconds)
        except HoldError as error:
            raise QueryError(error.code, error.message) from error
        return Reservation(**answer_fields(answer), hold=None if hold is None else _hold(hold))

    return strawberry.mutation(
        resolver=write,
        description="Holds the maximum of a request in every budget about it, in one step, so that requests at the "
        "same time never hold more than a limit together. Settle or release it; else it expires.",
    )


def _settle(inputs: Inputs) -> Any:
    def write(
        info: Info[Context, None],
        hold_id: str,
        actual_usd: Decimal,
        request_key: Annotated[
            str | None,
            strawberry.argument(description="`requestKey` of the request when it is loaded: what makes it count once."),
        ] = None,
    ) -> ReservedHold:
        breakers = breakers_of(info.context)
        amount, key = _amount("actualUsd", actual_usd), known_text("requestKey", request_key)
        try:
            return _hold(breakers.settle(hold_id, amount, key, info.context.now))
        except HoldError as error:
            raise QueryError(error.code, error.message) from error

    return strawberry.mutation(
        resolver=write,
        description="A request is over and has cost so much, also where that is more than was held, or the hold has "
        "expired. The same again changes nothing.",
    )


def _release(inputs: Inputs) -> Any:
    def write(info: Info[Context, None], hold_id: str) -> ReservedHold:
        breakers = breakers_of(info.context)
        try:
            return _hold(breakers.release(hold_id, info.context.now))
        except HoldError as error:
            raise QueryError(error.code, error.message) from error

    return strawberry.mutation(
        resolver=write, description="A request came to nothing. A hold that is settled stays settled."
    )


def _wish(trigger: Any, agent: str | None, model: str | None, session: str | None, max_usd: Decimal | None) -> Wish:
    return Wish(
        trigger=str(trigger.value),
        agent=known_text("agent", agent),
        model=known_text("model", model),
        session=known_text("session", session),
        max_usd=None if max_usd is None else _amount("maxUsd", max_usd),
    )


def _amount(name: str, usd: Decimal) -> Decimal:
    if not 0 <= usd <= MOST_USD:
        raise QueryError("BAD_VALUE", f"{name} is an amount from 0 to {MOST_USD:,} USD, not {usd:f}")
    return usd


def _hold(hold: Hold) -> ReservedHold:
    return ReservedHold(
        hold_id=hold.hold_id,
        state=HoldStateName(hold.state),
        reserved_at=hold.reserved_at,
        expires_at=hold.expires_at,
        max_usd=hold.max_usd,
        actual_usd=hold.actual_usd,
        request_key=hold.request_key,
    )


FIELDS = (
    RootField("may_i_spend", _may, NEEDS, roles=ROUTER),
    RootField("reserve", _reserve, NEEDS, is_mutation=True, roles=ROUTER),
    RootField("settle", _settle, NEEDS, is_mutation=True, roles=ROUTER),
    RootField("release", _release, NEEDS, is_mutation=True, roles=ROUTER),
)
