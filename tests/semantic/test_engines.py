"""What a statement answers in DuckDB it answers in PostgreSQL, ClickHouse and Spark: real engines, the same tables."""

import importlib
import os
from collections.abc import Iterator
from typing import Any, cast

import duckdb
import pytest
import sqlglot
from sqlglot import exp

from semantic import Plan, Statement, compile_plan, plan_query, shape_rows
from semantic.dialects import Dialect, render, render_tree
from tests.conftest import REQUIRE_ALL
from tests.semantic.case import PATHS, TABLES, read_case, statement_of
from tests.semantic.engines import company, forms
from tests.semantic.engines.questions import drawn
from tests.semantic.engines.tables import Cells, Engine, RefusedError, cells_of, differing, tables_of

pytestmark = pytest.mark.whole

WORLDS = int(os.environ.get("CLAWBACK_ENGINE_WORLDS", "8"))
HOSTILE = ("it's", "\\", "\\' or 1=1 --", "''", "a\nb\tc", "%_", '"`$', "ß日本", "/* x */", "{p:String}", ":a ? $1 @x")

every_engine = pytest.mark.parametrize("engine", ["postgres", "clickhouse", "spark"], indirect=True)


@pytest.fixture(scope="module")
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """An engine; where its packages are not installed the test is skipped, and fails in CI."""
    try:
        module: Any = importlib.import_module(f"tests.semantic.engines.{request.param}")
    except ModuleNotFoundError as missing:
        reason = f"{missing.name} is not installed; make engines"
        pytest.fail(reason) if REQUIRE_ALL else pytest.skip(reason)
    with module.opened() as opened:
        yield opened


@pytest.fixture(scope="module")
def filled() -> duckdb.DuckDBPyConnection:
    """The tables that the repository's metrics read."""
    connection = duckdb.connect(config={"threads": 1})
    company.fill(connection)
    return connection


def holding(engine: Engine, sql: str) -> duckdb.DuckDBPyConnection:
    """A DuckDB with the tables of some SQL, which the engine then holds too."""
    connection = duckdb.connect(config={"threads": 1})
    connection.execute(sql)
    engine.hold(tables_of(connection))
    return connection


def check(engine: Engine, connection: duckdb.DuckDBPyConnection, plan: Plan, statement: Statement) -> None:
    """Both results are the same, in the same order."""
    expected = shape_rows(plan, statement, connection.execute(statement.sql, statement.params).fetchall())
    sql = render(statement, engine.dialect)
    got = shape_rows(plan, statement, engine.rows(sql))
    assert got.truncated == expected.truncated
    assert differing(cells_of(expected), cells_of(got)) == [], f"{plan.query}\n{sql}"


# --- the same answers


@every_engine
def test_each_form_of_sql_gives_what_it_gives_in_duckdb(engine: Engine) -> None:
    connection = holding(engine, forms.TABLES)
    for name, form in forms.FORMS.items():
        expected = connection.execute(render_tree(form, Dialect.DUCKDB)).fetchall()
        assert differing(expected, engine.rows(render_tree(form, engine.dialect))) == [], name
    assert len(forms.FORMS) > 50


@every_engine
def test_each_compiled_case_gives_what_it_gives_in_duckdb(engine: Engine) -> None:
    connection = holding(engine, TABLES)
    for path in PATHS:
        statement = statement_of(read_case(path))
        expected = connection.execute(statement.sql, statement.params).fetchall()
        assert differing(expected, engine.rows(render(statement, engine.dialect))) == [], path.name


@every_engine
def test_every_metric_of_the_product_is_the_same(engine: Engine, filled: duckdb.DuckDBPyConnection) -> None:
    engine.hold(tables_of(filled))
    asked: set[str] = set()
    for query in company.questions():
        plan = plan_query(company.CATALOG, query)
        check(engine, filled, plan, compile_plan(plan))
        asked.update(query.metrics)
    assert asked == set(company.CATALOG.metrics)


@pytest.mark.parametrize("seed", range(WORLDS))
@pytest.mark.parametrize("engine", ["postgres", "clickhouse"], indirect=True)
def test_random_questions_of_random_worlds_have_the_same_answers(engine: Engine, seed: int) -> None:
    connection = duckdb.connect(config={"threads": 1})
    asked = list(drawn(seed, connection))
    engine.hold(tables_of(connection))
    answered = 0
    for plan, statement in asked:
        try:
            check(engine, connection, plan, statement)
            answered += 1
        except RefusedError:
            continue
    assert answered


@every_engine
def test_text_is_the_same_text_whatever_is_in_it(engine: Engine) -> None:
    tree = exp.select(*(exp.alias_(exp.Literal.string(text), f"c{n}") for n, text in enumerate(HOSTILE)))
    assert engine.rows(render_tree(tree, engine.dialect)) == [HOSTILE]


# --- what the words alone would give: wrong, and silently so

