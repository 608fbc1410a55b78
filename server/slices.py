"""Which rows a question is about, for surfaces that compute more than metrics: the keys of a slice, as SQL to join.

The rows are chosen by the semantic layer, as for every metric. So a filter means the same on every surface, and what
policies hide from a caller is in no slice of his.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

from semantic import Caller, Filter, MetricQuery, QueryError, Scalar, TimeRange
from semantic.planner import Planner
from semantic.restriction import guards
from server.answer import compiled

ALL_TIME = TimeRange()
SliceOf = Literal["sessions", "requests"]

KEY: Mapping[SliceOf, str] = {"sessions": "session_id", "requests": "request_key"}
_ROWS: Mapping[SliceOf, str] = {"sessions": "sessions", "requests": "requests"}


@dataclass(frozen=True, slots=True)
class Slice:
    """`SELECT key ...` with its parameters, named `p1` and so on; put it behind `WHERE key IN (...)` or a join."""

    key: str
    sql: str
    params: dict[str, Scalar]


def slice_of(
    planner: Planner,
    of: SliceOf,
    *,
    as_of: date,
    time: TimeRange = ALL_TIME,
    where: Filter | None = None,
    filters: tuple[str, ...] = (),
    zone: str | None = None,
    caller: Caller | None = None,
) -> Slice:
    """The keys of the sessions that started, or of the requests that were made, in `time` and match `where`.

    `QueryError` where the question cannot be answered rightly, as for a metric.
    """
    query = MetricQuery(
        metrics=(_ROWS[of],), by=(KEY[of],), as_of=as_of, time=time, where=where, filters=filters, zone=zone
    )
    _, statement = compiled(planner, query, caller)
    return Slice(KEY[of], f"SELECT {KEY[of]} FROM ({statement.sql}) AS chosen", statement.params)


def check_unrestricted(planner: Planner, models: tuple[str, ...], caller: Caller | None) -> None:
    """Raises `QueryError` where policies hide rows of these models from a caller.

    For surfaces that need all rows of a model to be right, such as a forecast of the cash.
    """
    for name in models:
        if any(guards(planner.catalog, planner.catalog.models[name], caller)):
            raise QueryError("NOT_ALLOWED", "this rests on rows of which the caller may see a part only")
