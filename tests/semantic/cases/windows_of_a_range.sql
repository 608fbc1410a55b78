-- Without a grain a window ends with the range: seven days before 21 March, March up to it, and everything before it.
-- metrics: [usage_cost, week_kept, cost_month_to_date, cost_so_far]
-- start: 2026-03-17
-- end: 2026-03-21

-- compiled
-- p1: 2026-03-17
-- p2: 2026-03-21
-- p3: 2026-03-14
-- p4: 2026-03-01
WITH usage_in_all AS (
  SELECT
    SUM(usage.cost_usd) AS usage_cost
  FROM usage AS usage
  WHERE
    usage.used_on >= $p1 AND usage.used_on < $p2
), usage_in_all_rolling_7_days_per_day_keep AS (
  SELECT
    SUM(usage.cost_usd) AS week_kept
  FROM usage AS usage
  WHERE
    usage.used_on >= $p3 AND usage.used_on < $p2
), usage_in_all_month_to_date AS (
  SELECT
    SUM(usage.cost_usd) AS cost_month_to_date
  FROM usage AS usage
  WHERE
    usage.used_on >= $p4 AND usage.used_on < $p2
), usage_in_all_so_far AS (
  SELECT
    SUM(usage.cost_usd) AS cost_so_far
  FROM usage AS usage
  WHERE
    usage.used_on < $p2
), whole_range AS (
  SELECT
    CAST($p2 AS DATE) AS ends_on
), usage_in_all_rolling_7_days_per_day_keep_per_unit AS (
  SELECT
    CAST(usage_in_all_rolling_7_days_per_day_keep.week_kept AS DOUBLE) / NULLIF(7, 0) * 1 AS week_kept
  FROM usage_in_all_rolling_7_days_per_day_keep
  CROSS JOIN whole_range
)
SELECT
  usage_in_all.usage_cost AS usage_cost,
  usage_in_all_rolling_7_days_per_day_keep_per_unit.week_kept AS week_kept,
  usage_in_all_month_to_date.cost_month_to_date AS cost_month_to_date,
  usage_in_all_so_far.cost_so_far AS cost_so_far
FROM usage_in_all
CROSS JOIN usage_in_all_rolling_7_days_per_day_keep_per_unit
CROSS JOIN usage_in_all_month_to_date
CROSS JOIN usage_in_all_so_far

-- by hand
select
  sum(cost_usd) filter (used_on >= '2026-03-17') as usage_cost,
  cast(sum(cost_usd) filter (used_on >= '2026-03-14') as double) / 7 as week_kept,
  sum(cost_usd) filter (used_on >= '2026-03-01') as cost_month_to_date,
  sum(cost_usd) as cost_so_far
from usage
where used_on < '2026-03-21'
