"""Whether a question names what the catalog has and is of a size that can be answered. What it means is the plan's."""

from collections import Counter

from semantic.calendar import zone_names
from semantic.catalog import Catalog
from semantic.errors import QueryError, suggestion
from semantic.plan import key_name
from semantic.query import Comparison, MetricQuery, Op, comparisons
from semantic.reach import TIME_PARTS

MAX_METRICS = 500
MAX_KEYS = 12
MAX_COMPARISONS = 200
MAX_VALUES = 1_000
_TEXT_OPS = (Op.CONTAINS, Op.STARTS_WITH)


def check_question(catalog: Catalog, query: MetricQuery) -> None:
    """Raises `QueryError` for a name that is not there, with what was probably meant, and for what is too large."""
    _check_names(catalog, query)
    _check_size(query)
    if query.limit is not None and query.limit < 1:
        raise QueryError("BAD_LIMIT", f"a limit is at least 1, this is {query.limit}")
    if query.zone is not None and query.zone not in zone_names():
        raise QueryError("UNKNOWN_ZONE", f"'{query.zone}' is not a time zone; use a name such as Europe/Berlin")
    columns = Counter([*(key_name(d) for d in dict.fromkeys(query.by)), *dict.fromkeys(query.metrics)])
    if repeated := next((column for column, times in columns.items() if times > 1), None):
        raise QueryError("AMBIGUOUS_DIMENSION", f"two of the names asked for would be the column '{repeated}'")
    sortable = {*query.metrics, *query.by, *(["time"] if query.grain else [])}
    for order in query.order_by:
        if order.by not in sortable:
            raise QueryError(
                "BAD_ORDER",
                f"order by something that is asked for; {suggestion(order.by, sortable)} (not '{order.by}')",
            )
    for comparison in comparisons(query.having):
        _check_having(query, comparison)


def _check_names(catalog: Catalog, query: MetricQuery) -> None:
    if not query.metrics:
        raise QueryError("NO_METRICS", f"name at least one metric; {suggestion('', catalog.metrics)}")
    for name in query.metrics:
        if name not in catalog.metrics:
            raise QueryError("UNKNOWN_METRIC", f"there is no metric '{name}'; {suggestion(name, catalog.metrics)}")
    if query.grain is not None and catalog.calendar.periods(query.grain) is None:
        hint = suggestion(query.grain, catalog.calendar.names)
        raise QueryError("UNKNOWN_GRAIN", f"there is no grain '{query.grain}'; {hint}")
    for name in query.filters:
        if name not in catalog.filters:
            raise QueryError("UNKNOWN_FILTER", f"there is no filter '{name}'; {suggestion(name, catalog.filters)}")
    dimensions = [*catalog.dimensions(), *(f"time.{part}" for part in TIME_PARTS)]
    known = set(dimensions)
    for name in (*query.by, *(c.dimension for c in comparisons(query.where))):
        if name not in known and (name.startswith("time.") or name.rpartition(".")[2] not in known):
            raise QueryError("UNKNOWN_DIMENSION", f"there is no dimension '{name}'; {suggestion(name, dimensions)}")


def _check_size(query: MetricQuery) -> None:
    asked = [*comparisons(query.where), *comparisons(query.having)]
    for what, size, most in (
        ("metrics", len(query.metrics), MAX_METRICS),
        ("dimensions", len(query.by), MAX_KEYS),
        ("filters", len(query.filters), MAX_KEYS),
        ("comparisons", len(asked), MAX_COMPARISONS),
        ("values in one comparison", max((len(c.values) for c in asked), default=0), MAX_VALUES),
    ):
        if size > most:
            raise QueryError("TOO_LARGE", f"at most {most:,} {what} fit into one question, this has {size:,}")


def _check_having(query: MetricQuery, comparison: Comparison) -> None:
    if comparison.dimension not in query.metrics:
        raise QueryError(
            "BAD_HAVING",
            f"compare the values of what is asked for; {suggestion(comparison.dimension, query.metrics)} "
            f"(not '{comparison.dimension}')",
        )
    if comparison.op in _TEXT_OPS or not comparison.values:
        raise QueryError(
            "BAD_HAVING", f"'{comparison.dimension}' is compared by eq, ne, in, gt, gte, lt, lte or is_null"
        )
