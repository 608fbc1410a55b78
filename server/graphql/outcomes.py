"""The `outcomes` field: what came of the tasks of sessions by an instant, and how much of that is still open."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any

import strawberry
from strawberry import Info

from finance.maturity import DAY_US, Moment, Step, Tasks, kaplan_meier, share
from semantic import QueryError, local_day
from server.graphql.context import Context
from server.graphql.cost import Weight
from server.graphql.fields import Inputs, RootField, given, instant_of, time_range
from server.graphql.scalars import BigInt
from server.graphql.tasks import COUNTED, KINDS, MOST_KINDS, RESULTS, TASKS, WORDS, Alike, Asked, read
from server.slices import slice_of

MOST_SHOWN = 1_000


@strawberry.type(description="Sessions by what had come of their task. Those without a task are in `none` and no rate.")
class OutcomeCounts:
    success: BigInt = strawberry.field(description="Succeeded within the window, and nothing took it back.")
    failure: BigInt = strawberry.field(description="Known to have failed, or the window closed without a success.")
    pending: BigInt = strawberry.field(description="Ended; the window is open, or the source has still to say.")
    running: BigInt = strawberry.field(description="Not ended: in no rate.")
    none: BigInt = strawberry.field(description="Ended; there was no task.")


@strawberry.type(description="The success rate if all pending tasks fail, and if all succeed.")
class OutcomeBounds:
    if_all_pending_fail: float
    if_all_pending_succeed: float


@strawberry.type(description="Tasks of ended sessions whose window has closed: nothing that comes now changes them.")
class MatureCohort:
    sessions: BigInt
    successes: BigInt
    rate: float | None = strawberry.field(description="Successes / sessions; null where there is none.")
    cost_usd: Decimal | None = strawberry.field(description="What the sessions cost, as it is known today.")
    roi: float | None = strawberry.field(description="Successes per USD: rate / cost per session, of one set.")
    status: str = strawberry.field(
        description="OK; or why cost or roi are null: NO_SESSIONS, COST_UNKNOWN (of at least one), ZERO_COST."
    )


@strawberry.type(description="An instant at which tasks succeeded, counted from the end of their sessions.")
class KaplanMeierStep:
    day: Decimal = strawberry.field(description="Days of 24 hours since the end; 0 for a success before it.")
    at_risk: BigInt = strawberry.field(description="Tasks that had not succeeded before and were followed until then.")
    successes: BigInt
    cumulative: float = strawberry.field(description="Estimated share of all tasks that have succeeded by then.")


def _steps(root: strawberry.Parent[Any], first: int = 100) -> list[KaplanMeierStep]:
    return [
        KaplanMeierStep(
            day=step.day,
            at_risk=BigInt(step.at_risk),
            successes=BigInt(step.successes),
            cumulative=float(step.cumulative),
        )
        for step in root.curve[: bounded(first)]
    ]


@strawberry.type(description="Success by the end of the window after Kaplan and Meier: it uses the pending tasks, too.")
class KaplanMeier:
    success_by_window_end: float | None = strawberry.field(description="Null where there is no task.")
    window_days: Decimal | None = strawberry.field(description="The longest window among the tasks; null without one.")
    step_count: BigInt
    curve: strawberry.Private[list[Step]]
    steps: list[KaplanMeierStep] = strawberry.field(
        resolver=_steps, description=f"The first steps of the curve, at most {MOST_SHOWN:,}."
    )


@strawberry.type(description="Outcomes of one kind, of these sessions, that had come by the instant.")
class OutcomeKindCount:
    kind: str
    outcomes: BigInt
    sessions: BigInt
    successes: BigInt = strawberry.field(description="That came in time and were not taken back by the instant.")
    late: BigInt = strawberry.field(description="Successes after the window: they count no more.")
    taken_back: BigInt = strawberry.field(description="Successes that a reversal had turned off by the instant.")
    undated: BigInt = strawberry.field(description="Without an instant: they count as of the session's end.")
    before_start: BigInt = strawberry.field(description="Dated before their session began: clocks differ. They count.")


@strawberry.type(description="The task of one session.")
class SessionTask:
    session_id: str
    result: str = strawberry.field(description="SUCCESS, FAILURE, PENDING, RUNNING or NONE.")
    ended_at: datetime | None = strawberry.field(description="Null while it runs.")
    success_at: datetime | None
    failure_at: datetime | None
    decides_at: datetime | None = strawberry.field(description="When its window closes; null where it has none.")


def _kinds(root: strawberry.Parent[Any], info: Info[Context, None]) -> list[OutcomeKindCount]:
    found = read(info, KINDS, root.asked)
    return [OutcomeKindCount(kind=row[0], **dict(zip(COUNTED, map(BigInt, row[1:]), strict=True))) for row in found]


def _sessions(root: strawberry.Parent[Any], info: Info[Context, None], first: int = 100) -> list[SessionTask]:
    shown = Asked(root.asked.sql, {**root.asked.params, "shown": bounded(first)})
    return [
        SessionTask(session_id=row[0], result=row[1].upper(), ended_at=row[2], success_at=row[3], failure_at=row[4],
                    decides_at=row[5])
        for row in read(info, TASKS, shown)
    ]  # fmt: skip


@strawberry.type(description="What came of the tasks of sessions by an instant, and how much of that is still open.")
class Outcomes:
    as_of: datetime = strawberry.field(description="Outcomes after it do not exist for this answer.")
    mature_through: datetime | None = strawberry.field(
        description="Tasks of sessions that ended by then are decided; null where the sessions have no window."
    )
    counts: OutcomeCounts
    resolved_only_rate: float | None = strawberry.field(
        description="Successes / resolved tasks. Biased while outcomes come in; null where nothing is resolved."
    )
    pending_share: float | None = strawberry.field(description="Pending / all tasks; null where there is none.")
    bounds: OutcomeBounds | None = strawberry.field(description="Null where there is no task.")
    mature_cohort: MatureCohort
    kaplan_meier: KaplanMeier
    asked: strawberry.Private[Asked]
    kinds: list[OutcomeKindCount] = strawberry.field(
        resolver=_kinds, description=f"The outcomes by kind, most frequent first, at most {MOST_KINDS}."
    )
    sessions: list[SessionTask] = strawberry.field(
        resolver=_sessions, description=f"The tasks of the first sessions by their id, at most {MOST_SHOWN:,}."
    )


def _make(inputs: Inputs) -> Any:
    def outcomes(
        info: Info[Context, None],
        range: str | None = None,  # noqa: A002 - the word of the API
        where: Annotated[Any, strawberry.argument(graphql_type=inputs.where | None)] = None,
        as_of: datetime | None = None,
    ) -> Outcomes:
        context = info.context
        instant = instant_of(context, as_of)
        day = local_day(instant, context.catalog.time_zone)
        chosen = slice_of(
            context.planner,
            "sessions",
            as_of=day,
            time=time_range(context, given(range), day, None),
            where=inputs.filter(where),
            caller=context.caller,
        )
        return _outcomes(info, Asked(chosen.sql, {**chosen.params, "as_of": instant.replace(tzinfo=None)}), instant)

    return strawberry.field(
        resolver=outcomes,
        description="What came of the tasks of the sessions that started in a range, as it was at an instant.",
    )


def _outcomes(info: Info[Context, None], asked: Asked, instant: datetime) -> Outcomes:
    found = [Alike(*row) for row in read(info, RESULTS, asked)]
    numbers = {word: sum(alike.number for alike in found if alike.result == word) for word in WORDS}
    tasks = Tasks(numbers["success"], numbers["failure"], numbers["pending"])
    window = max((alike.window_us for alike in found if alike.window_us is not None), default=None)
    bounds = tasks.bounds
    return Outcomes(
        as_of=instant,
        mature_through=None if window is None else _earlier(instant, window),
        counts=OutcomeCounts(**{word: BigInt(number) for word, number in numbers.items()}),
        resolved_only_rate=_float(tasks.resolved_only_rate),
        pending_share=_float(tasks.pending_share),
        bounds=None
        if bounds is None
        else OutcomeBounds(if_all_pending_fail=float(bounds[0]), if_all_pending_succeed=float(bounds[1])),
        mature_cohort=_mature([alike for alike in found if alike.is_mature]),
        kaplan_meier=_curve(found, tasks, window),
        asked=asked,
    )


def _curve(found: list[Alike], tasks: Tasks, window_us: int | None) -> KaplanMeier:
    """Failures are followed to the end of the longest window, and at least for as long as it took any to succeed."""
    horizon = max([window_us or 0, *(alike.after_us for alike in found if alike.result == "success")])
    moments = [Moment(alike.after_us, alike.number, 0) for alike in found if alike.result == "success"]
    moments += [Moment(alike.after_us, 0, alike.number) for alike in found if alike.result == "pending"]
    curve = kaplan_meier([*moments, Moment(horizon, 0, tasks.failures)])
    return KaplanMeier(
        success_by_window_end=(float(curve[-1].cumulative) if curve else 0.0) if tasks.total else None,
        window_days=None if window_us is None else share(window_us, DAY_US),
        step_count=BigInt(len(curve)),
        curve=curve,
    )


def _mature(found: list[Alike]) -> MatureCohort:
    sessions = sum(alike.number for alike in found)
    successes = sum(alike.number for alike in found if alike.result == "success")
    cost = sum((alike.known_usd for alike in found), Decimal(0))
    status = "OK" if cost else "ZERO_COST"
    if not sessions or any(alike.unknown_costs for alike in found):
        status = "COST_UNKNOWN" if sessions else "NO_SESSIONS"
    return MatureCohort(
        sessions=BigInt(sessions),
        successes=BigInt(successes),
        rate=_float(share(successes, sessions)),
        cost_usd=cost if status in ("OK", "ZERO_COST") else None,
        roi=_float(share(successes, cost)) if status == "OK" else None,
        status=status,
    )


def bounded(first: int) -> int:
    if not 0 <= first <= MOST_SHOWN:
        raise QueryError("BAD_LIMIT", f"first is 0 to {MOST_SHOWN:,}, got {first}")
    return first


def _earlier(instant: datetime, us: int) -> datetime | None:
    try:
        return instant - timedelta(microseconds=us)
    except OverflowError:
        return None


def _float(value: Decimal | None) -> float | None:
    return None if value is None else float(value)


OUTCOMES = RootField(
    "outcomes", _make, needs=("decided_tasks", "successful_tasks", "session_cost"), weight=Weight(per_value=20)
)
