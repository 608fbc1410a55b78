-- Days without a row count as 0 in the mean of a count; a day of which no cost is known is not the busiest.
-- metrics: [busiest_day, usages_a_day]
-- grain: month
-- start: 2026-02-01
-- end: 2026-04-01

-- compiled
-- p1: 2026-02-01
-- p2: 2026-04-01
-- p3: 2026-03-31
WITH busiest_day__parts AS (
  WITH usage_by_day AS (
    SELECT
      CAST(usage.used_on AS DATE) AS time,
      SUM(usage.cost_usd) AS usage_cost
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
        UNNEST(GENERATE_SERIES(CAST($p1 AS DATE), CAST($p3 AS DATE), INTERVAL '1' DAY)) AS time
    ) AS starts
  )
  SELECT
    periods.time AS time,
    usage_by_day.usage_cost AS usage_cost
  FROM periods
  LEFT JOIN usage_by_day
    ON periods.time IS NOT DISTINCT FROM usage_by_day.time
), busiest_day__each AS (
  SELECT
    CAST(DATE_TRUNC('MONTH', busiest_day__parts.time) AS DATE) AS time,
    MAX(busiest_day__parts.usage_cost) AS busiest_day,
    COUNT(*) AS busiest_day__rows,
    COUNT(*) - COUNT(busiest_day__parts.usage_cost) AS busiest_day__unknown
  FROM busiest_day__parts
  WHERE
    NOT busiest_day__parts.time IS NULL
  GROUP BY
    1
), usages_a_day__parts AS (
  WITH usage_by_day AS (
    SELECT
      CAST(usage.used_on AS DATE) AS time,
      COUNT(*) AS usages
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
        UNNEST(GENERATE_SERIES(CAST($p1 AS DATE), CAST($p3 AS DATE), INTERVAL '1' DAY)) AS time
    ) AS starts
  )
  SELECT
    periods.time AS time,
    COALESCE(usage_by_day.usages, 0) AS usages
  FROM periods
  LEFT JOIN usage_by_day
    ON periods.time IS NOT DISTINCT FROM usage_by_day.time
), usages_a_day__each AS (
  SELECT
    CAST(DATE_TRUNC('MONTH', usages_a_day__parts.time) AS DATE) AS time,
    AVG(usages_a_day__parts.usages) AS usages_a_day,
    COUNT(*) AS usages_a_day__rows,
    COUNT(*) - COUNT(usages_a_day__parts.usages) AS usages_a_day__unknown
  FROM usages_a_day__parts
  WHERE
    NOT usages_a_day__parts.time IS NULL
  GROUP BY
    1
), periods AS (
  SELECT
    CAST(time AS DATE) AS time
  FROM (
    SELECT
      UNNEST(GENERATE_SERIES(CAST($p1 AS DATE), CAST($p3 AS DATE), INTERVAL '1' MONTH)) AS time
  ) AS starts
)
SELECT
  periods.time AS time,
  busiest_day__each.busiest_day AS busiest_day,
  usages_a_day__each.usages_a_day AS usages_a_day
FROM periods
LEFT JOIN busiest_day__each
  ON periods.time IS NOT DISTINCT FROM busiest_day__each.time
LEFT JOIN usages_a_day__each
  ON periods.time IS NOT DISTINCT FROM usages_a_day__each.time
ORDER BY
  time ASC

-- by hand
with days as (
  select day, sum(cost_usd) as usd, count(usage_id) as n
  from (select cast(d as date) as day from generate_series(timestamp '2026-02-01', timestamp '2026-03-31', interval 1 day) as s(d))
  left join usage on used_on = day
  group by day
)
select cast(date_trunc('month', day) as date) as time, max(usd) as busiest_day, avg(n) as usages_a_day
from days
group by 1
order by 1
