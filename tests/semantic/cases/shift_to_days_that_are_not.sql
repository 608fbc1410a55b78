-- The day a month before 29, 30 and 31 March is none, so not even a count has a value; 27 February is one, without a row.
-- metrics: [usages, usages_a_month_before, cost_a_month_before]
-- grain: day
-- start: 2026-03-27
-- end: 2026-04-01

-- compiled
-- p1: 2026-02-27
-- p2: 2026-04-01
-- p3: 2026-03-27
-- p4: 2026-03-31
WITH usage_each_day AS (
  SELECT
    CAST(usage.used_on AS DATE) AS time,
    COUNT(*) AS usages,
    COUNT(*) AS usages_a_month_before,
    SUM(usage.cost_usd) AS cost_a_month_before
  FROM usage AS usage
  WHERE
    usage.used_on >= $p1 AND usage.used_on < $p2
  GROUP BY
    1
), periods AS (
  SELECT
    CAST(time AS DATE) AS time
  FROM (
    SELECT
      UNNEST(GENERATE_SERIES(CAST($p3 AS DATE), CAST($p4 AS DATE), INTERVAL '1' DAY)) AS time
  ) AS starts
), periods__1_month_earlier AS (
  SELECT
    periods.time AS time,
    CAST(periods.time + INTERVAL (-1) MONTH AS DATE) AS then_time
  FROM periods
  WHERE
    EXTRACT(DAY FROM CAST(periods.time + INTERVAL (-1) MONTH AS DATE)) = EXTRACT(DAY FROM periods.time)
), usage_of_period AS (
  SELECT
    usage_each_day.time,
    CAST(COALESCE(usage_each_day.usages, 0) AS BIGINT) AS usages
  FROM usage_each_day
  WHERE
    usage_each_day.time >= CAST('2026-03-27' AS DATE)
), usage_1_month_earlier AS (
  SELECT
    periods__1_month_earlier.time AS time,
    CAST(COALESCE(usage_each_day.usages_a_month_before, 0) AS BIGINT) AS usages_a_month_before,
    usage_each_day.cost_a_month_before AS cost_a_month_before
  FROM periods__1_month_earlier
  LEFT JOIN usage_each_day
    ON usage_each_day.time IS NOT DISTINCT FROM periods__1_month_earlier.then_time
)
SELECT
  periods.time AS time,
  COALESCE(usage_of_period.usages, 0) AS usages,
  CASE
    WHEN periods.time IS NULL
    OR EXTRACT(DAY FROM CAST(periods.time + INTERVAL (-1) MONTH AS DATE)) = EXTRACT(DAY FROM periods.time)
    THEN COALESCE(usage_1_month_earlier.usages_a_month_before, 0)
  END AS usages_a_month_before,
  CASE
    WHEN periods.time IS NULL
    OR EXTRACT(DAY FROM CAST(periods.time + INTERVAL (-1) MONTH AS DATE)) = EXTRACT(DAY FROM periods.time)
    THEN usage_1_month_earlier.cost_a_month_before
  END AS cost_a_month_before
FROM periods
LEFT JOIN usage_of_period
  ON periods.time IS NOT DISTINCT FROM usage_of_period.time
LEFT JOIN usage_1_month_earlier
  ON periods.time IS NOT DISTINCT FROM usage_1_month_earlier.time
ORDER BY
  time ASC

-- by hand
select day as time,
  (select count(*) from usage where used_on = day) as usages,
  case when before is not null then (select count(*) from usage where used_on = before) end as usages_a_month_before,
  (select sum(cost_usd) from usage where used_on = before) as cost_a_month_before
from (
  values (date '2026-03-27', date '2026-02-27'), (date '2026-03-28', date '2026-02-28'), (date '2026-03-29', null),
         (date '2026-03-30', null), (date '2026-03-31', null)
) as days(day, before)
order by day
