"""The `wasteBreakdown` field: the sessions of a slice by class, with rates, their doubt, and a year of the cost."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, cast

import strawberry
from strawberry import Info

from finance.waste import ClassTotals, ClassWaste, SessionClass, finished_sessions, waste_by_class
from semantic import QueryError, TimeRange, local_day
from server.graphql.context import Context
from server.graphql.cost import Weight
from server.graphql.fields import Inputs, RootField, given, known_zone, time_range, today
from server.graphql.scalars import BigInt
from server.slices import Slice, slice_of

NEEDS = (
    "sessions", "finished_sessions", "session_cost", "idle_sessions", "productive_sessions", "failed_sessions",
    "idle_waste_cost", "failed_cost", "productive_cost", "pending_cost",
)  # fmt: skip


@strawberry.type(
    name="WasteClass", description="The sessions of one class beside all that have finished. A null has its reason."
)
class WasteClassInfo:
    session_class: str = strawberry.field(
        description="productive, idle or failed once a session has ended; pending until then; unknown where its "
        "source has no outcomes"
    )
    sessions: BigInt
    cost_usd: Decimal | None = strawberry.field(
        description="Calls and allocated compute of the sessions of known cost."
    )
    cost_status: str = strawberry.field(
        description="OK; LOWER_BOUND where the cost of some of the sessions is unknown; UNPRICED where that of all is"
    )
    cost_share: float | None = strawberry.field(description="Of the cost of finished sessions.")
    cost_share_status: str = strawberry.field(
        description="OK, PARTIAL (over the sessions of known cost), NOT_FINISHED, ZERO_COST or UNPRICED"
    )
    rate: float | None = strawberry.field(description="Of the number of finished sessions.")
    rate_low: float | None = strawberry.field(description="The lower end of Wilson's score interval of the rate.")
    rate_high: float | None = strawberry.field(description="The upper end of it.")
    rate_status: str = strawberry.field(
        description="OK; NOT_FINISHED of running sessions, which are in no rate; NO_OUTCOMES where some finished "
        "sessions may be idle or productive and nobody can say"
    )
    cost_per_year_usd: Decimal | None = strawberry.field(
        description="The cost at the pace of these days for a year of 365.25 days; null where the cost is."
    )


@strawberry.type(description="Sessions by what came of them: what was productive, and what was waste.")
class WasteBreakdown:
    first_day: date | None = strawberry.field(description="The first local day; null where there is no session.")
    last_day: date | None = strawberry.field(description="The last one, at the latest the day of the question.")
    days: BigInt | None = strawberry.field(description="How many days that are: what a year is reckoned from.")
    finished_sessions: BigInt = strawberry.field(description="The sessions that rates are of: all that have ended.")
    idle_waste_rate: float | None = strawberry.field(description="Idle / finished sessions.")
    status: str = strawberry.field(
        description="Of the idle waste rate: OK, NO_FINISHED_SESSIONS, or NO_OUTCOMES where some finished sessions may "
        "be idle and nobody can say"
    )
    level: float = strawberry.field(description="The confidence of the intervals.")
    classes: list[WasteClassInfo] = strawberry.field(description="One row a class that has sessions.")


def waste_field(inputs: Inputs) -> Any:
    where_type = strawberry.argument(
        graphql_type=inputs.where | None,
        description="Which sessions.",
    )

    def resolve(
        info: Info[Context, None],
        range: Annotated[  # noqa: A002 - the word of every field that takes one
            str | None,
            strawberry.argument(description='Whole local days in words, such as "last 30 days"; left out: all time.'),
        ] = None,
        where: Annotated[Any, where_type] = None,
        zone: Annotated[
            str | None, strawberry.argument(description="The zone that days are cut in; left out: the catalog's.")
        ] = None,
        level: Annotated[
            float, strawberry.argument(description="The confidence of the intervals, from 0.5 to 0.9999.")
        ] = 0.95,
    ) -> WasteBreakdown:
        if not 0.5 <= level <= 0.9999:
            raise QueryError("BAD_ARGUMENT", f"level is a confidence from 0.5 to 0.9999 such as 0.95, got {level}")
        context, zone = info.context, given(zone)
        as_of = today(context, zone)
        during = time_range(context, given(range), as_of, zone)
        chosen = slice_of(
            context.planner,
            "sessions",
            as_of=as_of,
            time=during,
            where=inputs.filter(given(where)),
            zone=zone,
            caller=context.caller,
        )
        totals, first_start = _totals(context, chosen)
        days = _days(during, as_of, first_start, known_zone(context.catalog, zone))
        return _breakdown(totals, days, level)

    return strawberry.field(
        resolver=resolve,
        description="Sessions by class with their cost, their rate and its interval, and what a year of it costs.",
    )


_Days = tuple[date, date]
"""The first and the last."""


def _totals(context: Context, chosen: Slice) -> tuple[list[ClassTotals], datetime | None]:
    """What the sessions of the slice add up to, and when the first of them began."""
    found = context.reader.read(
        f"""
        SELECT class, count(*), count(cost_usd), coalesce(sum(cost_usd), 0), min(started_at)
        FROM session_facts WHERE {chosen.key} IN ({chosen.sql}) GROUP BY class""",
        chosen.params,
        timeout_ms=context.deadline.remaining_ms(),
    )
    rows = [cast(tuple[SessionClass, int, int, Decimal, datetime | None], row) for row in found.rows]
    starts = [row[4] for row in rows if row[4] is not None]
    return [ClassTotals(*row[:4]) for row in rows], min(starts, default=None)


def _days(during: TimeRange, as_of: date, first_start: datetime | None, zone: str) -> _Days | None:
    """The local days that the sessions are of, up to the day of the question; None where there are none."""
    start = during.start or (first_start.replace(tzinfo=UTC) if first_start else None)
    if start is None:
        return None
    last = local_day(during.end, zone) - timedelta(days=1) if during.end else as_of
    first, last = local_day(start, zone), min(last, as_of)
    return (first, last) if first <= last else None


def _breakdown(totals: list[ClassTotals], days: _Days | None, level: float) -> WasteBreakdown:
    first, last = days or (None, None)
    count = (last - first).days + 1 if first and last else None
    rows = waste_by_class(totals, count, level)
    finished = finished_sessions(totals)
    idle = next((row.sessions for row in rows if row.session_class == "idle"), 0)
    status = "OK" if finished else "NO_FINISHED_SESSIONS"
    if any(row.session_class == "unknown" for row in rows):
        status = "NO_OUTCOMES"
    return WasteBreakdown(
        first_day=first,
        last_day=last,
        days=None if count is None else BigInt(count),
        finished_sessions=BigInt(finished),
        idle_waste_rate=idle / finished if status == "OK" else None,
        status=status,
        level=level,
        classes=[_info(row) for row in rows],
    )


def _info(row: ClassWaste) -> WasteClassInfo:
    return WasteClassInfo(
        session_class=row.session_class,
        sessions=BigInt(row.sessions),
        cost_usd=row.cost_usd,
        cost_status=row.cost_status,
        cost_share=row.cost_share,
        cost_share_status=row.share_status,
        rate=row.rate,
        rate_low=row.rate_low,
        rate_high=row.rate_high,
        rate_status=row.rate_status,
        cost_per_year_usd=row.usd_per_year,
    )


WASTE = RootField("wasteBreakdown", waste_field, NEEDS, weight=Weight(per_value=20))
