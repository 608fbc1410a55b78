"""What questions give, asked of a real DuckDB over a small world whose answers can be counted by hand."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from semantic import Grain, Order, QueryError, TimeRange, parse_filter
from tests.semantic.conftest import World, usd


def test_a_measure_without_keys_is_one_row(world: World) -> None:
    assert world.table("runs", "cost") == [(4, usd("7.75"))]


def test_null_keys_are_a_group_of_their_own(world: World) -> None:
    assert world.table("runs", by=("team",)) == [("a", 2), ("b", 1), (None, 1)]


def test_a_fact_keeps_the_rows_whose_join_finds_nothing(world: World) -> None:
    assert world.table("cost", by=("verdict",)) == [("bad", usd("2")), ("good", usd("1.75")), (None, usd("4"))]


def test_facts_are_aggregated_alone_so_that_a_join_multiplies_nothing(world: World) -> None:
    assert world.table("runs", "cost", "calls", by=("verdict",)) == [
        ("bad", 1, usd("2"), 1),
        ("good", 2, usd("1.75"), 3),
        (None, 1, usd("4"), 1),
    ]


def test_a_key_that_only_one_fact_has_keeps_its_row(world: World) -> None:
    # calls name their team in capitals, runs do not: no key is shared
    rows = world.table("runs", "cost", by=("team",))
    assert rows == [("A", 0, usd("3.75")), ("B", 0, None), ("a", 2, usd("0")), ("b", 1, usd("0")), (None, 1, usd("4"))]


def test_a_ratio_is_the_ratio_of_the_sums(world: World) -> None:
    assert world.table("success", by=("is_root",)) == [(False, 0.0), (True, 1.0), (None, 0.0)]
    assert world.table("success") == [(0.5,)]


def test_a_sum_over_members_that_do_not_know_is_null_and_never_zero(world: World) -> None:
    (row,) = world.ask("cost", where=parse_filter("run.team = 'b'"), evidence=True).rows
    assert row.values["cost"] is None
    assert (row.evidence["cost"].status, row.evidence["cost"].n, row.evidence["cost"].unknown) == ("UNPRICED", 1, 1)


def test_a_sum_over_no_rows_is_zero_where_the_metric_says_so(world: World) -> None:
    (row,) = world.ask("cost", "tokens", where=parse_filter("model = 'none'"), evidence=True).rows
    assert (row.values["cost"], row.values["tokens"]) == (usd("0"), None)
    assert (row.evidence["cost"].status, row.evidence["tokens"].status) == ("OK", "NO_DATA")


def test_a_sum_with_an_unknown_member_says_that_it_is_a_lower_bound(world: World) -> None:
    (row,) = world.ask("cost", "cost_per_run", evidence=True).rows
    assert (row.evidence["cost"].status, row.evidence["cost"].unknown) == ("LOWER_BOUND", 1)
    assert row.evidence["cost_per_run"].status == "PARTIAL"
    assert row.evidence["cost_per_run"].n == 5


def test_a_division_by_zero_is_null_with_the_reason_of_the_divisor(world: World) -> None:
    rows = world.ask("cost_per_run", by=("team",), evidence=True).rows
    assert [(r.keys["team"], r.values["cost_per_run"], r.evidence["cost_per_run"].status) for r in rows] == [
        ("A", None, "NO_RUNS"),
        ("B", None, "UNPRICED"),
        ("a", usd("0"), "OK"),
        ("b", usd("0"), "OK"),
        (None, usd("4"), "OK"),
    ]


def test_an_unknown_input_makes_a_formula_unknown_also_inside_least(world: World) -> None:
    assert world.table("cost_or_less", where=parse_filter("run.team = 'b'")) == [(None,)]
    assert world.table("cost_or_less") == [(usd("1"),)]


def test_a_variation_filters_by_a_joined_model_and_inherits_what_empty_means(world: World) -> None:
    assert world.table("cost", "bad_cost", by=("model",)) == [
        ("big", usd("7.5"), usd("2")),
        ("small", usd("0.25"), usd("0")),
    ]


def test_other_aggregations(world: World) -> None:
    assert world.table("median_cost", "p90_cost", "dearest", "mean_tokens", "models", "tokens") == [
        (usd("1.75"), usd("3.4"), usd("4"), 30.0, 2, 150)
    ]


def test_months_without_rows_are_there_and_hold_what_empty_means(world: World) -> None:
    rows = world.table("runs", "cost", "tokens", grain=Grain.MONTH, time=TimeRange(_utc(2026, 1, 1), _utc(2026, 5, 1)))
    assert rows == [
        (date(2026, 1, 1), 0, usd("0"), None),
        (date(2026, 2, 1), 0, usd("0"), None),
        (date(2026, 3, 1), 2, usd("3.75"), 60),
        (date(2026, 4, 1), 2, usd("4"), 90),
    ]


def test_without_a_range_a_series_goes_from_the_first_to_the_last_row(world: World) -> None:
    assert [row[0] for row in world.table("bills", grain=Grain.MONTH)] == [date(2026, 3, 1), date(2026, 4, 1)]
    weeks = world.table("calls", grain=Grain.WEEK)
    assert [r for r in weeks if r[1]] == [
        (date(2026, 2, 23), 2),
        (date(2026, 3, 30), 1),
        (date(2026, 4, 6), 1),
        (date(2026, 4, 20), 1),
    ]
    assert len(weeks) == 9


def test_days_are_cut_in_the_named_zone(world: World) -> None:
    berlin = world.table("calls", grain=Grain.MONTH, zone="Europe/Berlin")
    assert berlin == [(date(2026, 3, 1), 2), (date(2026, 4, 1), 3)]
    assert world.table("calls", grain=Grain.MONTH) == [(date(2026, 3, 1), 3), (date(2026, 4, 1), 2)]


def test_a_range_is_half_open(world: World) -> None:
    start, end = datetime(2026, 3, 1, 10, 2, tzinfo=UTC), datetime(2026, 4, 20, tzinfo=UTC)
    assert world.table("calls", time=TimeRange(start, end)) == [(3,)]


def test_a_range_over_dates_takes_whole_local_days(world: World) -> None:
    noon = datetime(2026, 4, 25, 12, tzinfo=UTC)
    assert world.table("bills", time=TimeRange(noon, None)) == [(usd("60"),)]
    assert world.table("bills", time=TimeRange(_utc(2026, 4, 25), None)) == [(usd("90"),)]


def test_a_trailing_window_ends_with_the_day_before_the_question(world: World) -> None:
    # 2026-04-01 .. 2026-04-30: 30 + 60 = 90, a mean of 3 a day
    assert world.table("burn", "last_week", as_of=date(2026, 5, 1)) == [(usd("91.3125"), usd("90"))]
    assert world.table("burn", as_of=date(2026, 4, 30)) == [(usd("30.4375"),)]


def test_a_window_longer_than_the_history_is_scaled_to_the_days_there_are(world: World) -> None:
    # asked on 2026-03-20 the history has 5 days and 100 USD: 20 a day
    assert world.table("burn", as_of=date(2026, 3, 20)) == [(usd("608.75"),)]


def test_a_window_reads_before_the_range_that_is_shown(world: World) -> None:
    rows = world.table("last_week", grain=Grain.DAY, time=TimeRange(_utc(2026, 4, 30), _utc(2026, 5, 2)))
    assert rows == [(date(2026, 4, 30), usd("90")), (date(2026, 5, 1), usd("90"))]


def test_a_day_that_the_range_cuts_is_in_no_window(world: World) -> None:
    noon = datetime(2026, 4, 30, 12, tzinfo=UTC)
    # 30 USD of the 25th are in the last seven whole days, the 60 USD of the 30th are not
    assert world.table("last_week", "bills", time=TimeRange(None, noon)) == [(usd("30"), usd("190"))]


def test_a_rate_of_nothing_counts_everything_that_it_is_a_rate_of(world: World) -> None:
    (row,) = world.ask("success", where=parse_filter("is_root = false"), evidence=True).rows
    assert (row.values["success"], row.evidence["success"].n) == (0.0, 1)


def test_a_balance_is_carried_until_the_next_one_of_its_account(world: World) -> None:
    rows = world.table("cash", grain=Grain.MONTH, time=TimeRange(_utc(2026, 2, 1), _utc(2026, 5, 1)))
    assert rows == [(date(2026, 2, 1), None), (date(2026, 3, 1), usd("1000")), (date(2026, 4, 1), usd("600"))]
    assert world.table("cash", by=("account",)) == [("ops", usd("500")), ("res", usd("100"))]


def test_a_balance_of_the_day_of_the_question_counts(world: World) -> None:
    assert world.table("cash", as_of=date(2026, 4, 20)) == [(usd("600"),)]
    assert world.table("cash", as_of=date(2026, 4, 19)) == [(usd("1000"),)]


def test_runway_and_the_day_it_ends(world: World) -> None:
    # 600 cash at 3 a day: 200 days
    (row,) = world.table("runway", "dry_on")
    assert row == (pytest.approx(600 / 91.3125), date(2026, 11, 17))


def test_cash_that_is_not_known_has_its_own_reason(world: World) -> None:
    world.connection.execute("delete from balances")
    (row,) = world.ask("runway", "dry_on", evidence=True).rows
    assert (row.values["runway"], row.evidence["runway"].status) == (None, "CASH_UNKNOWN")
    assert (row.values["dry_on"], row.evidence["dry_on"].status) == (None, "CASH_UNKNOWN")


def test_no_burn_is_a_reason_and_not_infinity(world: World) -> None:
    world.connection.execute("delete from bills")
    (row,) = world.ask("runway", evidence=True).rows
    assert (row.values["runway"], row.evidence["runway"].status) == (None, "NO_BURN")


def test_a_limit_that_cuts_is_told(world: World) -> None:
    cut = world.ask("runs", by=("team",), limit=2)
    assert (len(cut.rows), cut.truncated) == (2, True)
    whole = world.ask("runs", by=("team",), limit=3)
    assert (len(whole.rows), whole.truncated) == (3, False)


def test_order_puts_nulls_last_in_both_directions(world: World) -> None:
    down = world.table("cost", by=("model", "verdict"), order_by=(Order("cost", "desc"),))
    assert [r[2] for r in down] == [usd("4"), usd("2"), usd("1.5"), usd("0.25")]
    assert [r[0] for r in world.table("runs", by=("team",), order_by=(Order("team", "desc"),))] == ["b", "a", None]


@pytest.mark.parametrize(
    ("text", "runs"),
    [
        ("team = 'a'", 2),
        ("team <> 'a'", 2),
        ("team in ('a', 'b')", 3),
        ("team not in ('a')", 2),
        ("team is null", 1),
        ("team is not null", 3),
        ("not (team = 'a')", 2),
        ("team like 'a%'", 2),
        ("team like '%b%'", 1),
        ("size > 1 and size <= 3", 2),
        ("size between 2 and 3", 2),
        ("is_root", 2),
        ("is_root = false or team = 'b'", 2),
        ("not is_root", 2),
        ("verdict = 'good' and not team = 'b'", 1),
    ],
)
def test_filters_are_two_valued(world: World, text: str, runs: int) -> None:
    assert world.table("runs", where=parse_filter(text)) == [(runs,)]


def test_values_are_bound_and_never_part_of_the_text(world: World) -> None:
    nasty = "x'; drop table runs; --"
    statement = world.statement("runs", where=parse_filter("team = 'x''; drop table runs; --'"))
    assert nasty not in statement.sql
    assert statement.params == {"p1": nasty}
    assert world.table("runs") == [(4,)]


def test_the_printed_statement_gives_the_same_rows_by_hand(world: World) -> None:
    question = {"by": ("model",), "where": parse_filter("model <> 'none' and team = 'A'"), "limit": 5}
    statement = world.statement("cost", "calls", **question)
    assert "$" not in statement.with_values()
    rows = world.connection.execute(statement.with_values()).fetchall()
    assert rows == [("big", Decimal("3.5"), 2), ("small", Decimal("0.25"), 1)]


@pytest.mark.parametrize(
    ("question", "code", "text"),
    [
        ({"metrics": ("rusn",)}, "UNKNOWN_METRIC", "did you mean 'runs'?"),
        ({"metrics": ("runs",), "by": ("tem",)}, "UNKNOWN_DIMENSION", "did you mean 'team'?"),
        ({"metrics": ("runs",), "by": ("model",)}, "UNREACHABLE_DIMENSION", "cut by is_root, size, team, verdict"),
        ({"metrics": ("cash",), "where": parse_filter("team = 'a'")}, "UNREACHABLE_DIMENSION", "'cash' cannot be cut"),
        ({"metrics": ("runs",), "where": parse_filter("team = 5")}, "BAD_FILTER", "with text in quotes, not 5"),
        ({"metrics": ("runs",), "where": parse_filter("verdict = 'god'")}, "BAD_FILTER", "did you mean 'good'?"),
        ({"metrics": ("runs",), "where": parse_filter("verdict > 'good'")}, "BAD_FILTER", "has no order"),
        ({"metrics": ("runs",), "where": parse_filter("size like 'a%'")}, "BAD_FILTER", "is not text"),
        ({"metrics": ("runs",), "limit": 0}, "BAD_LIMIT", "at least 1"),
        ({"metrics": ("runs",), "zone": "Mars"}, "UNKNOWN_ZONE", "not a time zone"),
        ({"metrics": ("runs",), "order_by": (Order("cost"),)}, "BAD_ORDER", "order by something that is asked for"),
        ({"metrics": ()}, "NO_METRICS", "at least one metric"),
        ({"metrics": ("runs",), "time": TimeRange(datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC))},
         "BAD_TIME", "ends after it starts"),
    ],
)  # fmt: skip
def test_what_cannot_be_answered_rightly_is_refused(
    world: World, question: dict[str, object], code: str, text: str
) -> None:
    metrics = question.pop("metrics")
    assert isinstance(metrics, tuple)
    with pytest.raises(QueryError) as caught:
        world.ask(*metrics, **question)
    assert caught.value.code == code
    assert text in str(caught.value)


@pytest.mark.parametrize(
    "text", ["team ~ 'a'", "team = other", "f(team) = 'a'", "select 1", "team =", "", "team like 'a_b'"]
)
def test_a_filter_that_is_not_understood_says_what_would_be(text: str) -> None:
    with pytest.raises(QueryError) as caught:
        parse_filter(text)
    assert caught.value.code == "BAD_FILTER"


def _utc(year: int, month: int, day: int) -> datetime:
    return datetime(year, month, day, tzinfo=UTC)
