-- The week before the end of December holds one day of history: a seventh of it, the whole of it, or no mean at all.
-- metrics: [week_kept, week_scaled, week_whole]
-- grain: month
-- start: 2025-11-01
-- end: 2026-05-01

-- compiled
-- p1: 2025-11-24
-- p2: 2026-05-01
-- p3: 2025-11-01
-- p4: 2026-04-30
WITH usage_each_day AS (
  SELECT
    usage.used_on AS on_day,
    SUM(usage.cost_usd) AS week_kept,
    SUM(usage.cost_usd) AS week_scaled,
    SUM(usage.cost_usd) AS week_whole
  FROM usage AS usage
  WHERE
    usage.used_on >= $p1 AND usage.used_on < $p2
  GROUP BY
    1
), usage_history AS (
  SELECT
    MIN(usage.used_on) AS first_day
  FROM usage AS usage
), periods AS (
  SELECT
    CAST(time AS DATE) AS time,
    LEAST(CAST(time + INTERVAL 1 MONTH AS DATE), CAST($p2 AS DATE)) AS ends_on
  FROM (
    SELECT
      UNNEST(GENERATE_SERIES(CAST($p3 AS DATE), CAST($p4 AS DATE), INTERVAL '1' MONTH)) AS time
  ) AS starts
), usage_rolling_7_days_per_day_keep AS (
  SELECT
    periods.time AS time,
    CAST(SUM(usage_each_day.week_kept) AS DOUBLE) / NULLIF(7, 0) * 1 AS week_kept
  FROM periods
  LEFT JOIN usage_each_day
    ON usage_each_day.on_day >= CAST(periods.ends_on + INTERVAL (-7) DAY AS DATE)
    AND usage_each_day.on_day < periods.ends_on
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
), usage_rolling_7_days_per_day_null AS (
  SELECT
    periods.time AS time,
    CAST(SUM(usage_each_day.week_whole) AS DOUBLE) / NULLIF(7, 0) * 1 AS week_whole
  FROM periods
  LEFT JOIN usage_each_day
    ON usage_each_day.on_day >= CAST(periods.ends_on + INTERVAL (-7) DAY AS DATE)
    AND usage_each_day.on_day < periods.ends_on
  GROUP BY
    1
)
SELECT
  periods.time AS time,
  usage_rolling_7_days_per_day_keep.week_kept AS week_kept,
  CASE
    WHEN (
      SELECT
        usage_history.first_day
      FROM usage_history
    ) < LEAST(CAST(periods.time + INTERVAL 1 MONTH AS DATE), CAST($p2 AS DATE))
    THEN usage_rolling_7_days_per_day.week_scaled
  END AS week_scaled,
  CASE
    WHEN (
      SELECT
        usage_history.first_day
      FROM usage_history
    ) <= CAST(LEAST(CAST(periods.time + INTERVAL 1 MONTH AS DATE), CAST($p2 AS DATE)) + INTERVAL (-7) DAY AS DATE)
    AND NOT periods.time IS NULL
    THEN usage_rolling_7_days_per_day_null.week_whole
  END AS week_whole
FROM periods
LEFT JOIN usage_rolling_7_days_per_day_keep
  ON periods.time IS NOT DISTINCT FROM usage_rolling_7_days_per_day_keep.time
LEFT JOIN usage_rolling_7_days_per_day
  ON periods.time IS NOT DISTINCT FROM usage_rolling_7_days_per_day.time
LEFT JOIN usage_rolling_7_days_per_day_null
  ON periods.time IS NOT DISTINCT FROM usage_rolling_7_days_per_day_null.time
ORDER BY
  time ASC

-- by hand
with months(m, ends_on, days_known) as (
  values (date '2025-11-01', date '2025-12-01', 0), (date '2025-12-01', date '2026-01-01', 1),
         (date '2026-01-01', date '2026-02-01', 7), (date '2026-02-01', date '2026-03-01', 7),
         (date '2026-03-01', date '2026-04-01', 7), (date '2026-04-01', date '2026-05-01', 7)
),
sums as (
  select m, days_known, (select cast(sum(cost_usd) as double) from usage where used_on >= ends_on - 7 and used_on < ends_on) as usd
  from months
)
select m as time, usd / 7 as week_kept, usd / nullif(days_known, 0) as week_scaled, case when days_known = 7 then usd / 7 end as week_whole
from sums
order by m
