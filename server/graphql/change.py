"""The `changeExplained` field: why a cost changed between two times, in parts that add up, down to the sessions."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Annotated, Any

import strawberry
from strawberry import UNSET, Info, Parent, argument

from finance.change import Change, GroupChange, explain_change
from semantic import QueryError, TimeRange
from server.graphql.change_rows import MEASURES, MOST_SESSIONS, Question, Table
from server.graphql.context import Context
from server.graphql.cost import Weight
from server.graphql.cut import CutValue, cut_by, cut_values, cuts
from server.graphql.fields import Inputs, RootField, given, today
from server.graphql.generated import enum_type, list_of
from server.graphql.metrics import TimeRangeInput, read_time
from server.graphql.scalars import BigInt

MOST_SHOWN = 1_000

ChangeMeasure = enum_type(
    "ChangeMeasure",
    MEASURES,
    "Which cost, and of what.",
    {
        "session_cost": "Of the sessions that started: their calls and their share of compute.",
        "session_api_cost": "Of the sessions that started: their calls alone.",
        "inference_cost": "Of calls, in the time in which they were made.",
    },
)


@strawberry.type(description="A session and what it cost.")
class ChangeSession:
    session_id: str | None = strawberry.field(description="Null for calls that no session is known of.")
    cost_usd: Decimal | None = strawberry.field(description="Null where it is not known.")
    status: str = strawberry.field(description="OK, LOWER_BOUND, or why the cost is null.")


@strawberry.type(description="One of the two times.")
class ChangeSide:
    count: BigInt = strawberry.field(description="Members of known cost: sessions or calls.")
    cost_usd: Decimal = strawberry.field(description="What they cost.")
    per_unit_usd: Decimal | None = strawberry.field(description="`costUsd` / `count`, at 12 places; null at 0.")
    unpriced: BigInt = strawberry.field(description="Members whose cost is not known; they are in no number here.")


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a group's sessions are to be found."""

    question: Question
    keys: Mapping[str, object] | None
    before: TimeRange
    after: TimeRange


def _sessions(place: _Place, time: TimeRange, first: int) -> list[ChangeSession] | None:
    if place.keys is None:
        return None
    cost = place.question.cost
    return [
        ChangeSession(
            session_id=str(row.keys["session_id"]) if row.keys["session_id"] is not None else None,
            cost_usd=None if row.values[cost] is None else Decimal(str(row.values[cost])),
            status=row.evidence[cost].status,
        )
        for row in place.question.sessions(time, place.keys, first)
    ]


def _before(root: Parent[Any], first: int = 5) -> list[ChangeSession] | None:
    place: _Place = root.place
    return _sessions(place, place.before, first)


def _after(root: Parent[Any], first: int = 5) -> list[ChangeSession] | None:
    place: _Place = root.place
    return _sessions(place, place.after, first)


@strawberry.type(description="What one group has to do with a change; its three parts add up to its delta.")
class ChangeGroup:
    place: strawberry.Private[_Place]
    name: str = strawberry.field(
        description="The values in a row, such as main/cron; (other) for the lump of the rest."
    )
    keys: list[CutValue] = strawberry.field(description="Empty for the lump of the rest.")
    kind: str = strawberry.field(
        description="EXISTING; NEW and GONE where nothing of known cost was there before or after; OTHER for the lump "
        "of the groups beyond `top`."
    )
    before: ChangeSide
    after: ChangeSide
    delta_usd: Decimal
    volume_usd: Decimal = strawberry.field(description="What its size would have changed by, had all grown alike.")
    mix_usd: Decimal = strawberry.field(
        description="(its count - what that would be at the old mix) x (its old unit cost - the old average). A new "
        "group has no old unit cost: all of it that is not volume is mix."
    )
    rate_usd: Decimal = strawberry.field(description="Its count x (its unit cost - its old unit cost).")
    sessions_before: list[ChangeSession] | None = strawberry.field(
        resolver=_before, description=f"The dearest first, at most {MOST_SESSIONS}; null for the lump of the rest."
    )
    sessions_after: list[ChangeSession] | None = strawberry.field(
        resolver=_after, description=f"The dearest first, at most {MOST_SESSIONS}; null for the lump of the rest."
    )


