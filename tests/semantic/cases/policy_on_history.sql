-- For who sees the west alone, history begins with its first row: 31 January, one day before the window's end.
-- metrics: [usages, week_scaled]
-- grain: month
-- start: 2026-01-01
-- end: 2026-04-01
-- claims: {names: [ann], repositories: [app], region: west}

-- compiled
-- p1: 2026-01-01
-- p2: 2026-04-01
-- p3: west
-- p4: 2026-03-31
WITH usage_each_day AS (
  SELECT
    usage.used_on AS on_day,
    COUNT(*) AS usages,
    SUM(usage.cost_usd) AS week_scaled
  FROM usage AS usage
  WHERE
    usage.used_on >= $p1 AND usage.used_on < $p2 AND usage.region = $p3
  GROUP BY
    1
), usage_history AS (
  SELECT
    MIN(usage.used_on) AS first_day
  FROM usage AS usage
  WHERE
    usage.region = $p3
), periods AS (
  SELECT
    CAST(time AS DATE) AS time,
    CAST(time + INTERVAL 1 MONTH AS DATE) AS until_time,
    LEAST(CAST(time + INTERVAL 1 MONTH AS DATE), CAST($p2 AS DATE)) AS ends_on
  FROM (
    SELECT
      UNNEST(GENERATE_SERIES(CAST($p1 AS DATE), CAST($p4 AS DATE), INTERVAL '1' MONTH)) AS time
  ) AS starts
), usage_of_period AS (
  SELECT
    periods.time AS time,
    CAST(COALESCE(SUM(usage_each_day.usages), 0) AS BIGINT) AS usages
  FROM periods
  LEFT JOIN usage_each_day
    ON usage_each_day.on_day >= periods.time
    AND usage_each_day.on_day < periods.until_time
    AND usage_each_day.on_day >= CAST('2026-01-01' AS DATE)
  GROUP BY
    1
), usage_rolling_7_days_per_day AS (
  SELECT
    periods.time AS time,
    CAST(SUM(usage_each_day.week_scaled) AS DOUBLE) / NULLIF(
      CAST(LEAST(7, DATE_DIFF('DAY', MIN(usage_history.first_day), MIN(periods.ends_on))) AS DOUBLE),
      0
    ) * 1 AS week_scaled
  FROM periods
  LEFT JOIN usage_each_day
    ON usage_each_day.on_day >= CAST(periods.ends_on + INTERVAL (-7) DAY AS DATE)
    AND usage_each_day.on_day < periods.ends_on
  CROSS JOIN usage_history
  GROUP BY
    1
)
SELECT
  periods.time AS time,
  COALESCE(usage_of_period.usages, 0) AS usages,
  CASE
    WHEN (
      SELECT
        usage_history.first_day
      FROM usage_history
    ) < LEAST(CAST(periods.time + INTERVAL 1 MONTH AS DATE), CAST($p2 AS DATE))
    THEN usage_rolling_7_days_per_day.week_scaled
  END AS week_scaled
FROM periods
LEFT JOIN usage_of_period
  ON periods.time IS NOT DISTINCT FROM usage_of_period.time
LEFT JOIN usage_rolling_7_days_per_day
  ON periods.time IS NOT DISTINCT FROM usage_rolling_7_days_per_day.time
ORDER BY
  time ASC

-- by hand
select m as time,
  (select count(*) from usage where region = 'west' and used_on >= m and used_on < next) as usages,
  (select cast(sum(cost_usd) as double) / days_known from usage where region = 'west' and used_on >= next - 7 and used_on < next) as week_scaled
from (
  values (date '2026-01-01', date '2026-02-01', 1), (date '2026-02-01', date '2026-03-01', 7), (date '2026-03-01', date '2026-04-01', 7)
) as months(m, next, days_known)
order by m
