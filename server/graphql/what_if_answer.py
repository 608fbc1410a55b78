"""What a `whatIf` answers: both sides, what is in neither, the total, and the parts of it that are read when asked."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Annotated, Any

import strawberry
from strawberry import Parent, argument

from finance.what_if import LABEL, Comparison, Group, break_even_multiplier, compare
from semantic import Filter, QueryError
from server.graphql.context import Context
from server.graphql.generated import enum_type
from server.graphql.scalars import BigInt
from server.graphql.what_if_success import WhatIfSuccess, read_success
from server.repricing import LeftOut, Repricing
from server.slices import Slice

MOST_PARTS = 100

WhatIfPer = enum_type("WhatIfPer", ("session", "request"), "What a what-if is broken down to.")
_KEYS: dict[str, Any] = {"session": "session_id", "request": "request_key"}


@dataclass(frozen=True)
class Asked:
    """One what-if with what its fields are read from."""

    context: Context
    provider: str
    model: str
    multiplier: Decimal
    success_delta: Decimal
    task_value: Decimal | None
    slice: Callable[[Filter | None], Slice]
    where: Filter | None

    @cached_property
    def repricing(self) -> Repricing:
        target = (self.provider, self.model)
        reader, remaining = self.context.reader, self.context.deadline.remaining_ms
        return Repricing.of(reader, self.slice(self.where), target, self.multiplier, remaining)

    @cached_property
    def left_out(self) -> list[LeftOut]:
        return self._compared[1]

    @cached_property
    def comparison(self) -> Comparison:
        return compare(self.repricing.own, self.repricing.target, self._compared[0], self.multiplier)

    @cached_property
    def _compared(self) -> tuple[list[Group], list[LeftOut]]:
        return self.repricing.compared()


@strawberry.type(description="Calls that are in neither side of a comparison, so that both are about the same calls.")
class WhatIfLeftOut:
    reason: str = strawberry.field(
        description="NO_TARGET_PRICE: the other model has no price line then. NO_TARGET_PRICE_FOR_CACHE_WRITE_5M and "
        "the like: its line has no price for tokens that the call used. NO_PRICE_OF_ITS_OWN: the call's own model has "
        "no list price. MISSING_USAGE: its tokens are not known. PART_WITHOUT_PRICE: a part of it has a price that no "
        "line states. TOTAL_OF_CALLS: a total of several calls, whose price depends on how large each was. "
        "COST_UNKNOWN: what was paid is not known."
    )
    calls: BigInt
    actual_usd: Decimal = strawberry.field(description="What is known of their effective cost.")


@strawberry.type(description="At how many times the tokens the other model costs as much as the list price that was.")
class WhatIfBreakEven:
    token_multiplier: Decimal | None = strawberry.field(
        description="With the tiers of the larger prompts; below 1 where the other model is dearer."
    )
    status: str = strawberry.field(
        description="OK, or why there is none: FREE, the other model's tokens cost nothing; FEES_ALONE_COST_MORE; "
        "TIER_STEP, the cost jumps over the break-even at a tier; NOTHING_TO_COMPARE."
    )


@strawberry.type(description="One session or one call of a what-if.")
class WhatIfPart:
    key: str = strawberry.field(description="The id of the session, or the key of the call.")
    calls: BigInt
    actual_usd: Decimal = strawberry.field(description="Effective cost.")
    actual_list_usd: Decimal = strawberry.field(description="At the list price of its own model.")
    what_if_usd: Decimal = strawberry.field(description="At the list price of the other model.")
    saving_usd: Decimal = strawberry.field(description="`actualListUsd` - `whatIfUsd`.")


@strawberry.type(description="Everything in the time of the question, whether it is repriced or not.")
class WhatIfTotal:
    actual_usd: Decimal = strawberry.field(description="Effective cost; a lower bound where a cost is unknown.")
    what_if_usd: Decimal = strawberry.field(
        description="The same with the compared calls on the other model: their effective cost is taken out, their "
        "what-if is put in."
    )
    unpriced_calls: BigInt = strawberry.field(description="Calls of unknown cost, which are in neither sum.")
    status: str = strawberry.field(description="OK, or LOWER_BOUND where a cost is unknown.")


def _sessions(root: Parent[Any]) -> BigInt:
    return BigInt(root.asked.repricing.touched_sessions())


def _break_even(root: Parent[Any]) -> WhatIfBreakEven:
    repricing = root.asked.repricing
    multiplier, status = break_even_multiplier(
        repricing.own, repricing.target, repricing.groups_at, root.asked.multiplier
    )
    return WhatIfBreakEven(token_multiplier=multiplier, status=status)


def _total(root: Parent[Any]) -> WhatIfTotal:
    asked: Asked = root.asked
    everything, compared = asked.slice(None), asked.comparison
    ((paid, unpriced),) = asked.context.reader.read(
        "SELECT coalesce(sum(cost_usd), 0), count(*) FILTER (WHERE cost_usd IS NULL) FROM request_facts"
        f" WHERE request_key IN ({everything.sql})",
        everything.params,
        timeout_ms=asked.context.deadline.remaining_ms(),
    ).rows
    actual = Decimal(str(paid))
    return WhatIfTotal(
        actual_usd=actual,
        what_if_usd=actual - compared.paid_usd + compared.what_if_usd,
        unpriced_calls=BigInt(int(str(unpriced))),
        status="LOWER_BOUND" if unpriced else "OK",
    )


def _success(root: Parent[Any]) -> WhatIfSuccess | None:
    asked: Asked = root.asked
    return read_success(asked.context, asked.repricing, asked.success_delta, asked.task_value)


def _largest(
    root: Parent[Any], per: Annotated[Any, argument(graphql_type=WhatIfPer)], first: int = 10
) -> list[WhatIfPart]:
    if not 1 <= first <= MOST_PARTS:
        raise QueryError("BAD_LIMIT", f"first is from 1 to {MOST_PARTS}, this is {first}")
    return [_part(part.key, part.comparison) for part in root.asked.repricing.largest(_KEYS[per.value], first)]


@strawberry.type(description=f"What a slice of calls would have cost on another model. A {LABEL}.")
class WhatIf:
    asked: strawberry.Private[Asked]
    label: str = strawberry.field(description="How to read every number here.")
    provider: str = strawberry.field(description="Of the other model.")
    model: str = strawberry.field(description="The other model.")
    status: str = strawberry.field(
        description="OK; PARTIAL where calls are left out; NO_CALLS where the slice has none; NOT_COMPARABLE where all "
        "are left out. Of the last two every amount is null."
    )
    calls: BigInt = strawberry.field(description="Compared: both models have a price for them, their cost is known.")
    sessions: BigInt = strawberry.field(resolver=_sessions, description="Sessions with a compared call.")
    actual_usd: Decimal | None = strawberry.field(
        description="Effective cost of the compared calls: billed, 0 under a plan, else priced."
    )
    actual_list_usd: Decimal | None = strawberry.field(
        description="The compared calls at the list price of their own model on their own day."
    )
    what_if_usd: Decimal | None = strawberry.field(
        description="The compared calls at the list price of the other model on the same day."
    )
    saving_usd: Decimal | None = strawberry.field(
        description="List price against list price: `actualListUsd` - `whatIfUsd`; below 0: the other model is dearer."
    )
    saving_on_paid_usd: Decimal | None = strawberry.field(
        description="`actualUsd` - `whatIfUsd`: what would be paid less. It differs from `savingUsd` where bills or "
        "plans differ from the list."
    )
    saving_share: float | None = strawberry.field(
        description="`savingUsd` / `actualListUsd`; null where that is 0 or nothing is compared."
    )
    break_even: WhatIfBreakEven = strawberry.field(
        resolver=_break_even, description="How many more tokens the other model may use."
    )
    left_out: list[WhatIfLeftOut] = strawberry.field(description="Calls in neither side, by reason.")
    total: WhatIfTotal = strawberry.field(
        resolver=_total, description="What becomes of everything in the time of the question."
    )
    success: WhatIfSuccess | None = strawberry.field(
        resolver=_success, description="What it means for the tasks of the sessions; null without a decided task."
    )
    largest: list[WhatIfPart] = strawberry.field(
        resolver=_largest, description=f"The largest savings first, at most {MOST_PARTS}."
    )


def told(asked: Asked) -> WhatIf:
    compared, left = asked.comparison, asked.left_out

    def amount(usd: Decimal) -> Decimal | None:
        return usd if compared.calls else None

    nothing = "NOT_COMPARABLE" if left else "NO_CALLS"
    return WhatIf(
        asked=asked,
        label=LABEL,
        provider=asked.provider,
        model=asked.model,
        status=("PARTIAL" if left else "OK") if compared.calls else nothing,
        calls=BigInt(compared.calls),
        actual_usd=amount(compared.paid_usd),
        actual_list_usd=amount(compared.list_usd),
        what_if_usd=amount(compared.what_if_usd),
        saving_usd=amount(compared.saving_usd),
        saving_on_paid_usd=amount(compared.paid_usd - compared.what_if_usd),
        saving_share=float(compared.saving_usd / compared.list_usd) if compared.list_usd else None,
        left_out=[WhatIfLeftOut(reason=o.reason, calls=BigInt(o.calls), actual_usd=o.paid_usd) for o in left],
    )


def _part(key: str, compared: Comparison) -> WhatIfPart:
    return WhatIfPart(
        key=key,
        calls=BigInt(compared.calls),
        actual_usd=compared.paid_usd,
        actual_list_usd=compared.list_usd,
        what_if_usd=compared.what_if_usd,
        saving_usd=compared.saving_usd,
    )