@strawberry.type(
    name="Change",
    description="Why a cost changed: volume + mix + rate = delta, to the last digit, for the whole and for each group; "
    "and the groups add up to the whole.",
)
class ChangeType:
    status: str = strawberry.field(
        description="OK; LOWER_BOUND where members of a side have an unknown cost, whatever else holds; else "
        "NOTHING_BEFORE where there is no member of known cost before, and all is volume; "
        "NO_ROWS where there is none on either side."
    )
    unit: str = strawberry.field(description="What is counted: sessions or calls.")
    before: ChangeSide
    after: ChangeSide
    delta_usd: Decimal = strawberry.field(description="After - before.")
    volume_usd: Decimal = strawberry.field(description="The change of the count x the old average.")
    mix_usd: Decimal = strawberry.field(description="Because the count moved to groups that were dearer or cheaper.")
    rate_usd: Decimal = strawberry.field(description="Because a session or call of a group costs more or less.")
    top_driver: str | None = strawberry.field(description="The group whose cost changed most, up or down.")
    groups: list[ChangeGroup] = strawberry.field(description="The largest change first.")


def _field(inputs: Inputs) -> Any:
    cut = cut_by(inputs)

    def change_explained(
        info: Info[Context, None],
        before: TimeRangeInput,
        after: TimeRangeInput,
        by: Annotated[Any, argument(graphql_type=list_of(cut), description="The groups, at most four dimensions.")],
        measure: Annotated[Any, argument(graphql_type=ChangeMeasure)] = ChangeMeasure.SESSION_COST,
        where: Annotated[Any, argument(graphql_type=inputs.where | None)] = UNSET,
        top: Annotated[int, argument(description="Groups that are shown; the rest are one.")] = 50,
        zone: Annotated[str | None, argument(description="Where days are cut, such as Europe/Berlin.")] = UNSET,
        as_of: Annotated[date | None, argument(description="The day on which it is asked; default: today.")] = UNSET,
    ) -> ChangeType:
        context = info.context
        if not 1 <= top <= MOST_SHOWN:
            raise QueryError("BAD_LIMIT", f"top is from 1 to {MOST_SHOWN:,}, this is {top:,}")
        day = given(as_of) or today(context, given(zone))
        question = Question(context, measure.value, cuts(by), inputs.filter(where), given(zone), day)
        times = [read_time(context, time, day, given(zone)) for time in (before, after)]
        return _explained(question, times[0], times[1], top)

    return strawberry.field(
        resolver=change_explained,
        graphql_type=ChangeType | None,
        description="Why a cost changed between two times: more of it, another mix, or dearer in itself.",
    )


def _explained(question: Question, before: TimeRange, after: TimeRange, top: int) -> ChangeType:
    table = Table.of(question, question.rows(before), question.rows(after))
    change = explain_change(table.standings, top)
    unpriced = [sum(counts[side] for counts in table.unpriced.values()) for side in (0, 1)]
    shown = [table.unpriced[group.standing.name] for group in change.groups if group.kind != "OTHER"]
    rest = [unpriced[side] - sum(counts[side] for counts in shown) for side in (0, 1)]
    whole, parts = change.whole, change.parts
    driver = change.top_driver
    return ChangeType(
        status=_status(change, sum(unpriced)),
        unit=MEASURES[question.measure][2],
        before=_side(whole.count_before, whole.cost_before, unpriced[0]),
        after=_side(whole.count_after, whole.cost_after, unpriced[1]),
        delta_usd=parts.delta,
        volume_usd=parts.volume,
        mix_usd=parts.mix,
        rate_usd=parts.rate,
        top_driver=None if driver is None else table.shown_name(driver),
        groups=[_group(group, table, _Place(question, None, before, after), rest) for group in change.groups],
    )


def _group(change: GroupChange, table: Table, place: _Place, rest: list[int]) -> ChangeGroup:
    group, parts = change.standing, change.parts
    keys = None if change.kind == "OTHER" else table.keys[group.name]
    unknown = table.unpriced[group.name] if keys is not None else rest
    return ChangeGroup(
        place=_Place(place.question, keys, place.before, place.after),
        name=table.shown_name(group.name),
        keys=cut_values(keys or {}),
        kind=change.kind,
        before=_side(group.count_before, group.cost_before, unknown[0]),
        after=_side(group.count_after, group.cost_after, unknown[1]),
        delta_usd=parts.delta,
        volume_usd=parts.volume,
        mix_usd=parts.mix,
        rate_usd=parts.rate,
    )


def _side(count: int, cost: Decimal, unpriced: int) -> ChangeSide:
    unit = round(cost / count, 12) if count else None
    return ChangeSide(count=BigInt(count), cost_usd=cost, per_unit_usd=unit, unpriced=BigInt(unpriced))


def _status(change: Change, unpriced: int) -> str:
    if unpriced:
        return "LOWER_BOUND"
    if change.whole.count_before:
        return "OK"
    return "NOTHING_BEFORE" if change.groups else "NO_ROWS"


CHANGE = RootField(
    "changeExplained",
    _field,
    needs=("session_cost", "session_api_cost", "inference_cost", "costed_sessions", "costed_requests"),
    weight=Weight(per_value=20),
)
