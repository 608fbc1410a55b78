"""Dimensions that are a metric of each row: what is counted for which row, and what 0 and unknown mean there."""

from datetime import date

import duckdb
import pytest

from semantic import MetricQuery, Value, compile_plan, load_catalog, plan_query, shape_rows

FILE = """
version: 1
models:
  tasks:
    source: tasks
    key: task
    time: asked_at
    joins:
      owner: {to: people, column: person}
      rank: {to: ranks, columns: {person: person}, as_of: since}
    dimensions:
      person: {type: string, sql: "'task of ' || person"}
  people:
    source: people
    key: person
    dimensions:
      name: {type: string, sql: person}
      their_first_done: {type: integer, metric: first_done}
      their_hours: {type: integer, metric: hours}
      their_known_hours: {type: integer, metric: known_hours}
      their_red_hours: {type: integer, metric: red_hours}
  ranks:
    source: ranks
    key: [person, since]
    dimensions: {title: string, tasks_in_rank: {type: integer, metric: tasks}}
metrics:
  tasks: {count: tasks}
  people: {count: people}
  ranks: {count: ranks}
  first_done: {first: tasks.hours, time: done_at}
  hours: {sum: tasks.hours}
  known_hours: {sum: tasks.hours, empty: zero}
  red_hours: {sum: tasks.hours, where: colour = 'red', empty: zero}
"""
TABLES = """
CREATE TABLE people AS FROM (VALUES ('ann'), ('bob'), ('cid'), ('dee')) t(person);
CREATE TABLE ranks AS FROM (VALUES
    ('ann', 'junior', TIMESTAMP '2026-01-01'), ('ann', 'senior', TIMESTAMP '2026-02-01'),
    ('bob', 'junior', TIMESTAMP '2026-01-01'), ('bob', 'expert', TIMESTAMP '2026-06-01')
) t(person, title, since);
CREATE TABLE tasks AS FROM (VALUES
    ('t1', 'ann', 5, 'red', TIMESTAMP '2026-01-10', TIMESTAMP '2026-03-09'),
    ('t2', 'ann', 7, 'blue', TIMESTAMP '2026-02-11', TIMESTAMP '2026-03-02'),
    ('t3', 'ann', 1, 'blue', TIMESTAMP '2026-02-12', TIMESTAMP '2026-03-05'),
    ('t4', 'bob', 2, 'blue', TIMESTAMP '2026-01-13', TIMESTAMP '2026-03-04'),
    ('t5', 'cid', NULL, 'red', TIMESTAMP '2026-01-14', TIMESTAMP '2026-03-04'),
    ('t6', NULL, 4, 'red', TIMESTAMP '2026-01-15', TIMESTAMP '2026-03-04')
) t(task, person, hours, colour, asked_at, done_at);
"""


def ask(metric: str, *by: str) -> list[tuple[Value, ...]]:
    catalog = load_catalog(FILE, "tasks.yaml")
    plan = plan_query(catalog, MetricQuery(metrics=(metric,), by=by, as_of=date(2026, 4, 1)))
    statement = compile_plan(plan)
    with duckdb.connect() as connection:
        connection.execute(TABLES)
        rows = connection.execute(statement.sql, statement.params).fetchall()
    return [(*row.keys.values(), *row.values.values()) for row in shape_rows(plan, statement, rows).rows]


def test_the_first_value_is_the_first_by_the_time_that_the_metric_names() -> None:
    # Ann was asked for t1 (5 hours) first, but was done with t2 (7 hours) first.
    assert ask("people", "name", "their_first_done") == [
        ("ann", 7, 1),
        ("bob", 2, 1),
        ("cid", None, 1),
        ("dee", None, 1),
    ]


def test_each_version_of_a_dated_row_has_what_happened_while_it_was_in_force() -> None:
    assert ask("ranks", "title", "tasks_in_rank") == [
        ("expert", 0, 1),
        ("junior", 1, 2),
        ("senior", 2, 1),
    ]


def test_a_row_is_found_by_its_column_and_not_by_a_dimension_of_that_name() -> None:
    # `person` of tasks is a text about the person; the join pairs the column.
    assert ask("people", "name", "their_hours") == [("ann", 13, 1), ("bob", 2, 1), ("cid", None, 1), ("dee", None, 1)]


@pytest.mark.parametrize(
    ("dimension", "expected"),
    [
        # Cid has a task that does not know its hours: unknown is not 0. Dee has no task at all.
        ("their_known_hours", [("ann", 13, 1), ("bob", 2, 1), ("cid", None, 1), ("dee", 0, 1)]),
        ("their_red_hours", [("ann", 5, 1), ("bob", 0, 1), ("cid", None, 1), ("dee", 0, 1)]),
    ],
)
def test_nothing_to_add_is_0_where_the_metric_says_so_and_unknown_stays_unknown(
    dimension: str, expected: list[tuple[Value, ...]]
) -> None:
    assert ask("people", "name", dimension) == expected


def test_a_row_that_joins_nobody_has_no_value_of_anybody() -> None:
    assert ask("tasks", "their_red_hours") == [(0, 1), (5, 3), (None, 2)]
