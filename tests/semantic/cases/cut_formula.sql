-- A formula without a key is the quotient of the totals without it, not a mean of the regions' or the months' prices.
-- metrics: [usage_price, price_of_all_regions, price_of_the_region]
-- by: [region]
-- grain: month
-- start: 2026-02-01
-- end: 2026-04-01

-- compiled
-- p1: 2026-02-01
-- p2: 2026-04-01
WITH usage_by_region_and_month AS (
  SELECT
    usage.region AS region,
    CAST(DATE_TRUNC('MONTH', usage.used_on) AS DATE) AS time,
    SUM(usage.cost_usd) AS usage_cost,
    CAST(SUM(usage.tokens) AS BIGINT) AS usage_tokens
  FROM usage AS usage
  WHERE
    usage.used_on >= $p1 AND usage.used_on < $p2
  GROUP BY
    1,
    2
)
SELECT
  usage_by_region_and_month.region AS region,
  usage_by_region_and_month.time AS time,
  CAST(usage_by_region_and_month.usage_cost AS DOUBLE) / NULLIF(CAST(usage_by_region_and_month.usage_tokens AS DOUBLE), 0) AS usage_price,
  CAST(SUM(usage_by_region_and_month.usage_cost) OVER (PARTITION BY usage_by_region_and_month.time) AS DOUBLE) / NULLIF(
    CAST(CAST(SUM(usage_by_region_and_month.usage_tokens) OVER (PARTITION BY usage_by_region_and_month.time) AS BIGINT) AS DOUBLE),
    0
  ) AS price_of_all_regions,
  CAST(SUM(usage_by_region_and_month.usage_cost) OVER (PARTITION BY usage_by_region_and_month.region) AS DOUBLE) / NULLIF(
    CAST(CAST(SUM(usage_by_region_and_month.usage_tokens) OVER (PARTITION BY usage_by_region_and_month.region) AS BIGINT) AS DOUBLE),
    0
  ) AS price_of_the_region
FROM usage_by_region_and_month
ORDER BY
  time ASC,
  region ASC

-- by hand
with asked as (
  select region, cast(date_trunc('month', used_on) as date) as month, cast(cost_usd as double) as usd, tokens
  from usage
  where used_on between '2026-02-01' and '2026-03-31'
)
select region, month as time, sum(usd) / sum(tokens) as usage_price,
  (select sum(usd) / sum(tokens) from asked b where b.month = a.month) as price_of_all_regions,
  (select sum(usd) / sum(tokens) from asked b where b.region is not distinct from a.region) as price_of_the_region
from asked a
group by region, month
order by month, region nulls last
