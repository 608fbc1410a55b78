"""Corners in which a compiler like this one has given a wrong number, or none, each with its answer counted by hand."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from semantic import CatalogError, Comparison, Grain, Op, QueryError, TimeRange, load_catalog, parse_filter
from tests.semantic.conftest import World, usd

CATALOG = """
models:
  jobs:
    source: jobs
    key: job_id
    time: started_at
    dimensions:
      team: string
      is_root: boolean
      is_child: {type: boolean, sql: not is_root}
      day: {type: date, sql: cast(started_at as date)}
      half: {type: decimal, sql: tokens / 2}
      seen: {type: timestamp, sql: started_at}
  steps: {source: steps, key: step_id, time: stepped_at, joins: {job: jobs}, dimensions: {job_team: string}}
  fees: {source: fees, key: fee_id, time: {column: paid_on, grain: day}, dimensions: {vendor: string}}
  levels:
    source: levels
    key: level_id
    time: read_at
    dimensions: {account: string, bank: string, owner: string}
metrics:
  jobs: {count: jobs}
  small_jobs: {count: jobs, where: tokens < 5}
  week_jobs: {count: jobs, rolling: 7 days}
  month_jobs: {count: jobs, rolling: {window: 30 days, average: month}}
  week_tokens: {sum: jobs.tokens, rolling: 7 days}
  team_b_usd: {sum: jobs.cost_usd, rolling: 30 days, where: team = 'b', unit: USD, empty: zero}
  mean_tokens: {avg: jobs.tokens, unit: tokens}
  teams: {count_distinct: jobs.team}
  usd: {sum: jobs.cost_usd, unit: USD, empty: zero}
  refund: {expr: usd * -1, unit: USD}
  vast: {expr: usd * 1000000000000000000 * 1000000000000000000 * 1000000000000000000, unit: USD}
  long_ago: {expr: "days_after(as_of, jobs * -1000000000000)", unit: date}
  steps: {count: steps}
  fees: {sum: fees.amount_usd, unit: USD, empty: zero}
  week_fees: {sum: fees.amount_usd, rolling: 7 days, unit: USD, empty: zero}
  level: {sum: levels.usd, snapshot: {take: last, per: account}, unit: USD}
  ops_level: {metric: level, where: account = 'ops'}
  bank_level: {sum: levels.usd, snapshot: {take: last, per: bank}, unit: USD}
"""
TABLES = """
create table jobs (job_id varchar, started_at timestamp, team varchar, is_root boolean, tokens int,
                   cost_usd decimal(38,12));
insert into jobs values
  ('j1', '2026-04-01 09:00', 'a', true, 4, 1), ('j2', '2026-04-02 09:00', 'a', false, 7, 2),
  ('j3', '2026-04-20 23:30', 'b', null, 2, null);
create table steps (step_id varchar, job_id varchar, stepped_at timestamp, job_team varchar);
create table fees (fee_id varchar, paid_on date, vendor varchar, amount_usd decimal(38,12));
insert into fees values ('f1', '2026-04-18', 'x', 5), ('f2', '2026-04-20', 'y', 3);
create table levels (level_id varchar, read_at timestamp, account varchar, bank varchar, owner varchar,
                     usd decimal(38,12));
insert into levels values
  ('l2', '2026-04-01 17:00', 'ops', 'old', 'ann', 40), ('l1', '2026-04-01 09:00', 'ops', 'old', 'ann', 90),
  ('l3', '2026-04-10 09:00', 'ops', 'new', 'bob', 30), ('l4', '2026-04-05 09:00', 'pay', 'old', 'ann', 7);
