-- The month before, beside each month: that of January is December, which the range does not hold.
-- metrics: [usage_cost, cost_a_month_before]
-- grain: month
-- start: 2026-01-01
-- end: 2026-04-01
-- where: region = 'east'

-- compiled
-- p1: 2025-12-01
-- p2: 2026-04-01
-- p3: east
-- p4: 2026-01-01
-- p5: 2026-03-31
WITH usage_each_month AS (
  SELECT
    CAST(DATE_TRUNC('MONTH', usage.used_on) AS DATE) AS time,
    SUM(usage.cost_usd) AS usage_cost,
    SUM(usage.cost_usd) AS cost_a_month_before
  FROM usage AS usage
  WHERE
    usage.used_on >= $p1 AND usage.used_on < $p2 AND usage.region = $p3
  GROUP BY
    1
), periods AS (
  SELECT
    CAST(time AS DATE) AS time
  FROM (
    SELECT
      UNNEST(GENERATE_SERIES(CAST($p4 AS DATE), CAST($p5 AS DATE), INTERVAL '1' MONTH)) AS time
  ) AS starts
), periods__1_month_earlier AS (
  SELECT
    periods.time AS time,
    CAST(periods.time + INTERVAL (-1) MONTH AS DATE) AS then_time
  FROM periods
), usage_of_period AS (
  SELECT
    usage_each_month.time,
    usage_each_month.usage_cost AS usage_cost
  FROM usage_each_month
  WHERE
    usage_each_month.time >= CAST('2026-01-01' AS DATE)
), usage_1_month_earlier AS (
  SELECT
    periods__1_month_earlier.time AS time,
    usage_each_month.cost_a_month_before AS cost_a_month_before
  FROM periods__1_month_earlier
  LEFT JOIN usage_each_month
    ON usage_each_month.time IS NOT DISTINCT FROM periods__1_month_earlier.then_time
)
SELECT
  periods.time AS time,
  usage_of_period.usage_cost AS usage_cost,
  usage_1_month_earlier.cost_a_month_before AS cost_a_month_before
FROM periods
LEFT JOIN usage_of_period
  ON periods.time IS NOT DISTINCT FROM usage_of_period.time
LEFT JOIN usage_1_month_earlier
  ON periods.time IS NOT DISTINCT FROM usage_1_month_earlier.time
ORDER BY
  time ASC

-- by hand
with costs as (
  select date_trunc('month', used_on) as month, sum(cost_usd) as usd
  from usage
  where region = 'east' and used_on is not null
  group by 1
),
lagged as (select month, usd, lag(usd) over (order by month) as before from costs)  -- no month is without a row
select cast(month as date) as time, usd as usage_cost, before as cost_a_month_before
from lagged
where month >= '2026-01-01' and month < '2026-04-01'
order by month
