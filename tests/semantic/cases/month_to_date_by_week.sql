-- A week counts in the month of its last day, the current week in that of the day of the question: 27 February.
-- metrics: [usage_cost, cost_month_to_date]
-- grain: week
-- start: 2026-01-26
-- end: 2026-03-02
-- as_of: 2026-02-27

-- compiled
-- p1: 2026-01-01
-- p2: 2026-03-02
-- p3: 2026-01-26
-- p4: 2026-03-01
-- p5: 2026-02-27
WITH usage_each_day AS (
  SELECT
    usage.used_on AS on_day,
    SUM(usage.cost_usd) AS usage_cost,
    SUM(usage.cost_usd) AS cost_month_to_date
  FROM usage AS usage
  WHERE
    usage.used_on >= $p1 AND usage.used_on < $p2
  GROUP BY
    1
), periods AS (
  SELECT
    CAST(time AS DATE) AS time,
    CAST(time + INTERVAL 7 DAY AS DATE) AS until_time,
    LEAST(
      CAST(CAST(time + INTERVAL 7 DAY AS DATE) + INTERVAL (-1) DAY AS DATE),
      CAST($p5 AS DATE)
    ) AS known_on
  FROM (
    SELECT
      UNNEST(GENERATE_SERIES(CAST($p3 AS DATE), CAST($p4 AS DATE), INTERVAL '7' DAY)) AS time
  ) AS starts
), usage_of_period AS (
  SELECT
    periods.time AS time,
    SUM(usage_each_day.usage_cost) AS usage_cost
  FROM periods
  LEFT JOIN usage_each_day
    ON usage_each_day.on_day >= periods.time
    AND usage_each_day.on_day < periods.until_time
    AND usage_each_day.on_day >= CAST('2026-01-26' AS DATE)
  GROUP BY
    1
), usage_month_to_date AS (
  SELECT
    periods.time AS time,
    SUM(usage_each_day.cost_month_to_date) AS cost_month_to_date
  FROM periods
  LEFT JOIN usage_each_day
    ON usage_each_day.on_day >= CAST(DATE_TRUNC('MONTH', GREATEST(periods.known_on, periods.time)) AS DATE)
    AND usage_each_day.on_day < periods.until_time
  GROUP BY
    1
)
SELECT
  periods.time AS time,
  usage_of_period.usage_cost AS usage_cost,
  usage_month_to_date.cost_month_to_date AS cost_month_to_date
FROM periods
LEFT JOIN usage_of_period
  ON periods.time IS NOT DISTINCT FROM usage_of_period.time
LEFT JOIN usage_month_to_date
  ON periods.time IS NOT DISTINCT FROM usage_month_to_date.time
ORDER BY
  time ASC

-- by hand
select week as time,
  (select sum(cost_usd) from usage where used_on >= week and used_on < week + 7) as usage_cost,
  (select sum(cost_usd) from usage where used_on >= '2026-02-01' and used_on < week + 7) as cost_month_to_date
from (
  values (date '2026-01-26'),   -- to Sunday 1 February
         (date '2026-02-02'), (date '2026-02-09'), (date '2026-02-16'),
         (date '2026-02-23')    -- to Sunday 1 March, which is not reached
) as weeks(week)
order by week
