"""The `whatIf` field: the calls of a slice on another model, at list prices of the day."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Any

import strawberry
from strawberry import UNSET, Info, argument

from semantic import Filter, QueryError, TimeRange, suggestion
from server.graphql.context import Context
from server.graphql.cost import Weight
from server.graphql.fields import Inputs, RootField, given, today
from server.graphql.metrics import TimeRangeInput, read_time
from server.graphql.what_if_answer import Asked, WhatIf, told
from server.price_lines import lines_known
from server.slices import Slice, slice_of

MOST_MULTIPLIER = 100
NOBODY = "(none)"
_PLACES = Decimal("1e-6")


def _field(inputs: Inputs) -> Any:
    def what_if(
        info: Info[Context, None],
        model: str,
        provider: Annotated[
            str | None, argument(description="Needed where several providers sell a model of that name.")
        ] = UNSET,
        time: TimeRangeInput | None = UNSET,
        where: Annotated[
            Any, argument(graphql_type=inputs.where | None, description="Which calls are repriced; default: all.")
        ] = UNSET,
        token_multiplier: Annotated[
            Decimal, argument(description="So many times the tokens, in every bucket, on the other model.")
        ] = Decimal(1),
        success_delta: Annotated[
            Decimal, argument(description="What is added to the success rate, such as -0.05.")
        ] = Decimal(0),
        task_value: Annotated[Decimal | None, argument(description="What one success is worth, in USD.")] = UNSET,
        zone: Annotated[str | None, argument(description="Where days are cut, such as Europe/Berlin.")] = UNSET,
        as_of: Annotated[date | None, argument(description="The day on which it is asked; default: today.")] = UNSET,
    ) -> WhatIf:
        context = info.context
        _check(token_multiplier, success_delta, given(task_value))
        day = given(as_of) or today(context, given(zone))
        asked_time = read_time(context, time, day, given(zone))
        return told(
            Asked(
                context,
                *_target(context, given(provider), model),
                token_multiplier,
                success_delta,
                given(task_value),
                lambda chosen: _slice(context, day, asked_time, given(zone), chosen),
                inputs.filter(where),
            )
        )

    return strawberry.field(
        resolver=what_if,
        graphql_type=WhatIf | None,
        description="What calls would have cost on another model, call by call at the list prices of their day.",
    )


def _slice(context: Context, day: date, time: TimeRange, zone: str | None, where: Filter | None) -> Slice:
    return slice_of(context.planner, "requests", as_of=day, time=time, where=where, zone=zone, caller=context.caller)


def _check(multiplier: Decimal, delta: Decimal, task_value: Decimal | None) -> None:
    if not 0 < multiplier <= MOST_MULTIPLIER or multiplier % _PLACES:
        raise QueryError(
            "BAD_ARGUMENT",
            f"tokenMultiplier is above 0, at most {MOST_MULTIPLIER} and has at most 6 places, this is {multiplier}",
        )
    if not -1 <= delta <= 1:
        raise QueryError("BAD_ARGUMENT", f"successDelta is from -1 to 1, such as -0.05, this is {delta}")
    if task_value is not None and task_value < 0:
        raise QueryError("BAD_ARGUMENT", f"taskValue is an amount from 0, this is {task_value}")


def _target(context: Context, provider: str | None, model: str) -> tuple[str, str]:
    """The names as the book writes them. `QueryError` where it has no line of the model, or of several providers."""
    lines = lines_known(context.reader, timeout_ms=context.deadline.remaining_ms())
    of_model = {line.provider.casefold(): line.provider for line in lines if line.model.casefold() == model.casefold()}
    if provider is not None and provider.casefold() in of_model:
        return provider, model
    if provider is None and len(of_model) == 1:
        return next(iter(of_model.values())), model
    if of_model and provider is None:
        sellers = ", ".join(sorted(of_model.values()))
        raise QueryError("AMBIGUOUS_MODEL", f"'{model}' is sold by {sellers}; name one as provider")
    if not lines:  # an empty book knows no name to be wrong; nothing can be compared, which the answer says
        return provider or NOBODY, model
    of_whom = f" of '{provider}'" if provider else ""
    hint = suggestion(model, sorted({line.model for line in lines}))
    raise QueryError("UNKNOWN_MODEL", f"the price book has no line of '{model}'{of_whom}; load one, or {hint}")


WHAT_IF = RootField(
    "whatIf",
    _field,
    needs=("requests", "inference_cost", "task_success_rate", "cost_per_success"),
    weight=Weight(per_value=20),
)
