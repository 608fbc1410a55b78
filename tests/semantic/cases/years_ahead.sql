-- A range that reaches beyond the day of the question counts what is planned there: 99 of 10 May.
-- metrics: [usage_cost]
-- grain: year
-- range: 2025 to 2026

-- compiled
-- p1: 2025-01-01
-- p2: 2027-01-01
-- p3: 2026-12-31
WITH usage_by_year AS (
  SELECT
    CAST(DATE_TRUNC('YEAR', usage.used_on) AS DATE) AS time,
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
      UNNEST(GENERATE_SERIES(CAST($p1 AS DATE), CAST($p3 AS DATE), INTERVAL '12' MONTH)) AS time
  ) AS starts
)
SELECT
  periods.time AS time,
  usage_by_year.usage_cost AS usage_cost
FROM periods
LEFT JOIN usage_by_year
  ON periods.time IS NOT DISTINCT FROM usage_by_year.time
ORDER BY
  time ASC

-- by hand
select make_date(y, 1, 1) as time, (select sum(cost_usd) from usage where year(used_on) = y) as usage_cost
from (values (2025), (2026)) as years(y)
order by y
