"""Questions at the edges of the layer: names that come twice, tables that could hide each other, rows seen again."""

from datetime import UTC, date, datetime

import duckdb
import pytest

from semantic import (
    Caller,
    Comparison,
    MetricQuery,
    Not,
    Op,
    QueryError,
    TimeRange,
    Value,
    compile_plan,
    load_catalog,
    parse_filter,
    plan_query,
    shape_rows,
)

FILE = """
version: 1
models:
  events:
    source: events
    key: entity
    time: happened_at
    joins: {parent: {to: events, columns: {parent: entity}}, at: {to: places, column: place}}
    dimensions: {team: string, entity: string}
  events_2:
    source: events_by_team
    key: entity
    time: happened_at
    dimensions: {team: string}
  places:
    source: places
    key: place
    joins: {land: lands}
    dimensions: {place: string}
  lands:
    source: lands
    key: land
    dimensions: {coast: boolean}
policies:
  own: {model: events, rows: "team in :caller.teams", unless: [admin]}
metrics:
  events: {count: events}
  others: {count: events_2}
  week: {metric: events, rolling: 7 days}
  best_of_days: {metric: events, each: {grain: day, take: max}}
  mean_of_best: {metric: best_of_days, each: {grain: day, take: avg}}
  followed:
    funnel: {start: events, by: team, steps: [{name: next, model: events, by: team}], within: 2 days, output: count}
"""
TABLES = """
CREATE TABLE lands AS FROM (VALUES ('l1', true), ('l2', false)) t(land, coast);
CREATE TABLE places AS FROM (VALUES ('p1', 'l1'), ('p2', 'l2'), ('p3', NULL)) t(place, land);
CREATE TABLE events AS FROM (VALUES
    ('e1', NULL, 'a', TIMESTAMP '2026-03-01 10:00', 'p1'), ('e2', 'e1', 'b', TIMESTAMP '2026-03-02 10:00', 'p2'),
    ('e3', 'e2', 'a', TIMESTAMP '2026-03-02 12:00', 'p3')
) t(entity, parent, team, happened_at, place);
CREATE TABLE events_by_team AS FROM (VALUES ('x', 'z', TIMESTAMP '2026-03-01 10:00')) t(entity, team, happened_at);
"""


def ask(file: str = FILE, caller: Caller | None = None, **question: object) -> list[tuple[Value, ...]]:
    catalog = load_catalog(file, "edges.yaml")
    plan = plan_query(catalog, MetricQuery(as_of=date(2026, 4, 1), **question), caller)  # type: ignore[arg-type]
    statement = compile_plan(plan)
    with duckdb.connect() as connection:
        connection.execute(TABLES)
        rows = connection.execute(statement.sql, statement.params).fetchall()
    return [(*row.keys.values(), *row.values.values()) for row in shape_rows(plan, statement, rows).rows]


ADMIN, OF_A = Caller(frozenset({"admin"})), Caller(claims={"teams": ("a",)})


def test_a_row_that_is_joined_again_shows_only_what_its_own_policy_lets_the_caller_see() -> None:
    by = ("entity", "parent.team")
    assert ask(metrics=("events",), by=by, caller=ADMIN) == [("e1", None, 1), ("e2", "a", 1), ("e3", "b", 1)]
    assert ask(metrics=("events",), by=by, caller=OF_A) == [("e1", None, 1), ("e3", None, 1)]
    hidden = parse_filter("parent.team = 'b'")
    assert ask(metrics=("events",), where=hidden, caller=OF_A) == [(0,)]
    assert ask(metrics=("events",), where=hidden, caller=ADMIN) == [(1,)]


def test_a_filter_may_name_a_dimension_by_all_its_roles() -> None:
    assert parse_filter("at.land.coast = true") == Comparison("at.land.coast", Op.EQ, (True,))
    assert ask(metrics=("events",), where=parse_filter("at.land.coast = true")) == [(1,)]


def test_not_being_known_and_its_opposite_can_be_denied() -> None:
    assert parse_filter("not (team is not null)") == Comparison("team", Op.IS_NULL, (True,))
    assert parse_filter("not (team is null)") == Comparison("team", Op.IS_NULL, (False,))


def test_a_metric_that_is_asked_twice_is_answered_once() -> None:
    assert ask(metrics=("events", "events"), by=("team", "team")) == [("a", 2), ("b", 1)]


def test_an_aggregate_of_an_aggregate_has_a_series_of_its_own() -> None:
    assert ask(metrics=("mean_of_best",), grain="month") == [(date(2026, 3, 1), 1.5)]


def test_a_table_of_the_store_is_not_hidden_by_one_of_the_statement() -> None:
    assert ask(metrics=("events", "others"), by=("team",)) == [("a", 2, 0), ("b", 1, 0), ("z", 0, 1)]
    march = TimeRange(datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC))
    assert ask(metrics=("week", "others"), grain="month", time=march) == [(date(2026, 3, 1), 0, 1)]


def test_a_funnel_works_on_a_model_called_events_whose_key_is_called_entity() -> None:
    # e1 is followed by e3 (26 hours later, of the same team); e2 and e3 by nothing.
    assert ask(metrics=("followed",)) == [(1,)]


def test_a_claim_that_is_a_list_is_not_compared_with_one_value() -> None:
    file = FILE.replace("team in :caller.teams", "team = :caller.teams")
    with pytest.raises(QueryError, match="compares one value with a claim of the caller that is a list"):
        ask(file, metrics=("events",), caller=OF_A)


def test_what_is_not_like_a_text_is_not_what_is_like_it() -> None:
    like = Comparison("team", Op.STARTS_WITH, ("a",))
    assert parse_filter("team like 'a%'") == like
    assert parse_filter("team not like 'a%'") == parse_filter("not team like 'a%'") == Not(like)
    assert ask(metrics=("events",), where=parse_filter("team not like 'a%'")) == [(1,)]


def test_a_share_leaves_out_its_dimension_by_whichever_name_it_is_asked() -> None:
    file = FILE.replace("metrics:\n", "metrics:\n  part: {metric: events, share: {of: [at.land.coast]}}\n", 1)
    by_team = ask(file, metrics=("part",), by=("team", "coast"))
    assert by_team == ask(file, metrics=("part",), by=("team", "at.land.coast"))
    assert by_team == [("a", True, 0.5), ("a", None, 0.5), ("b", False, 1.0)]


def test_a_row_that_is_joined_again_keeps_the_policies_of_what_it_joins() -> None:
    by_place = FILE.replace(
        'own: {model: events, rows: "team in :caller.teams", unless: [admin]}',
        'inland: {model: places, rows: "place in :caller.places"}',
    )
    caller = Caller(claims={"places": ("p2", "p3")})
    rows = ask(by_place, metrics=("events",), by=("entity", "parent.team"), caller=caller)
    assert rows == [("e2", None, 1), ("e3", "b", 1)]


def test_a_question_is_asked_in_a_time_that_a_calendar_has() -> None:
    catalog = load_catalog(FILE)
    for day in (date(9999, 12, 31), date(1, 1, 1)):
        with pytest.raises(QueryError, match="asked between 1900 and 2200"):
            plan_query(catalog, MetricQuery(metrics=("week",), as_of=day))
