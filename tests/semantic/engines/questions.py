"""Random questions of random worlds, as the plan and statement that they become."""

from collections.abc import Iterator
from random import Random

import duckdb

from semantic import Plan, QueryError, Statement, compile_plan, load_catalog, plan_query
from tests.semantic.compare import as_caller
from tests.semantic.draw_questions import question
from tests.semantic.draw_worlds import world
from tests.semantic.draws import draws_from
from tests.semantic.written import catalog_text, table_sql

QUESTIONS = 5


def drawn(seed: int, connection: duckdb.DuckDBPyConnection) -> Iterator[tuple[Plan, Statement]]:
    """Fills the connection with a world and asks it; what the planner refuses is left out."""
    draws = draws_from(Random(seed))
    made = world(draws)
    connection.execute(table_sql(made.tables))
    catalog = load_catalog(catalog_text(made))
    for _ in range(QUESTIONS):
        case = question(draws, made)
        try:
            plan = plan_query(catalog, case.query, as_caller(case.caller))
        except QueryError:
            continue
        yield plan, compile_plan(plan)
