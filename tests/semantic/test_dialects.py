"""A statement in each dialect: what can be checked of it without the engine."""

from collections.abc import Mapping
from typing import cast

import pytest
import sqlglot
from sqlglot import exp

from semantic import QueryError, Scalar, compile_plan, plan_query
from semantic.dialects import RUN_IN_TESTS, Dialect, render, render_tree
from tests.semantic.case import PATHS, read_case, statement_of
from tests.semantic.engines import company, forms


def reads_back(tree: exp.Expression, dialect: Dialect, values: Mapping[str, Scalar]) -> bool:
    """Whether sqlglot reads in a dialect what is rendered for it, all of it; False where it is refused instead."""
    try:
        sql = render_tree(tree, dialect, values)
    except QueryError as error:
        if error.code != "NOT_IN_DIALECT":
            raise
        return False
    assert not list(sqlglot.parse_one(sql, read=dialect.value).find_all(exp.Command)), sql
    return True


def rendered(sql: str, dialect: Dialect) -> str:
    return render_tree(cast(exp.Expression, sqlglot.parse_one(sql)), dialect).replace("\n", " ")


@pytest.mark.parametrize("dialect", Dialect)
def test_every_statement_reads_back_in_its_dialect(dialect: Dialect) -> None:
    statements = [statement_of(read_case(path)) for path in PATHS]
    said = [reads_back(s.tree, dialect, s.params) for s in statements]
    said += [reads_back(form, dialect, {}) for form in forms.FORMS.values()]
    assert all(said) == (dialect in RUN_IN_TESTS)
    assert said.count(True) > 60


def test_a_statement_says_the_same_in_duckdb_as_it_is_run() -> None:
    statement = statement_of(read_case(PATHS[0]))
    assert render(statement, Dialect.DUCKDB) == statement.with_values()


def test_no_statement_picks_rows_in_a_way_that_sqlglot_moves_limits_into() -> None:
    statements = [statement_of(read_case(path)) for path in PATHS]
    statements += [compile_plan(plan_query(company.CATALOG, query)) for query in company.questions()]
    assert not [s for s in statements if s.tree.find(exp.Qualify)]


@pytest.mark.parametrize("dialect", [Dialect.BIGQUERY, Dialect.TRINO])
def test_an_engine_without_exact_percentiles_refuses_them(dialect: Dialect) -> None:
    with pytest.raises(QueryError, match="no exact percentile"):
        rendered("SELECT PERCENTILE_CONT(x, 0.5) FROM t", dialect)


def test_weeks_start_on_monday_where_a_plain_week_does_not() -> None:
    week = "SELECT CAST(TIMESTAMP_TRUNC(t, WEEK) AS DATE) AS w FROM x"
    assert "DATE_TRUNC(`t`, ISOWEEK)" in rendered(week, Dialect.BIGQUERY)
    assert "DATEADD(DAY, 1 - DAYOFWEEKISO(t), CAST(t AS DATE))" in rendered(week, Dialect.SNOWFLAKE)


def test_the_clock_of_a_zone_is_read_from_an_instant_without_one() -> None:
    local = "SELECT t AT TIME ZONE 'UTC' AT TIME ZONE 'Asia/Kathmandu' AS l FROM x"
    assert "CONVERT_TIMEZONE('UTC', 'Asia/Kathmandu', t)" in rendered(local, Dialect.SNOWFLAKE)
    assert "DATETIME(TIMESTAMP(`t`, 'UTC'), 'Asia/Kathmandu')" in rendered(local, Dialect.BIGQUERY)
    zoned = "AT_TIMEZONE(WITH_TIMEZONE(\"t\", 'UTC'), 'Asia/Kathmandu')"
    assert f"CAST({zoned} AS TIMESTAMP(6))" in rendered(local, Dialect.TRINO)


def test_another_known_value_stands_in_for_an_unknown_one_where_that_would_win() -> None:
    least = exp.select(exp.Least(this=exp.column("a"), expressions=[exp.column("b")], ignore_nulls=True))
    expected = "SELECT LEAST(COALESCE(`a`, `b`), COALESCE(`b`, `a`))"
    assert render_tree(least, Dialect.BIGQUERY).replace("\n ", "") == expected


def test_tables_inside_of_tables_are_moved_out_under_names_of_their_own() -> None:
    sql = """WITH a AS (WITH k AS (SELECT 1 AS x), l AS (SELECT x FROM k) SELECT l.x FROM l), k AS (SELECT 2 AS x)
        SELECT a.x, k.x AS y FROM a CROSS JOIN k"""
    assert " ".join(rendered(sql, Dialect.TRINO).split()) == (
        'WITH "a__k" AS ( SELECT 1 AS "x" ), "a__l" AS ( SELECT "x" FROM "a__k" AS "k" ), '
        '"a" AS ( SELECT "l"."x" FROM "a__l" AS "l" ), "k" AS ( SELECT 2 AS "x" ) '
        'SELECT "a"."x", "k"."x" AS "y" FROM "a" CROSS JOIN "k"'
    )
