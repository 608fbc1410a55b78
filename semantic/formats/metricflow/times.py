"""The column that dates the rows of a model, or of a metric that has a time of its own."""

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from semantic.formats.metricflow.project import Aggregated, Cumulative, Dimension, Project, SemanticModel, Simple
from semantic.formats.metricflow.sql import is_column
from semantic.formats.report import NotCarriedError


def default_time(model: SemanticModel, project: Project) -> str:
    """The time dimension of a model: its default, else the first that one of its metrics names, else none."""
    if model.time:
        return model.time
    named = [m.aggregate.time for m in model.measures]
    for metric in project.metrics.values():
        match metric.definition:
            case Simple(base=base) | Cumulative(base=Aggregated() as base) if base.aggregate.model == model.name:
                named.append(base.aggregate.time)
    return next((name for name in named if name), "")


def time_column(dimension: Dimension, dialect: str) -> str:
    """The column behind a time dimension, which may cut it to days; `NotCarriedError` for any other expression."""
    if is_column(dimension.sql):
        return dimension.sql
    try:
        tree = sqlglot.parse_one(dimension.sql, read=dialect).unnest()
    except (SqlglotError, RecursionError):
        tree = exp.null()
    if isinstance(tree, exp.Cast | exp.DateTrunc | exp.TimestampTrunc | exp.TsOrDsToDate | exp.Date):
        inner = tree.this
        if isinstance(inner, exp.Column) and len(inner.parts) == 1:
            return inner.name
    raise NotCarriedError(
        f"time dimension '{dimension.name}'",
        f"a time is a column, this is {dimension.sql}",
        "give the table a column that holds it",
    )


def is_date(dimension: Dimension) -> bool:
    """Whether the project says that the column holds dates. A grain of days alone does not: it cuts timestamps, too."""
    return dimension.datatype == "date"
