"""Expressions on their way here: starts of periods without DATE_TRUNC, and arithmetic that is a change."""

import duckdb
import pytest

from semantic.expression import parse_column
from semantic.formats.metricflow.changes import kind_of_change
from semantic.formats.metricflow.sql import carried, carried_formula, date_part, truncated
from semantic.formats.report import NotCarriedError

MOMENTS = """
select timestamp '1999-12-20 01:02:03' + interval (i * 37) hour + interval (i % 61) minute as t from range(900) r(i)
"""


def differences(ours: str, theirs: str) -> int:
    """The moments at which two expressions over `t` differ, of 900 over four years."""
    sql = parse_column(ours).sql(dialect="duckdb")
    (found,) = duckdb.execute(f"select count(*) from ({MOMENTS}) where ({sql}) is distinct from {theirs}").fetchall()
    return int(found[0])


@pytest.mark.parametrize("grain", ["minute", "hour", "day", "week", "month", "quarter", "year"])
def test_the_start_of_a_period_is_that_of_date_trunc(grain: str) -> None:
    assert differences(truncated("t", grain), f"date_trunc('{grain}', t)") == 0
    assert differences(carried(f"date_trunc('{grain}', t)", "duckdb", "expr"), f"date_trunc('{grain}', t)") == 0


@pytest.mark.parametrize(
    ("part", "theirs"),
    [("dow", "isodow"), ("doy", "doy"), ("day", "day"), ("month", "month"), ("quarter", "quarter"), ("year", "year")],
)
def test_a_part_of_a_time_is_the_same_number(part: str, theirs: str) -> None:
    assert differences(date_part("t", part), f"extract({theirs} from t)") == 0


def test_a_period_without_words_is_refused() -> None:
    with pytest.raises(NotCarriedError, match="grain second: cannot be told in an expression"):
        truncated("t", "second")
    with pytest.raises(NotCarriedError, match="date part century: cannot be told in an expression"):
        date_part("t", "century")


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("a - b", "difference"),
        ("(a - b) / b", "percent"),
        ("((a) - (b)) * 1.0 / nullif(b, 0)", "percent"),
        ("cast(a as double) / nullif(b, 0) - 1", "percent"),
        ("a / b", "ratio"),
        ("(a / b)", "ratio"),
        ("b - a", ""),
        ("100 * (a - b) / b", ""),
        ("a / b - 2", ""),
        ("a - c", ""),
        ("a -", ""),
    ],
)
def test_arithmetic_over_now_and_before_is_a_change_only_where_it_means_one(text: str, kind: str) -> None:
    assert kind_of_change(text, "a", "b") == kind


def test_a_formula_names_its_metrics_anew_and_leaves_everything_else() -> None:
    names = {"a": "cost", "round": "rounds", "end": "finish"}
    assert carried_formula("round(a,  2) + round", "duckdb", names) == "round(cost, 2) + rounds"
    assert carried_formula('"round" - a', "duckdb", names) == "rounds - cost"
    assert carried_formula("case when a > 0 then 1 end", "duckdb", names) == "case when cost > 0 then 1 end"
