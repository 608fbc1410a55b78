-- A formula varied by a window: the cost of thirty days over their tokens. Those of February begin on 30 January.
-- metrics: [usage_price, price_of_30_days]
-- grain: month
-- start: 2026-02-01
-- end: 2026-05-01

-- compiled
-- p1: 2026-01-30
-- p2: 2026-05-01
-- p3: 2026-02-01
-- p4: 2026-04-30
WITH usage_each_day AS (
  SELECT
    usage.used_on AS on_day,
    SUM(usage.cost_usd) AS usage_cost,
    CAST(SUM(usage.tokens) AS BIGINT) AS usage_tokens,
    SUM(usage.cost_usd) AS price_of_30_days__usage_cost,
    CAST(SUM(usage.tokens) AS BIGINT) AS price_of_30_days__usage_tokens
  FROM usage AS usage
  WHERE
    usage.used_on >= $p1 AND usage.used_on < $p2
  GROUP BY
    1
), periods AS (
  SELECT
    CAST(time AS DATE) AS time,
    CAST(time + INTERVAL 1 MONTH AS DATE) AS until_time,
    LEAST(CAST(time + INTERVAL 1 MONTH AS DATE), CAST($p2 AS DATE)) AS ends_on
  FROM (
    SELECT
      UNNEST(GENERATE_SERIES(CAST($p3 AS DATE), CAST($p4 AS DATE), INTERVAL '1' MONTH)) AS time
  ) AS starts
), usage_of_period AS (
  SELECT
    periods.time AS time,
    SUM(usage_each_day.usage_cost) AS usage_cost,
    CAST(SUM(usage_each_day.usage_tokens) AS BIGINT) AS usage_tokens
  FROM periods
  LEFT JOIN usage_each_day
    ON usage_each_day.on_day >= periods.time
    AND usage_each_day.on_day < periods.until_time
    AND usage_each_day.on_day >= CAST('2026-02-01' AS DATE)
  GROUP BY
    1
), usage_rolling_30_days AS (
  SELECT
    periods.time AS time,
    SUM(usage_each_day.price_of_30_days__usage_cost) AS price_of_30_days__usage_cost,
    CAST(SUM(usage_each_day.price_of_30_days__usage_tokens) AS BIGINT) AS price_of_30_days__usage_tokens
  FROM periods
  LEFT JOIN usage_each_day
    ON usage_each_day.on_day >= CAST(periods.ends_on + INTERVAL (-30) DAY AS DATE)
    AND usage_each_day.on_day < periods.ends_on
  GROUP BY
    1
)
SELECT
  periods.time AS time,
  CAST(usage_of_period.usage_cost AS DOUBLE) / NULLIF(CAST(usage_of_period.usage_tokens AS DOUBLE), 0) AS usage_price,
  CAST(usage_rolling_30_days.price_of_30_days__usage_cost AS DOUBLE) / NULLIF(CAST(usage_rolling_30_days.price_of_30_days__usage_tokens AS DOUBLE), 0) AS price_of_30_days
FROM periods
LEFT JOIN usage_of_period
  ON periods.time IS NOT DISTINCT FROM usage_of_period.time
LEFT JOIN usage_rolling_30_days
  ON periods.time IS NOT DISTINCT FROM usage_rolling_30_days.time
ORDER BY
  time ASC

-- by hand
select m as time,
  (select cast(sum(cost_usd) as double) / sum(tokens) from usage where used_on >= m and used_on < next) as usage_price,
  (select cast(sum(cost_usd) as double) / sum(tokens) from usage where used_on >= next - 30 and used_on < next) as price_of_30_days
from (
  values (date '2026-02-01', date '2026-03-01'), (date '2026-03-01', date '2026-04-01'), (date '2026-04-01', date '2026-05-01')
) as months(m, next)
order by m
