"""A compiled statement in the words of another engine, so that it gives there what it gives in DuckDB.

sqlglot translates the words; what an engine computes otherwise under the same words is rewritten first, by small passes
over the tree. docs/engines.md says which engines the tests run, and what is still another answer there.
"""

from collections.abc import Mapping
from enum import StrEnum

from sqlglot import ErrorLevel, exp
from sqlglot.errors import UnsupportedError

from semantic.dialects import clickhouse, postgres, spark, warehouses
from semantic.dialects.passes import Pass, flat_tables, with_values
from semantic.errors import QueryError
from semantic.query import Scalar
from semantic.sql.statement import Statement

__all__ = ["RUN_IN_TESTS", "Dialect", "render", "render_tree"]


class Dialect(StrEnum):
    DUCKDB = "duckdb"
    POSTGRES = "postgres"
    CLICKHOUSE = "clickhouse"
    SPARK = "spark"
    SNOWFLAKE = "snowflake"
    BIGQUERY = "bigquery"
    TRINO = "trino"


RUN_IN_TESTS = (Dialect.DUCKDB, Dialect.POSTGRES, Dialect.CLICKHOUSE, Dialect.SPARK)
"""Whose answers the tests compare; for the rest the words are right as far as sqlglot knows them."""

_PASSES: Mapping[Dialect, tuple[Pass, ...]] = {
    Dialect.DUCKDB: (),
    Dialect.POSTGRES: (flat_tables, *postgres.PASSES),
    Dialect.CLICKHOUSE: (flat_tables, *clickhouse.PASSES),
    Dialect.SPARK: (flat_tables, *spark.PASSES),
    Dialect.SNOWFLAKE: (flat_tables, *warehouses.SNOWFLAKE),
    Dialect.BIGQUERY: (flat_tables, *warehouses.BIGQUERY),
    Dialect.TRINO: (flat_tables, *warehouses.TRINO),
}


def render(statement: Statement, dialect: Dialect) -> str:
    """The statement with its values written into it; `QueryError` NOT_IN_DIALECT for what the engine cannot say."""
    return render_tree(statement.tree, dialect, statement.params)


def render_tree(tree: exp.Expression, dialect: Dialect, values: Mapping[str, Scalar] | None = None) -> str:
    """A tree of DuckDB's meaning as text; every name is quoted, so that none is a keyword and none is folded."""
    tree = with_values(tree, values or {})
    for change in _PASSES[dialect]:
        tree = change(tree)
    # Snowflake keeps plain names in capitals, so there a quoted name would be another one.
    quotes = dialect not in (Dialect.DUCKDB, Dialect.SNOWFLAKE)
    try:
        return tree.sql(dialect=dialect.value, pretty=True, identify=quotes, unsupported_level=ErrorLevel.RAISE)
    except UnsupportedError as error:
        raise QueryError("NOT_IN_DIALECT", f"{dialect} cannot say this: {error}") from error
