"""Statements are kept for a question, and never given to another question or another caller."""

from datetime import date
from decimal import Decimal

import pytest

from semantic import Caller, Comparison, MetricQuery, Op, QueryError, load_catalog
from semantic.planner import Planner

FILE = """
version: 1
models:
  jobs:
    source: jobs
    key: job_id
    time: ran_at
    dimensions: {size: decimal, is_big: boolean, team: string}
policies:
  own: {model: jobs, rows: "team = :caller.team", unless: [admin]}
metrics:
  jobs: {count: jobs}
"""


def planner(size: int = 1024) -> Planner:
    return Planner(load_catalog(FILE), size)


def question(comparison: Comparison | None = None) -> MetricQuery:
    return MetricQuery(metrics=("jobs",), where=comparison, as_of=date(2026, 3, 1))


def test_a_question_that_is_asked_again_has_the_same_statement() -> None:
    kept = planner()
    assert kept.statement(question())[1] is kept.statement(question())[1]


def test_one_true_and_a_decimal_one_are_three_values() -> None:
    kept = planner()
    one, exact = (kept.statement(question(Comparison("size", Op.EQ, (v,))))[1] for v in (1, Decimal("1.0")))
    assert [type(s.params["p1"]) for s in (one, exact)] == [int, Decimal]
    assert kept.statement(question(Comparison("is_big", Op.EQ, (True,))))[1].params == {"p1": True}
    with pytest.raises(QueryError, match="'is_big' is compared with true or false, not 1"):
        kept.statement(question(Comparison("is_big", Op.EQ, (1,))))


def test_callers_share_a_statement_only_where_roles_and_claims_are_the_same() -> None:
    kept = planner()
    mine, yours = (kept.statement(question(), Caller(claims={"team": team}))[1] for team in ("a", "b"))
    assert [mine.params, yours.params] == [{"p1": "a"}, {"p1": "b"}]
    admin = kept.statement(question(), Caller(frozenset({"admin"}), {"team": "a"}))[1]
    assert admin.params == {}
    assert kept.statement(question(), Caller(claims={"team": "a"}))[1] is mine


def test_the_statements_that_were_asked_longest_ago_are_forgotten() -> None:
    kept = planner(size=2)
    asked = [question(Comparison("team", Op.EQ, (team,))) for team in ("a", "b", "c")]
    first, second, _ = (kept.statement(q)[1] for q in asked)
    assert kept.statement(asked[1])[1] is second
    assert kept.statement(asked[0])[1] is not first


def test_long_statements_are_kept_up_to_a_size_together() -> None:
    """Values of 100,000 characters each: 8,000,000 of all statements are 79 of them, and not the 1,024 that are few."""
    kept = planner()
    for n in range(100):
        kept.statement(question(Comparison("team", Op.EQ, (f"{n:0100000}",))))
    assert len(kept._kept) == 79
