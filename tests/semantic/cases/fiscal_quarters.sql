-- Quarters from February on: 31 January ends one and 1 February opens the next; the range cuts the first.
-- metrics: [usage_cost, usages]
-- grain: fiscal_quarter
-- start: 2026-01-01
-- end: 2026-05-01

-- compiled
-- p1: 2026-01-01
-- p2: 2026-05-01
-- p3: 2025-11-01
-- p4: 2026-04-30
WITH usage_by_fiscal_quarter AS (
  SELECT
    CAST(CAST(DATE_TRUNC('MONTH', usage.used_on) AS DATE) + INTERVAL (-(
      (
        EXTRACT(YEAR FROM usage.used_on) * 12 + EXTRACT(MONTH FROM usage.used_on) - 2
      ) % 3
    )) MONTH AS DATE) AS time,
    SUM(usage.cost_usd) AS usage_cost,
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
      UNNEST(GENERATE_SERIES(CAST($p3 AS DATE), CAST($p4 AS DATE), INTERVAL '3' MONTH)) AS time
  ) AS starts
)
SELECT
  periods.time AS time,
  usage_by_fiscal_quarter.usage_cost AS usage_cost,
  COALESCE(usage_by_fiscal_quarter.usages, 0) AS usages
FROM periods
LEFT JOIN usage_by_fiscal_quarter
  ON periods.time IS NOT DISTINCT FROM usage_by_fiscal_quarter.time
ORDER BY
  time ASC

-- by hand
select quarter as time, sum(cost_usd) as usage_cost, count(*) as usages
from (
  values (date '2025-11-01', date '2026-01-01', date '2026-01-31'), (date '2026-02-01', date '2026-02-01', date '2026-04-30')
) as quarters(quarter, first_day, last_day)
join usage on used_on between first_day and last_day
group by quarter
order by quarter