"""
AS_OF = date(2026, 4, 21)


@pytest.fixture
def corner() -> Iterator[World]:
    made = World(CATALOG, TABLES)
    yield made
    made.connection.close()


def utc(day: int, hour: int = 0) -> datetime:
    return datetime(2026, 4, day, hour, tzinfo=UTC)


def test_a_sum_and_a_window_of_one_model_stand_side_by_side_by_day(corner: World) -> None:
    rows = corner.table("fees", "week_fees", grain=Grain.DAY, as_of=AS_OF)
    assert rows == [
        (date(2026, 4, 18), usd("5"), usd("5")),
        (date(2026, 4, 19), usd("0"), usd("5")),
        (date(2026, 4, 20), usd("3"), usd("8")),
    ]


def test_a_window_can_be_cut_by_a_dimension_that_is_called_day(corner: World) -> None:
    rows = corner.table("jobs", "week_tokens", by=("day",), as_of=AS_OF)
    assert rows == [(date(2026, 4, 1), 1, None), (date(2026, 4, 2), 1, None), (date(2026, 4, 20), 1, 2.0)]


def test_a_window_without_rows_counts_0_whatever_is_asked_beside_it(corner: World) -> None:
    assert corner.table("week_jobs", as_of=date(2026, 4, 12)) == [(0.0,)]
    assert corner.table("week_jobs", "jobs", as_of=date(2026, 4, 12)) == [(0.0, 3)]
    # team a has rows in the longer window only
    assert corner.table("week_jobs", "month_jobs", by=("team",), as_of=AS_OF)[0] == ("a", 0.0, 2 / 20 * 30.4375)


def test_a_monthly_mean_of_a_count_is_known_by_its_rows(corner: World) -> None:
    (row,) = corner.ask("month_jobs", evidence=True, as_of=AS_OF).rows
    assert row.values["month_jobs"] == pytest.approx(3 / 20 * 30.4375)  # the first job is 20 days old
    assert (row.evidence["month_jobs"].n, row.evidence["month_jobs"].unknown) == (3, 0)


def test_a_window_whose_values_are_all_unknown_is_unknown_also_where_other_days_have_other_rows(corner: World) -> None:
    (row,) = corner.ask("team_b_usd", evidence=True, as_of=AS_OF).rows
    assert (row.values["team_b_usd"], row.evidence["team_b_usd"].status) == (None, "UNKNOWN")
    assert corner.table("team_b_usd", as_of=date(2026, 4, 20)) == [(usd("0"),)]


def test_the_later_of_two_balances_of_one_day_counts(corner: World) -> None:
    assert corner.table("level", as_of=date(2026, 4, 3)) == [(usd("40"),)]


def test_a_balance_keeps_to_its_own_filter_and_its_own_entities(corner: World) -> None:
    # by account: ops 30 and pay 7; by bank: the last of old is pay's 7, the last of new is 30
    assert corner.table("level", "ops_level", "bank_level", as_of=AS_OF) == [(usd("37"), usd("30"), usd("37"))]
    # two weeks before: ops 40 and pay 7, both with the old bank, whose last balance is pay's
    assert corner.table("level", "ops_level", "bank_level", as_of=date(2026, 4, 7)) == [
        (usd("47"), usd("40"), usd("7"))
    ]


def test_a_filter_takes_the_balance_from_no_one_but_its_owner(corner: World) -> None:
    assert corner.table("level", by=("owner",), as_of=AS_OF) == [("ann", usd("7")), ("bob", usd("30"))]
    assert corner.table("level", where=parse_filter("owner = 'ann'"), as_of=AS_OF) == [(usd("7"),)]


@pytest.mark.parametrize(
    ("text", "jobs"),
    [("is_child", 1), ("is_child = false", 1), ("is_child <> true", 2), ("is_child is null", 1), ("not is_child", 2)],
)
def test_a_dimension_that_is_an_expression_stays_whole_in_a_filter(corner: World, text: str, jobs: int) -> None:
    assert corner.table("jobs", where=parse_filter(text)) == [(jobs,)]


def test_a_period_that_the_range_cuts_has_its_row_and_its_windows(corner: World) -> None:
    cut = TimeRange(utc(20, 12), utc(21))
    assert corner.table("jobs", "week_tokens", grain=Grain.DAY, time=cut, as_of=AS_OF) == [(date(2026, 4, 20), 1, 2.0)]
    hour = TimeRange(utc(20, 12), utc(20, 13))
    assert corner.table("jobs", grain=Grain.DAY, time=hour, as_of=AS_OF) == [(date(2026, 4, 20), 0)]
    # of days alone only whole ones are asked for, and the day that is cut is none
    assert corner.table("fees", grain=Grain.DAY, time=cut, as_of=AS_OF) == []


def test_nothing_counted_is_0_in_a_gap_too(corner: World) -> None:
    rows = corner.table("teams", "small_jobs", grain=Grain.DAY, time=TimeRange(utc(19), utc(21)))
    assert rows == [(date(2026, 4, 19), 0, 0), (date(2026, 4, 20), 1, 1)]


def test_a_mean_of_whole_numbers_is_not_rounded(corner: World) -> None:
    assert corner.table("mean_tokens", where=parse_filter("team = 'a'")) == [(5.5,)]


def test_money_has_no_negative_zero_and_no_largest_amount(corner: World) -> None:
    ((refund, vast),) = corner.table("refund", "vast", where=parse_filter("team = 'none'"))
    assert (str(refund), str(vast)) == ("0", "0")
    ((vast,),) = corner.table("vast")
    assert vast == Decimal("3e54")


def test_a_date_more_than_a_century_ago_is_none(corner: World) -> None:
    assert corner.table("long_ago") == [(None,)]


def test_a_decimal_dimension_is_decimal_whatever_the_database_made_of_it(corner: World) -> None:
    assert corner.table("jobs", by=("half",)) == [(usd("1"), 1), (usd("2"), 1), (usd("3.5"), 1)]


@pytest.mark.parametrize(
    ("question", "code"),
    [
        ({"where": Comparison("seen", Op.GTE, ("2026-04-01T00:00:00",))}, "BAD_FILTER"),  # of which zone?
        ({"where": Comparison("half", Op.GT, (10**38,))}, "BAD_FILTER"),
        ({"zone": "localtime"}, "UNKNOWN_ZONE"),
        ({"time": TimeRange(datetime(1, 1, 1, tzinfo=UTC))}, "BAD_TIME"),
        ({"time": TimeRange(None, datetime(9999, 12, 31, tzinfo=UTC))}, "BAD_TIME"),
    ],
)
def test_what_would_end_in_an_error_or_a_guess_is_refused(
    corner: World, question: dict[str, object], code: str
) -> None:
    with pytest.raises(QueryError) as caught:
        corner.ask("jobs", **question)
    assert caught.value.code == code


def test_two_names_that_would_be_one_column_are_refused(corner: World) -> None:
    with pytest.raises(QueryError, match="would be the column 'job_team'"):
        corner.ask("steps", by=("job.team", "job_team"))


def test_a_number_is_not_written_out_before_its_size_is_known() -> None:
    with pytest.raises(QueryError, match="at most 38 digits"):
        parse_filter("half > 1e999999999")


@pytest.mark.parametrize(
    ("dimension", "mistake"),
    [
        ("other: {type: string, sql: job.team}", "'job.team' is of another model"),
        ("job__team: string", "single _"),
        ("from_day: date", "reserved"),
    ],
)
def test_a_dimension_that_could_not_be_told_from_another_is_a_mistake(dimension: str, mistake: str) -> None:
    text = f"models:\n  steps: {{source: steps, key: step_id, dimensions: {{{dimension}}}}}\nmetrics: {{}}\n"
    with pytest.raises(CatalogError, match=mistake):
        load_catalog(text)
