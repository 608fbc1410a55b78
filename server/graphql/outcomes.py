"""The `outcomes` field: what came of the tasks of sessions by an instant, and how much of that is still open."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any

import strawberry
from strawberry import Info

from finance.maturity import DAY_US, Moment, Step, Tasks, kaplan_meier, share
from semantic import QueryError
from server.graphql.context import Context
from server.graphql.fields import Inputs, RootField, given, time_range, today
from server.graphql.scalars import BigInt
from server.slices import slice_of

MOST_SHOWN = 1_000
MOST_KINDS = 200


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
    found = _read(info, _KINDS, root.asked)
    return [OutcomeKindCount(kind=row[0], **dict(zip(_COUNTED, map(BigInt, row[1:]), strict=True))) for row in found]


def _sessions(root: strawberry.Parent[Any], info: Info[Context, None], first: int = 100) -> list[SessionTask]:
    shown = _Asked(root.asked.sql, {**root.asked.params, "shown": bounded(first)})
    return [
        SessionTask(session_id=row[0], result=row[1].upper(), ended_at=row[2], success_at=row[3], failure_at=row[4],
                    decides_at=row[5])
        for row in _read(info, _TASKS, shown)
    ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Asked:
    sql: str
    """Of the sessions that are meant."""
    params: dict[str, Any]


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
    asked: strawberry.Private[_Asked]
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
        day = today(context, None)
        chosen = slice_of(
            context.planner,
            "sessions",
            as_of=day,
            time=time_range(context, given(range), day, None),
            where=inputs.filter(where),
            caller=context.caller,
        )
        instant = given(as_of) or context.now
        return _outcomes(info, _Asked(chosen.sql, {**chosen.params, "as_of": instant.replace(tzinfo=None)}), instant)

    return strawberry.field(
        resolver=outcomes,
        description="What came of the tasks of the sessions that started in a range, as it was at an instant.",
    )


def _outcomes(info: Info[Context, None], asked: _Asked, instant: datetime) -> Outcomes:
    counted = {row[0]: row[1:] for row in _read(info, _RESULTS, asked)}
    numbers = {result: int(counted[result][0]) if result in counted else 0 for result in _WORDS}
    tasks = Tasks(numbers["success"], numbers["failure"], numbers["pending"])
    window = max((int(row[1]) for row in counted.values() if row[1] is not None), default=None)
    curve = kaplan_meier(_moments(_read(info, _FOLLOWED, asked), window or 0)) if tasks.total else []
    bounds = tasks.bounds
    return Outcomes(
        as_of=instant,
        mature_through=None if window is None else _earlier(instant, window),
        counts=OutcomeCounts(**{result: BigInt(number) for result, number in numbers.items()}),
        resolved_only_rate=_float(tasks.resolved_only_rate),
        pending_share=_float(tasks.pending_share),
        bounds=None
        if bounds is None
        else OutcomeBounds(if_all_pending_fail=float(bounds[0]), if_all_pending_succeed=float(bounds[1])),
        mature_cohort=_mature(_read(info, _MATURE, asked)[0]),
        kaplan_meier=KaplanMeier(
            success_by_window_end=(float(curve[-1].cumulative) if curve else 0.0) if tasks.total else None,
            window_days=None if window is None else share(window, DAY_US),
            step_count=BigInt(len(curve)),
            curve=curve,
        ),
        asked=asked,
    )


def _moments(rows: Iterable[tuple[Any, ...]], window_us: int) -> list[Moment]:
    """Failures are followed to the end of the longest window, and at least for as long as it took any to succeed."""
    found = [(result, int(after_us), int(number)) for result, after_us, number in rows]
    horizon = max([window_us, *(after_us for result, after_us, _ in found if result == "success")])
    return [
        Moment(after_us, number, 0)
        if result == "success"
        else Moment(after_us if result == "pending" else horizon, 0, number)
        for result, after_us, number in found
    ]


def _mature(row: tuple[Any, ...]) -> MatureCohort:
    sessions, successes, unknown, cost = int(row[0]), int(row[1]), int(row[2]), row[3]
    status = "NO_SESSIONS" if not sessions else "COST_UNKNOWN" if unknown else "OK" if cost else "ZERO_COST"
    known = status in ("OK", "ZERO_COST")
    return MatureCohort(
        sessions=BigInt(sessions),
        successes=BigInt(successes),
        rate=_float(share(successes, sessions)),
        cost_usd=Decimal(cost) if known else None,
        roi=_float(share(successes, Decimal(cost))) if status == "OK" else None,
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


def _read(info: Info[Context, None], sql: str, asked: _Asked) -> list[tuple[Any, ...]]:
    context = info.context
    text = f"WITH chosen AS ({asked.sql}) {sql}"
    return context.reader.read(text, asked.params, timeout_ms=context.deadline.remaining_ms()).rows


_WORDS = ("success", "failure", "pending", "running", "none")
_COUNTED = ("outcomes", "sessions", "successes", "late", "taken_back", "undated", "before_start")
_THEN = "task_results_at($as_of::TIMESTAMP) SEMI JOIN chosen USING (session_id)"
_RESULTS = f"""
SELECT result, count(*), max(epoch_us(decides_at) - epoch_us(ended_at))
FROM {_THEN} GROUP BY result"""
_FOLLOWED = f"""
SELECT result, after_us, count(*) FROM (
    SELECT result, CASE result
        WHEN 'success' THEN us_to_success
        WHEN 'pending' THEN coalesce(epoch_us($as_of::TIMESTAMP) - epoch_us(ended_at), 0)
        ELSE 0
    END AS after_us
    FROM {_THEN} WHERE result IN ('success', 'failure', 'pending')
) GROUP BY ALL"""
_MATURE = f"""
SELECT count(*), count(*) FILTER (WHERE result = 'success'), count(*) FILTER (WHERE fact.cost_usd IS NULL),
    coalesce(sum(fact.cost_usd), 0)
FROM (SELECT * FROM {_THEN} WHERE is_mature) AS task JOIN session_facts AS fact USING (session_id)"""
_KINDS = f"""
SELECT kind, count(*), count(DISTINCT session_id),
    count(*) FILTER (WHERE is_success AND is_in_time AND NOT is_off),
    count(*) FILTER (WHERE is_success AND is_late), count(*) FILTER (WHERE is_success AND is_off),
    count(*) FILTER (WHERE occurred_at IS NULL), count(*) FILTER (WHERE is_before_start)
FROM (
    SELECT *, is_reversed AND coalesce(reversed_at <= $as_of::TIMESTAMP, TRUE) AS is_off
    FROM outcome_facts SEMI JOIN chosen USING (session_id)
    WHERE occurred_at IS NULL OR occurred_at <= $as_of::TIMESTAMP
) GROUP BY kind ORDER BY count(*) DESC, kind LIMIT {MOST_KINDS}"""
_TASKS = f"""
SELECT session_id, result, ended_at, success_at, failure_at, decides_at
FROM {_THEN} ORDER BY session_id LIMIT $shown"""

OUTCOMES = RootField("outcomes", _make, needs=("decided_tasks", "successful_tasks", "session_cost"))
