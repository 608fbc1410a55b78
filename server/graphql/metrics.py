"""The `metrics` field: its arguments and what is selected below it are one question; with totals, they are two."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any

import strawberry
from strawberry import UNSET, Info, argument

from semantic import Catalog, Filter, MetricQuery, Order, QueryError, TimeRange
from semantic.ranges import parse_range
from server.answer import Answer, answer_to, compiled, totals_of
from server.graphql.context import Context
from server.graphql.explain import Explain, explained
from server.graphql.fields import Inputs, given, known_day, known_zone, today
from server.graphql.filters import read_filter
from server.graphql.generated import bare_class, enum_type, list_of
from server.graphql.rows import RowTypes, replacements, row_types, table_of
from server.graphql.scalars import BigInt
from server.graphql.selection import Columns, Selection, selection_of
from server.graphql.table import NO_ROWS, Table
from server.names import vocabulary
from server.withheld import check_may_be_told
from store import QueryTimeout

Direction = enum_type("Direction", ("asc", "desc"), "Rows without a value are last in both directions.")


@strawberry.input(
    description="A half-open range: the start is inside, the end is not. Either may be left open. Or a range in words."
)
class TimeRangeInput:
    start: datetime | None = UNSET
    end: datetime | None = UNSET
    range: str | None = strawberry.field(
        default=UNSET,
        description='Whole days in words, in place of start and end: "last 30 days", "this month", "2026-Q1".',
    )


@dataclass(frozen=True, slots=True)
class Arguments:
    """What the arguments state; None where they say nothing."""

    time: TimeRange
    where: Filter | None
    having: Filter | None
    filters: tuple[str, ...]
    order_by: tuple[Order, ...]
    limit: int | None
    zone: str | None
    as_of: date


@dataclass(frozen=True, slots=True)
class Answered:
    """What the type `Metrics` is read from; what is not selected is empty."""

    rows: Table
    totals: dict[str, object] | None
    truncated: bool
    as_of: datetime
    data_version: int
    explain: Explain | None


def metrics_field(inputs: Inputs) -> Any:
    """`Query.metrics`, with every type that the catalog gives."""
    catalog, keys, enums = inputs.catalog, inputs.keys, inputs.enums
    words = vocabulary(catalog)
    where_input, having_input = inputs.where, inputs.operators.having(catalog.metrics.values())
    named_filter = _named_filter(catalog)
    order_input = _order_input(catalog, keys)
    answer_type = _metrics_type(row_types(catalog, keys.values(), enums))

    def metrics(
        info: Info[Context, None],
        time: TimeRangeInput | None = UNSET,
        where: Annotated[Any, argument(graphql_type=where_input | None)] = UNSET,
        having: Annotated[Any, argument(graphql_type=having_input | None)] = UNSET,
        filters: Annotated[
            Any, argument(graphql_type=list_of(named_filter) | None, description="Each of these holds, too.")
        ] = UNSET,
        order_by: Annotated[Any, argument(graphql_type=list_of(order_input) | None)] = UNSET,
        limit: Annotated[int | None, argument(description="At most so many rows; `truncated` tells of more.")] = UNSET,
        zone: Annotated[str | None, argument(description="Where days are cut, such as Europe/Berlin.")] = UNSET,
        as_of: Annotated[
            date | None, argument(description="The day on which it is asked, none to come; default: today.")
        ] = UNSET,
    ) -> Any:
        day = known_day(given(as_of), today(info.context, given(zone)))
        arguments = Arguments(
            time=read_time(info.context, time, day, given(zone)),
            where=read_filter(where, tuple(keys)),
            having=read_filter(having, tuple(catalog.metrics)),
            filters=tuple(f.value for f in filters or ()),
            order_by=tuple(Order(o.by.value, o.direction.value) for o in order_by or ()),
            limit=given(limit),
            zone=given(zone),
            as_of=day,
        )
        raw = info._raw_info
        selection = info.context.once(("selection", raw.path.key), lambda: selection_of(raw, words))
        return answered(info.context, selection, arguments)

    field = strawberry.field(
        resolver=metrics,
        graphql_type=answer_type | None,
        description="Metrics, one row for each combination of the dimensions that are selected beside them.",
    )
    if not catalog.filters:
        field.arguments = [a for a in field.arguments if a.python_name != "filters"]
    return field


def answered(context: Context, selection: Selection, arguments: Arguments) -> Answered:
    """Asks for the rows, and for the totals on the same version of the data."""
    rows = totals = None
    if selection.rows:
        rows = _asked(context, question(context, selection.rows, arguments))
        _check_size(rows.shaped.length, selection.rows.width, context.limits.most_values)
    if selection.totals:
        of_all = totals_of(question(context, selection.totals, arguments), selection.totals.metrics)
        totals = _asked(context, of_all)
    told = rows or totals
    if told is None and "explain" in selection.fields:
        raise QueryError("NO_METRICS", "there is nothing to explain; select rows or totals beside it")
    return Answered(
        rows=table_of(rows.shaped) if rows else NO_ROWS,
        totals=next(iter(table_of(totals.shaped))) if totals else None,
        truncated=rows is not None and rows.shaped.truncated,
        as_of=context.now,
        data_version=context.reader.data_version,
        explain=_explained(context, told) if told and "explain" in selection.fields else None,
    )


def question(context: Context, columns: Columns, arguments: Arguments) -> MetricQuery:
    limits = context.limits
    limit = limits.rows if arguments.limit is None else arguments.limit
    if not 1 <= limit <= limits.most_rows:
        raise QueryError("BAD_LIMIT", f"a limit is from 1 to {limits.most_rows:,}, this is {limit:,}")
    return MetricQuery(
        metrics=columns.metrics,
        as_of=arguments.as_of,
        by=columns.by,
        grain=columns.grain,
        time=arguments.time,
        where=arguments.where,
        filters=arguments.filters,
        having=arguments.having,
        order_by=arguments.order_by,
        limit=limit,
        zone=arguments.zone,
        evidence=columns.evidence,
    )


def _asked(context: Context, query: MetricQuery) -> Answer:
    try:
        timeout_ms = context.deadline.remaining_ms()
        planned = compiled(context.planner, query, context.caller)
        return answer_to(planned, context.reader, timeout_ms=timeout_ms)
    except QueryTimeout as error:
        raise context.deadline.passed() from error  # the store knows only what was left of the time


def read_time(context: Context, time: TimeRangeInput | None, as_of: date, zone: str | None) -> TimeRange:
    """The instants that an argument states; all time where it states nothing."""
    if not time:
        return TimeRange()
    start, end, words = given(time.start), given(time.end), given(time.range)
    if words is None:
        return TimeRange(start, end)
    if start or end:
        raise QueryError("BAD_RANGE", "a range in words stands alone; leave out start and end, or the range")
    return parse_range(words, as_of, known_zone(context.catalog, zone), context.catalog.calendar)


def _explained(context: Context, answer: Answer) -> Explain:
    explanation = explained(context.catalog, answer)
    definitions = (text for origin in explanation.lineage for text in (origin.metric, origin.definition))
    check_may_be_told(" ".join((explanation.sql, *definitions)), context.catalog, context.caller)
    return explanation


def _check_size(rows: int, width: int, most: int) -> None:
    if rows * width > most:
        excess = f"{rows:,} rows of {width:,} values are more than {most:,} values"
        raise QueryError("TOO_LARGE", f"{excess}; ask for fewer rows (limit) or select less")


def _named_filter(catalog: Catalog) -> Any:
    """The enum of the catalog's filters; text stands in for it where there are none, because no enum is empty."""
    if not catalog.filters:
        return str
    meanings = {f.name: f.description for f in catalog.filters.values() if f.description}
    return enum_type("NamedFilter", catalog.filters, "Conditions that metrics.yaml names.", meanings)


def _order_input(catalog: Catalog, keys: Iterable[str]) -> type:
    about = "Any metric, dimension or time, as far as it is selected under rows."
    order_by = enum_type("OrderBy", (*catalog.metrics, *keys, "time"), about, deprecated=replacements(catalog))
    fields = {
        "by": (order_by, strawberry.field(description="Something that is selected under rows.")),
        "direction": (Direction, strawberry.field(default=Direction.ASC)),
    }
    return strawberry.input(bare_class("OrderInput", fields))


def _metrics_type(types: RowTypes) -> type:
    fields = {
        "rows": (list_of(types.row), "One for each combination of the dimensions that are selected in it."),
        "totals": (types.totals, "Over all rows, also those that a limit cut off; computed anew, not added up."),
        "truncated": (bool, "Whether there are more rows than the limit let through."),
        "as_of": (datetime, "The instant of the answer."),
        "data_version": (BigInt, "Grows with each load; rows and totals are of this version."),
        "explain": (Explain, "The SQL behind the rows; behind the totals, where no rows are selected."),
    }
    described = {name: (type_, strawberry.field(description=text)) for name, (type_, text) in fields.items()}
    return strawberry.type(bare_class("Metrics", described), description="The answer to one question.")
