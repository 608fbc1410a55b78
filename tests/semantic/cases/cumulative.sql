-- Everything up to the end of the month, what came before the range included; a region stays once it has occurred.
-- metrics: [usage_cost, cost_so_far]
-- by: [region]
-- grain: month
-- start: 2026-02-01
-- end: 2026-05-01

-- compiled
-- p1: 2026-05-01
-- p2: 2026-02-01
-- p3: 2026-04-30
WITH usage_each_month AS (
  SELECT
    usage.region AS region,
    CAST(DATE_TRUNC('MONTH', usage.used_on) AS DATE) AS time,
    SUM(usage.cost_usd) AS usage_cost,
    SUM(usage.cost_usd) AS cost_so_far
  FROM usage AS usage
  WHERE
    usage.used_on < $p1
  GROUP BY
    1,
    2
), usage_so_far_spans AS (
  SELECT
    region,
    time,
    SUM(cost_so_far) OVER (PARTITION BY region ORDER BY time ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS cost_so_far,
    LEAD(time) OVER (PARTITION BY region ORDER BY time) AS next_time
  FROM usage_each_month
  WHERE
    NOT time IS NULL
), periods AS (
  SELECT
    CAST(time AS DATE) AS time
  FROM (
    SELECT
      UNNEST(GENERATE_SERIES(CAST($p2 AS DATE), CAST($p3 AS DATE), INTERVAL '1' MONTH)) AS time
  ) AS starts
), usage_of_period AS (
  SELECT
    usage_each_month.region,
    usage_each_month.time,
    usage_each_month.usage_cost AS usage_cost
  FROM usage_each_month
  WHERE
    usage_each_month.time >= CAST('2026-02-01' AS DATE)
), usage_so_far AS (
  SELECT
    usage_so_far_spans.region AS region,
    periods.time AS time,
    usage_so_far_spans.cost_so_far AS cost_so_far
  FROM periods
  JOIN usage_so_far_spans
    ON usage_so_far_spans.time <= periods.time
    AND (
      usage_so_far_spans.next_time IS NULL
      OR usage_so_far_spans.next_time > periods.time
    )
), keys AS (
  SELECT
    region,
    time
  FROM usage_of_period
  UNION
  SELECT
    region,
    time
  FROM usage_so_far
)
SELECT
  keys.region AS region,
  keys.time AS time,
  usage_of_period.usage_cost AS usage_cost,
  usage_so_far.cost_so_far AS cost_so_far
FROM keys
LEFT JOIN usage_of_period
  ON keys.region IS NOT DISTINCT FROM usage_of_period.region
  AND keys.time IS NOT DISTINCT FROM usage_of_period.time
LEFT JOIN usage_so_far
  ON keys.region IS NOT DISTINCT FROM usage_so_far.region
  AND keys.time IS NOT DISTINCT FROM usage_so_far.time
ORDER BY
  time ASC,
  region ASC

-- by hand
select region, m as time,
  sum(cost_usd) filter (used_on >= m) as usage_cost,
  sum(cost_usd) as cost_so_far
from (
  values (date '2026-02-01', date '2026-03-01'), (date '2026-03-01', date '2026-04-01'), (date '2026-04-01', date '2026-05-01')
) as months(m, next)
join usage on used_on < next
group by region, m
order by m, region nulls last
