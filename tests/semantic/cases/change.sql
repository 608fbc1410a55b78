-- Against the month before: nothing from an unknown or a missing value, and no percent of a base of 0.
-- metrics: [usage_cost, cost_grew, cost_grew_percent, cost_grew_ratio]
-- by: [model]
-- grain: month
-- start: 2026-02-01
-- end: 2026-05-01

-- compiled
-- p1: 2026-01-01
-- p2: 2026-05-01
-- p3: 2026-02-01
-- p4: 2026-04-30
WITH usage_each_month AS (
  SELECT
    usage.model AS model,
    CAST(DATE_TRUNC('MONTH', usage.used_on) AS DATE) AS time,
    SUM(usage.cost_usd) AS usage_cost,
    SUM(usage.cost_usd) AS usage_cost__1_month_earlier
  FROM usage AS usage
  WHERE
    usage.used_on >= $p1 AND usage.used_on < $p2
  GROUP BY
    1,
    2
), periods AS (
  SELECT
    CAST(time AS DATE) AS time
  FROM (
    SELECT
      UNNEST(GENERATE_SERIES(CAST($p3 AS DATE), CAST($p4 AS DATE), INTERVAL '1' MONTH)) AS time
  ) AS starts
), periods__1_month_earlier AS (
  SELECT
    periods.time AS time,
    CAST(periods.time + INTERVAL (-1) MONTH AS DATE) AS then_time
  FROM periods
), usage_of_period AS (
  SELECT
    usage_each_month.model,
    usage_each_month.time,
    usage_each_month.usage_cost AS usage_cost
  FROM usage_each_month
  WHERE
    usage_each_month.time >= CAST('2026-02-01' AS DATE)
), usage_1_month_earlier AS (
  SELECT
    usage_each_month.model AS model,
    periods__1_month_earlier.time AS time,
    usage_each_month.usage_cost__1_month_earlier AS usage_cost__1_month_earlier
  FROM periods__1_month_earlier
  JOIN usage_each_month
    ON usage_each_month.time IS NOT DISTINCT FROM periods__1_month_earlier.then_time
), keys AS (
  SELECT
    model,
    time
  FROM usage_of_period
  UNION
  SELECT
    model,
    time
  FROM usage_1_month_earlier
)
SELECT
  keys.model AS model,
  keys.time AS time,
  usage_of_period.usage_cost AS usage_cost,
  usage_of_period.usage_cost - usage_1_month_earlier.usage_cost__1_month_earlier AS cost_grew,
  CAST((
    usage_of_period.usage_cost - usage_1_month_earlier.usage_cost__1_month_earlier
  ) AS DOUBLE) / NULLIF(CAST(usage_1_month_earlier.usage_cost__1_month_earlier AS DOUBLE), 0) AS cost_grew_percent,
  CAST(usage_of_period.usage_cost AS DOUBLE) / NULLIF(CAST(usage_1_month_earlier.usage_cost__1_month_earlier AS DOUBLE), 0) AS cost_grew_ratio
FROM keys
LEFT JOIN usage_of_period
  ON keys.model IS NOT DISTINCT FROM usage_of_period.model
  AND keys.time IS NOT DISTINCT FROM usage_of_period.time
LEFT JOIN usage_1_month_earlier
  ON keys.model IS NOT DISTINCT FROM usage_1_month_earlier.model
  AND keys.time IS NOT DISTINCT FROM usage_1_month_earlier.time
ORDER BY
  time ASC,
  model ASC

-- by hand
with costs as (
  select model, cast(date_trunc('month', used_on) as date) as month, sum(cost_usd) as usd
  from usage
  group by all
),
pairs as (
  select model, month, now.usd as usd, before.usd as base
  from costs as now
  full join (select model, cast(month + interval 1 month as date) as month, usd from costs) as before using (model, month)
  where month between '2026-02-01' and '2026-04-01'
)
select model, month as time, usd as usage_cost,
  usd - base as cost_grew,
  cast(usd - base as double) / nullif(base, 0) as cost_grew_percent,
  cast(usd as double) / nullif(base, 0) as cost_grew_ratio
from pairs
order by month, model
