"""What a scalar expression of a metrics file may be: every engine's arithmetic, logic, texts and dates; no more."""

import pytest

from semantic.expression import ExpressionError, levels, names_in, parse_column, parse_formula, parse_policy
from semantic.expression import parse_predicate as predicate


@pytest.mark.parametrize(
    ("text", "sql"),
    [
        ("class = 'idle' and cost_usd > 0", "class = 'idle' AND cost_usd > 0"),
        ("owner.team in ('a', 'b') or not is_root", "owner.team IN ('a', 'b') OR NOT is_root"),
        ("session.parent.owner.team is null", "session.parent.owner.team IS NULL"),
        ("started_on >= date '2026-03-08'", "started_on >= CAST('2026-03-08' AS DATE)"),
        ("started_at < timestamp '2026-03-08 10:30:00'", "started_at < CAST('2026-03-08 10:30:00' AS TIMESTAMP)"),
        ("lower(name) like 'a%'", "LOWER(name) LIKE 'a%'"),
        ("length(name) between 2 and 5", "LENGTH(name) BETWEEN 2 AND 5"),
        ("name = 'if'", "name = 'if'"),
        ("a is distinct from b", "a IS DISTINCT FROM b"),
        ("show = 1 and set = 2 and desc = 3", '"show" = 1 AND set = 2 AND "desc" = 3'),
        ("a = 1 /* why */ -- because", "a = 1"),
    ],
)  # fmt: skip
def test_conditions(text: str, sql: str) -> None:
    assert predicate(text).sql(dialect="duckdb") == sql


@pytest.mark.parametrize(
    ("text", "sql"),
    [
        ("quantity * price.usd", "quantity * price.usd"),
        ("concat(first, ' ', last)", "CONCAT(first, ' ', last)"),
        ("substring(trim(upper(code)), 1, 3) || '!'", "SUBSTRING(TRIM(UPPER(code)), 1, 3) || '!'"),
        ("replace(name, 'a', 'b')", "REPLACE(name, 'a', 'b')"),
        ("cast(amount as decimal(18, 2))", "CAST(amount AS DECIMAL(18, 2))"),
        ("extract(year from signed_on) % 4", "EXTRACT(YEAR FROM signed_on) % 4"),
        ("date_diff('minute', started_at, ended_at)", "DATE_DIFF('MINUTE', started_at, ended_at)"),
        ("case when ok then 1 else 0 end", "CASE WHEN ok THEN 1 ELSE 0 END"),
    ],
)  # fmt: skip
def test_scalars_of_a_row(text: str, sql: str) -> None:
    assert parse_column(text).sql(dialect="duckdb") == sql


@pytest.mark.parametrize(
    ("text", "place", "reason"),
    [
        ("", 1, "a condition is missing"),
        ("  -- nothing", 1, "a condition is missing"),
        ("a = 1 b", 7, "a condition that cannot be read: 'b' is not expected here"),
        ("a = (1", 6, "a condition that cannot be read: Expecting )"),
        ("a = 'b", 1, "a condition that cannot be read: a quote is not closed"),
        ("a = 1 and", 7, "a condition that cannot be read: something is missing beside 'and'"),
        ("a = 1; b = 2", 8, "give exactly one expression, this has 2"),
        ("->", 1, "a condition that cannot be read"),
        ("if a = 1", 1, "if takes parentheses: if(condition, value, other)"),
        ("select 1", 1, "a condition that cannot be read: 'select' is not expected here"),
        ("a = (select 1)", 13, "'(SELECT 1)' is not allowed in a condition (Subquery)"),
        ("exists(select 1)", 15, "'EXISTS(SELECT 1)' is not allowed in a condition (Exists)"),
        ("a = 1 and read_csv('/etc/passwd')", 11, "'READ_CSV('/etc/passwd')' is not allowed in a condition (ReadCSV)"),
        ("getenv('HOME') = 'x'", 1, "'GETENV('HOME')' is not allowed in a condition (Anonymous)"),
        ("a in b", 1, "IN takes a list of values in a condition"),
        ("sum(a) > 1", 1, "'SUM(a)' is not allowed in a condition (Sum)"),
        ("count(*) > 1", 1, "'COUNT(*)' is not allowed in a condition (Count)"),
        ("try_cast(a as int) = 1", 10, "'TRY_CAST(a AS INT)' is not allowed in a condition (TryCast)"),
        ("cast(a as struct(b int)) = 1", 6, "is not a type that a condition can use; use bigint, boolean, date"),
        ("a = date '2026-02-30'", 10, "'2026-02-30' is not a date; write it as 2026-03-08"),
        ("a.b.c.d.e = 1", 1, "'a.b.c.d.e' is too far away; a name goes through at most 3 joins"),
        ("a = :caller.team", 13, "':caller.team' can be used in policies only, not in a condition"),
        ("a = ?", 1, "'?' is not allowed in a condition (Placeholder)"),
        ("(" * 31 + "a" + ")" * 31, 1, "a condition is nested too deeply, more than 30 parentheses; split it"),
        ("not " * 99 + "a", 1, "nested too deeply"),
        ("a = 1" + " or a = 1" * 150, 1, "nested too deeply, more than 100 levels; split it"),
        ("a" * 2_001, 1, "a condition has at most 2,000 characters, this has 2,001"),
    ],
)  # fmt: skip
def test_what_is_no_condition_says_why_and_where(text: str, place: int, reason: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        predicate(text)
    assert reason in str(caught.value)
    assert caught.value.column == place


def test_a_claim_of_the_caller_is_a_dot_behind_a_placeholder_and_in_takes_it_as_its_one_expression() -> None:
    tree = parse_policy("team in :caller.teams and owner.id = :caller.id")
    assert (
        repr(tree.this.expressions[0])
        == "Dot(\n  this=Placeholder(this=caller),\n  expression=Identifier(this=teams, quoted=False))"
    )
    assert names_in(tree) == {"team": 1, "owner.id": 27}


@pytest.mark.parametrize("text", ["a = :caller", "a = :user.id", "a = :caller.a.b", "a = $1", "a in (1, :caller.ids)"])
def test_what_is_no_claim_is_refused_in_a_policy(text: str) -> None:
    with pytest.raises(ExpressionError, match=r"is no claim|one claim of the caller"):
        parse_policy(text)


def test_a_formula_has_one_function_that_gives_a_date_and_no_functions_of_texts() -> None:
    assert names_in(parse_formula("days_after(as_of, ceil(runway))")) == {"as_of": 12, "runway": 24}
    with pytest.raises(ExpressionError, match=r"days_before\(\) is not a function of a formula"):
        parse_formula("days_before(as_of, 1)")
    with pytest.raises(ExpressionError, match="'LOWER\\(cost\\)' is not allowed in a formula"):
        parse_formula("lower(cost)")


def test_levels_count_how_deep_an_expression_nests() -> None:
    assert [levels(parse_formula(text)) for text in ("a", "a + b", "a + b * c")] == [2, 3, 4]
