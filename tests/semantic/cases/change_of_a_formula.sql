-- The change of a price is that of the quotient of each month, whose cost and tokens are both read a month earlier.
-- metrics: [usage_price, price_grew]
-- by: [region]
-- grain: month
-- start: 2026-02-01
-- end: 2026-04-01

-- compiled
-- p1: 2026-01-01
-- p2: 2026-04-01
-- p3: 2026-02-01
-- p4: 2026-03-31
WITH usage_each_month AS (
  SELECT
    usage.region AS region,
    CAST(DATE_TRUNC('MONTH', usage.used_on) AS DATE) AS time,
    SUM(usage.cost_usd) AS usage_cost,
    CAST(SUM(usage.tokens) AS BIGINT) AS usage_tokens,
    SUM(usage.cost_usd) AS usage_cost__1_month_earlier,
    CAST(SUM(usage.tokens) AS BIGINT) AS usage_tokens__1_month_earlier
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
    usage_each_month.region,
    usage_each_month.time,
    usage_each_month.usage_cost AS usage_cost,
    CAST(usage_each_month.usage_tokens AS BIGINT) AS usage_tokens
  FROM usage_each_month
  WHERE
    usage_each_month.time >= CAST('2026-02-01' AS DATE)
), usage_1_month_earlier AS (
  SELECT
    usage_each_month.region AS region,
    periods__1_month_earlier.time AS time,
    usage_each_month.usage_cost__1_month_earlier AS usage_cost__1_month_earlier,
    CAST(usage_each_month.usage_tokens__1_month_earlier AS BIGINT) AS usage_tokens__1_month_earlier
  FROM periods__1_month_earlier
  JOIN usage_each_month
    ON usage_each_month.time IS NOT DISTINCT FROM periods__1_month_earlier.then_time
), keys AS (
  SELECT
    region,
    time
  FROM usage_of_period
  UNION
  SELECT
    region,
    time
  FROM usage_1_month_earlier
)
SELECT
  keys.region AS region,
  keys.time AS time,
  CAST(usage_of_period.usage_cost AS DOUBLE) / NULLIF(CAST(usage_of_period.usage_tokens AS DOUBLE), 0) AS usage_price,
  CAST((
    (
      CAST(usage_of_period.usage_cost AS DOUBLE) / NULLIF(CAST(usage_of_period.usage_tokens AS DOUBLE), 0)
    ) - (
      CAST(usage_1_month_earlier.usage_cost__1_month_earlier AS DOUBLE) / NULLIF(CAST(usage_1_month_earlier.usage_tokens__1_month_earlier AS DOUBLE), 0)
    )
  ) AS DOUBLE) / NULLIF(
    (
      CAST(usage_1_month_earlier.usage_cost__1_month_earlier AS DOUBLE) / NULLIF(CAST(usage_1_month_earlier.usage_tokens__1_month_earlier AS DOUBLE), 0)
    ),
    0
  ) AS price_grew
FROM keys
LEFT JOIN usage_of_period
  ON keys.region IS NOT DISTINCT FROM usage_of_period.region
  AND keys.time IS NOT DISTINCT FROM usage_of_period.time
LEFT JOIN usage_1_month_earlier
  ON keys.region IS NOT DISTINCT FROM usage_1_month_earlier.region
  AND keys.time IS NOT DISTINCT FROM usage_1_month_earlier.time
ORDER BY
  time ASC,
  region ASC

-- by hand
with prices as (
  select region, cast(date_trunc('month', used_on) as date) as month, cast(sum(cost_usd) as double) / sum(tokens) as price
  from usage
  where used_on is not null
  group by all
),
asked as (
  select region, month from prices
  union
  select region, cast(month + interval 1 month as date) from prices
)
select a.region, a.month as time, now.price as usage_price, (now.price - before.price) / before.price as price_grew
from asked a
left join prices now on now.region is not distinct from a.region and now.month = a.month
left join prices before on before.region is not distinct from a.region and before.month + interval 1 month = a.month
where a.month between '2026-02-01' and '2026-03-01'
order by a.month, a.region nulls last
