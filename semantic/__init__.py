"""What the numbers mean: metrics.yaml -> catalog -> plan -> SQL -> result. Pure: no database, no web, no clock.

catalog = load_catalog(text)
plan = plan_query(catalog, MetricQuery(metrics=("roi",), by=("model",), as_of=today))
statement = compile_plan(plan)
result = shape_rows(plan, statement, rows)      # rows: what a database answers to statement.sql, statement.params
"""

from semantic.access import Caller, visible
from semantic.calendar import local_day, midnight, zone_names
from semantic.catalog import Catalog
from semantic.columns import ColumnUse, columns_used
from semantic.errors import CatalogError, Mark, Mistake, QueryError, SemanticError, suggestion
from semantic.evidence import Evidence, Value
from semantic.file.load import load_catalog
from semantic.measure import Formula, Measure
from semantic.metric import Metric, ValueType
from semantic.model import Dimension, Model
from semantic.periods import Grain
from semantic.plan import Plan
from semantic.planning import plan_query
from semantic.query import (
    Both,
    Comparison,
    Either,
    Filter,
    MetricQuery,
    Not,
    Op,
    Order,
    Scalar,
    TimeRange,
    parse_filter,
)
from semantic.reach import dimensions_of
from semantic.restriction import dimensions_across_rows, metrics_across_rows
from semantic.shape import Result, Row, Shaped, shape_columns, shape_rows
from semantic.sql.compile import compile_plan
from semantic.sql.statement import Columns, Statement

__all__ = [
    "Both",
    "Caller",
    "Catalog",
    "CatalogError",
    "ColumnUse",
    "Columns",
    "Comparison",
    "Dimension",
    "Either",
    "Evidence",
    "Filter",
    "Formula",
    "Grain",
    "Mark",
    "Measure",
    "Metric",
    "MetricQuery",
    "Mistake",
    "Model",
    "Not",
    "Op",
    "Order",
    "Plan",
    "QueryError",
    "Result",
    "Row",
    "Scalar",
    "SemanticError",
    "Shaped",
    "Statement",
    "TimeRange",
    "Value",
    "ValueType",
    "columns_used",
    "compile_plan",
    "dimensions_across_rows",
    "dimensions_of",
    "load_catalog",
    "local_day",
    "metrics_across_rows",
    "midnight",
    "parse_filter",
    "plan_query",
    "shape_columns",
    "shape_rows",
    "suggestion",
    "visible",
    "zone_names",
]