SILENT: dict[str, tuple[str, Cells, Cells]] = {
    "a cast cuts digits off": ("SELECT CAST(1.999 AS DECIMAL(18, 2)) * 100 AS c", (200,), (199,)),
    "a quotient keeps the scale": (
        "SELECT CAST(1 AS DECIMAL(9, 2)) / CAST(8 AS DECIMAL(9, 2)) AS q",
        (0.125,),
        (0.12,),
    ),
    "halves go to the even neighbour": ("SELECT ROUND(CAST(2.5 AS DOUBLE)) AS r", (3,), (2,)),
    "dates begin in 1970": ("SELECT YEAR(CAST('1905-06-30' AS DATE)) AS y", (1905,), (1970,)),
    "the next of the last is 0": ("SELECT LEAD(x) OVER (ORDER BY x) AS n FROM (SELECT 7 AS x) AS t", (None,), (0,)),
    "a sum of nothing is 0": ("SELECT SUM(x) AS s FROM (SELECT 7 AS x) AS t WHERE x > 7", (None,), (0,)),
    "a partner that lacks is empty": (
        "SELECT b.y AS y FROM (SELECT 1 AS x) AS a LEFT JOIN (SELECT 2 AS x, 'text' AS y) AS b ON a.x = b.x",
        (None,),
        ("",),
    ),
    "a name hides its column": (
        "SELECT UPPER(k) AS k, COUNT(*) FILTER(WHERE k = 'a') AS n FROM (SELECT 'a' AS k) AS t GROUP BY 1",
        ("A", 1),
        ("A", 0),
    ),
}


@pytest.mark.parametrize("engine", ["clickhouse"], indirect=True)
@pytest.mark.parametrize("name", SILENT)
def test_clickhouse_would_answer_something_else_to_the_same_words(engine: Engine, name: str) -> None:
    sql, right, wrong = SILENT[name]
    tree = cast(exp.Expression, sqlglot.parse_one(sql, read="duckdb"))
    assert duckdb.execute(sql).fetchall() == [right]
    assert differing([wrong], engine.rows(tree.sql(dialect="clickhouse"))) == []
    assert differing([right], engine.rows(render_tree(_extracted(tree), engine.dialect))) == []


def _extracted(tree: exp.Expression) -> exp.Expression:
    """With the parts of a time as the compiler writes them."""
    return tree.transform(
        lambda n: exp.Extract(this=exp.Var(this="YEAR"), expression=n.this) if isinstance(n, exp.Year) else n
    )


@pytest.mark.parametrize("engine", ["clickhouse", "spark"], indirect=True)
def test_a_percentile_would_be_approximate(engine: Engine) -> None:
    holding(engine, "create table squares as select cast(i * i % 99991 as integer) as x from range(12000) as r(i)")
    (exact,) = duckdb.execute("select median(i * i % 99991) from range(12000) as r(i)").fetchall()
    words = "SELECT PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY x) AS m FROM squares"
    if engine.dialect is Dialect.CLICKHOUSE:
        words = "SELECT MEDIAN(x) AS m FROM squares"
    raw = sqlglot.transpile(words, read="duckdb", write=engine.dialect.value)[0]
    assert differing([exact], engine.rows(raw))
    ours = exp.select(exp.alias_(exp.PercentileCont(this=exp.column("x"), expression=exp.Literal.number("0.5")), "m"))
    assert differing([exact], engine.rows(render_tree(ours.from_("squares"), engine.dialect))) == []


@pytest.mark.parametrize("engine", ["postgres", "spark"], indirect=True)
def test_a_limit_would_move_into_what_numbers_the_rows(engine: Engine) -> None:
    connection = holding(engine, forms.TABLES)
    sql = "SELECT id FROM events QUALIFY ROW_NUMBER() OVER (PARTITION BY team ORDER BY id) = 1 ORDER BY id LIMIT 3"
    assert connection.execute(sql).fetchall() == [("1",), ("10",), ("4",)]
    assert engine.rows(sqlglot.transpile(sql, read="duckdb", write=engine.dialect.value)[0]) == [("1",), ("10",)]


@every_engine
def test_an_unknown_input_makes_the_least_unknown(engine: Engine) -> None:
    known, unknown = exp.Literal.number(1), exp.cast(exp.null(), "INT")
    least = exp.select(exp.alias_(exp.Least(this=known, expressions=[unknown]), "x"))
    assert engine.rows(least.sql(dialect=engine.dialect.value)) == [(1,)]
    assert engine.rows(render_tree(least, engine.dialect)) == [(None,)]


@pytest.mark.parametrize("engine", ["postgres"], indirect=True)
def test_names_that_begin_alike_stay_two(engine: Engine) -> None:
    long = "the_cost_of_everything_that_anybody_has_ever_asked_of_any_model"
    both = exp.select(exp.alias_("1", f"{long}__rows"), exp.alias_("2", f"{long}__unknown"))
    of_both = exp.select(exp.column(f"{long}__rows"), exp.column(f"{long}__unknown")).from_(both.subquery("t"))
    with pytest.raises(Exception, match="ambiguous"):
        engine.rows(of_both.sql(dialect="postgres"))
    assert engine.rows(render_tree(of_both, engine.dialect)) == [(1, 2)]
