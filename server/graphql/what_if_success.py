"""What a what-if means for tasks: cost per success and net value, before and after a change of the success rate."""

from decimal import Decimal

import strawberry

from finance.what_if import Success, break_even_delta, compare, success_after
from semantic import Comparison, Op
from server.graphql.context import Context
from server.graphql.fields import today
from server.graphql.scalars import BigInt
from server.repricing import Repricing
from server.slices import slice_of

_DECIDED = Comparison("task_result", Op.IN, ("success", "failure"))


@strawberry.type(
    description="The compared calls of sessions whose task is decided, at list prices on both sides. Calls that are "
    "left out, calls outside of the slice and compute are in neither."
)
class WhatIfSuccess:
    tasks: BigInt = strawberry.field(description="Sessions with a compared call whose task succeeded or failed.")
    successes: BigInt
    success_rate: float = strawberry.field(description="`successes` / `tasks`.")
    success_rate_after: float | None = strawberry.field(
        description="With `successDelta` added; null where that is below 0 or above 1, and with it all that is after."
    )
    cost_per_success_usd: Decimal | None = strawberry.field(
        description="`actualListUsd` of these sessions / successes; null without a success."
    )
    cost_per_success_after_usd: Decimal | None = strawberry.field(
        description="`whatIfUsd` of these sessions / the successes that the changed rate gives; null where that is 0."
    )
    net_value_usd: Decimal | None = strawberry.field(
        description="Successes x `taskValue` - cost; null without a task value."
    )
    net_value_after_usd: Decimal | None
    break_even_success_delta: float | None = strawberry.field(
        description="The change of the success rate at which the saving is lost again; null without a task value."
    )
    status: str = strawberry.field(
        description="OK; RATE_OUT_OF_BOUNDS where the changed success rate would be below 0 or above 1."
    )


def read_success(
    context: Context, repricing: Repricing, delta: Decimal, task_value: Decimal | None
) -> WhatIfSuccess | None:
    """None where no session with a compared call has a decided task."""
    decided = slice_of(context.planner, "sessions", as_of=today(context, None), where=_DECIDED, caller=context.caller)
    within = repricing.within(decided)
    tasks, successes = within.tasks()
    if not tasks:
        return None
    groups, _ = within.compared()
    compared = compare(within.own, within.target, groups, within.multiplier)
    before = Success(tasks, Decimal(successes), compared.list_usd)
    after = success_after(before, compared.what_if_usd, delta)
    even = None if task_value is None else break_even_delta(before, compared.what_if_usd, task_value)
    return WhatIfSuccess(
        tasks=BigInt(tasks),
        successes=BigInt(successes),
        success_rate=float(before.rate),
        success_rate_after=float(after.rate) if after else None,
        cost_per_success_usd=before.cost_per_success,
        cost_per_success_after_usd=after.cost_per_success if after else None,
        net_value_usd=None if task_value is None else before.net_value(task_value),
        net_value_after_usd=None if task_value is None or after is None else after.net_value(task_value),
        break_even_success_delta=None if even is None else float(even),
        status="OK" if after else "RATE_OUT_OF_BOUNDS",
    )
