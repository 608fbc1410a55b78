"""The `metrics` field: its arguments and what is selected below it are one question; with totals, they are two."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any

import strawberry
from strawberry import UNSET, Info, argument

from semantic import Catalog, Filter, MetricQuery, Order, QueryError, TimeRange, local_day, zone_names
from server.answer import Answer, ask, only_row, totals_of
from server.graphql.context import Context
from server.graphql.explain import Explain, explained
from server.graphql.filters import filter_input, read_filter
from server.graphql.generated import bare_class, enum_type, list_of
from server.graphql.rows import RowTypes, enums_of, row_types, row_values
from server.graphql.scalars import BigInt
from server.graphql.selection import Columns, Selection, selection_of
from server.names import vocabulary
from store import QueryTimeout

Direction = enum_type("Direction", ("asc", "desc"), "Rows without a value are last in both directions.")


@strawberry.input(description="A half-open range: the start is inside, the end is not. Either may be left open.")
class TimeRangeInput:
    start: datetime | None = UNSET
    end: datetime | None = UNSET


@dataclass(frozen=True, slots=True)
class Arguments:
    """What the arguments state; None where they say nothing."""

    time: TimeRange
    where: Filter | None
    order_by: tuple[Order, ...]
    limit: int | None
    zone: str | None
    as_of: date | None


@dataclass(frozen=True, slots=True)
class Answered:
    """What the type `Metrics` is read from; what is not selected is empty."""

    rows: list[dict[str, object]]
    totals: dict[str, object] | None
    truncated: bool
    as_of: datetime
    data_version: int
    explain: Explain | None


def metrics_field(catalog: Catalog) -> Any:
    """`Query.metrics`, with every type that the catalog gives."""
    words = vocabulary(catalog)
    enums = enums_of(catalog)
    where_input = filter_input(catalog, enums)
    order_input = _order_input(catalog)
    answer_type = _metrics_type(row_types(catalog, enums))

    def metrics(
        info: Info[Context, None],
        time: TimeRangeInput | None = UNSET,
        where: Annotated[Any, argument(graphql_type=where_input | None)] = UNSET,
        order_by: Annotated[Any, argument(graphql_type=list_of(order_input) | None)] = UNSET,
        limit: Annotated[int | None, argument(description="At most so many rows; `truncated` tells of more.")] = UNSET,
        zone: Annotated[str | None, argument(description="Where days are cut, such as Europe/Berlin.")] = UNSET,
        as_of: Annotated[date | None, argument(description="The day on which it is asked; default: today.")] = UNSET,
    ) -> Any:
        arguments = Arguments(
            time=TimeRange(_given(time.start), _given(time.end)) if time else TimeRange(),
            where=read_filter(where, catalog),
            order_by=tuple(Order(o.by.value, o.direction.value) for o in order_by or ()),
            limit=_given(limit),
            zone=_given(zone),
            as_of=_given(as_of),
        )
        return answered(info.context, selection_of(info._raw_info, words), arguments)

    return strawberry.field(
        resolver=metrics,
        graphql_type=answer_type | None,
        description="Metrics, one row for each combination of the dimensions that are selected beside them.",
    )


def answered(context: Context, selection: Selection, arguments: Arguments) -> Answered:
    """Asks for the rows, and for the totals on the same version of the data."""
    rows = totals = None
    if selection.rows:
        rows = _asked(context, question(context, selection.rows, arguments))
        _check_size(len(rows.result.rows), selection.rows.width, context.limits.most_values)
    if selection.totals:
        of_all = totals_of(question(context, selection.totals, arguments), selection.totals.metrics)
        totals = _asked(context, of_all)
    told = rows or totals
    if told is None and "explain" in selection.fields:
        raise QueryError("NO_METRICS", "there is nothing to explain; select rows or totals beside it")
    return Answered(
        rows=[row_values(row) for row in rows.result.rows] if rows else [],
        totals=row_values(only_row(totals)) if totals else None,
        truncated=rows is not None and rows.result.truncated,
        as_of=context.now,
        data_version=context.reader.data_version,
        explain=explained(told) if told and "explain" in selection.fields else None,
    )


def question(context: Context, columns: Columns, arguments: Arguments) -> MetricQuery:
    limits = context.limits
    limit = limits.rows if arguments.limit is None else arguments.limit
    if not 1 <= limit <= limits.most_rows:
        raise QueryError("BAD_LIMIT", f"a limit is from 1 to {limits.most_rows:,}, this is {limit:,}")
    return MetricQuery(
        metrics=columns.metrics,
        as_of=arguments.as_of or _today(context, arguments.zone),
        by=columns.by,
        grain=columns.grain,
        time=arguments.time,
        where=arguments.where,
        order_by=arguments.order_by,
        limit=limit,
        zone=arguments.zone,
        evidence=columns.evidence,
    )


def _asked(context: Context, query: MetricQuery) -> Answer:
    try:
        return ask(context.catalog, context.reader, query, timeout_ms=context.deadline.remaining_ms())
    except QueryTimeout as error:
        raise context.deadline.passed() from error  # the store knows only what was left of the time


def _today(context: Context, zone: str | None) -> date:
    """An unknown zone is told by the plan; until then the catalog's own stands in for it."""
    return local_day(context.now, zone if zone in zone_names() else context.catalog.time_zone)


def _check_size(rows: int, width: int, most: int) -> None:
    if rows * width > most:
        excess = f"{rows:,} rows of {width:,} values are more than {most:,} values"
        raise QueryError("TOO_LARGE", f"{excess}; ask for fewer rows (limit) or select less")


def _given(value: Any) -> Any:
    return None if value is UNSET else value


def _order_input(catalog: Catalog) -> type:
    names = (*catalog.metrics, *catalog.dimensions(), "time")
    order_by = enum_type("OrderBy", names, "Any metric, dimension or time, as far as it is selected under rows.")
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
