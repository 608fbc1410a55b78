"""What the numbers mean: metrics.yaml -> catalog -> plan -> SQL -> result. Pure: no database, no web, no clock.

catalog = load_catalog(text)
plan = plan_query(catalog, MetricQuery(metrics=("roi",), by=("model",), as_of=today))
statement = compile_plan(plan)
result = shape_rows(plan, statement, rows)      # rows: what a database answers to statement.sql, statement.params
"""

from semantic.calendar import local_day, midnight, zone_names
from semantic.catalog import load_catalog
from semantic.columns import ColumnUse, columns_used
from semantic.compile import compile_plan
from semantic.errors import CatalogError, Mark, Mistake, QueryError, SemanticError, suggestion
from semantic.model import Catalog, Dimension, Formula, Grain, Measure, Metric, Model, ValueType
from semantic.plan import Plan, dimensions_of, plan_query
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
from semantic.shape import Evidence, Result, Row, Value, shape_rows
from semantic.statement import Columns, Statement

__all__ = [
    "Both",
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
    "Statement",
    "TimeRange",
    "Value",
    "ValueType",
    "columns_used",
    "compile_plan",
    "dimensions_of",
    "load_catalog",
    "local_day",
    "midnight",
    "parse_filter",
    "plan_query",
    "shape_rows",
    "suggestion",
    "zone_names",
]
