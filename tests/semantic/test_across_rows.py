"""What a row holds of other rows is refused to a caller from whom a policy may keep those other rows."""

from collections.abc import Mapping
from datetime import date

import pytest

from semantic import (
    Caller,
    Comparison,
    MetricQuery,
    Op,
    Order,
    QueryError,
    dimensions_across_rows,
    load_catalog,
    metrics_across_rows,
    plan_query,
)

FILE = """
models:
  people: {source: people, key: person_id, time: signed_up_at, dimensions: {region: string}}
  runs:
    source: runs
    key: run_id
    time: started_at
    across_rows: [root_id, tree_usd, depth]
    joins: {owner: {to: people, column: owner_id}, parent: {to: runs, column: parent_id}}
    dimensions:
      team: string
      root: {type: string, sql: lower(root_id)}
      call_depth: {type: integer, metric: deepest_call}
  calls:
    source: calls
    key: call_id
    time: called_at
    joins: {run: runs}
    dimensions: {model: string}
  bills: {source: bills, key: bill_id, time: paid_at, across_rows: total_usd}
metrics:
  runs: {count: runs}
  usd: {sum: runs.usd}
  tree: {sum: runs.tree_usd}
  shouted: {sum: runs.TREE_USD}
  worth: {sum: {model: runs, value: "usd + coalesce(tree_usd, 0)"}}
  deep_runs: {count: runs, where: depth > 1}
  of_roots: {count_distinct: runs.root}
  tree_per_run: tree / runs
  tree_before: {metric: tree, shift: 1 month}
  tree_growth: {metric: tree, change: {from: 1 month, as: percent}}
  tree_share: {metric: tree, share: {of: [team]}}
  tree_place: {metric: tree, rank: highest}
  tree_a_day: {metric: tree_per_run, each: {grain: day, take: avg}}
  under_parent: {sum: {model: runs, value: parent.tree_usd}}
  again: {funnel: {start: people, by: person_id, steps: [{name: ran, model: runs, where: depth = 1}], within: 7 days}}
  calls: {count: calls}
  deep_calls: {count: calls, where: run.depth > 1}
  deepest_call: {max: {model: calls, value: run.depth}}
  paid: {sum: bills.total_usd}
filters:
  top: {model: runs, where: depth = 0}
"""
OWN_TEAM = "policies: {own: {model: runs, rows: team = :caller.team, unless: [boss]}}"
OWN_REGION = "policies: {own: {model: people, rows: region = :caller.region}}"
OWN_CALLS = "policies: {own: {model: calls, rows: model = :caller.model}}"
GUEST = Caller(claims={"team": "a", "region": "EU", "model": "m"})
MADE_OF_OTHER_ROWS = (
    "tree", "shouted", "worth", "deep_runs", "of_roots", "tree_per_run", "tree_before", "tree_growth", "tree_share",
    "tree_place", "tree_a_day", "under_parent", "again", "deep_calls", "deepest_call",
)  # fmt: skip


def refusal(policies: str, *metrics: str, caller: Caller | None = GUEST, **question: object) -> str:
    """The code with which a question is refused; empty where it is planned."""
    text = FILE + policies
    query = MetricQuery(metrics=metrics, **{"as_of": date(2026, 5, 1), **question})  # type: ignore[arg-type]
    try:
        plan_query(load_catalog(text), query, caller)
    except QueryError as error:
        return f"{error.code}: {error}"
    return ""


@pytest.mark.parametrize("metric", MADE_OF_OTHER_ROWS)
def test_whatever_reads_what_a_row_holds_of_others_is_refused(metric: str) -> None:
    assert refusal(OWN_TEAM, metric, grain="month").startswith("NOT_ALLOWED: ")


def test_the_refusal_names_what_was_asked_and_no_row() -> None:
    assert refusal(OWN_TEAM, "tree_per_run") == (
        "NOT_ALLOWED: 'tree' tells of other rows of runs than its own, some of which may be hidden from the caller"
    )


@pytest.mark.parametrize(
    "question",
    [
        {"by": ("root",)},
        {"by": ("team", "parent.root")},
        {"by": ("call_depth",)},
        {"where": Comparison("root", Op.EQ, ("x",))},
        {"where": Comparison("parent.root", Op.IS_NULL, (True,))},
        {"filters": ("top",)},
        {"by": ("root",), "order_by": (Order("root"),)},
    ],
)
def test_no_cut_and_no_filter_tells_of_them(question: Mapping[str, object]) -> None:
    assert refusal(OWN_TEAM, "usd", **question).startswith("NOT_ALLOWED: ")
    assert refusal(OWN_TEAM, "usd", caller=None, **question) == ""


def test_they_are_not_told_through_a_join() -> None:
    assert refusal(OWN_TEAM, "calls", by=("root",)).startswith("NOT_ALLOWED: 'root' ")
    assert refusal(OWN_TEAM, "calls", filters=("top",)).startswith("NOT_ALLOWED: the filter 'top' ")
    assert refusal(OWN_TEAM, "runs", "calls", by=("team",)) == ""


def test_a_policy_on_a_model_that_is_joined_restricts_as_well() -> None:
    assert refusal(OWN_REGION, "tree").startswith("NOT_ALLOWED: ")
    assert refusal(OWN_REGION, "calls", by=("root",)).startswith("NOT_ALLOWED: ")


def test_what_is_of_the_row_itself_is_answered() -> None:
    assert refusal(OWN_TEAM, "runs", "usd", by=("team",)) == ""


def test_a_policy_on_another_model_leaves_them_as_they_are() -> None:
    assert refusal(OWN_CALLS, "tree", by=("root",)) == ""
    assert refusal(OWN_TEAM, "paid") == ""


@pytest.mark.parametrize("metric", MADE_OF_OTHER_ROWS)
def test_the_operator_and_who_sees_all_rows_are_answered(metric: str) -> None:
    boss = Caller(frozenset({"boss"}))
    for caller in (None, boss):
        assert refusal(OWN_TEAM, metric, caller=caller, grain="month") == ""
    assert refusal("", metric, grain="month") == ""


def test_a_catalog_knows_which_of_its_names_tell_of_other_rows() -> None:
    catalog = load_catalog(FILE)
    assert metrics_across_rows(catalog) == {*MADE_OF_OTHER_ROWS, "paid"}
    assert dimensions_across_rows(catalog) == {"root", "call_depth"}
