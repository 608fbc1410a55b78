-- A formula varied by a condition: both the cost and the tokens are those of small models.
-- metrics: [usage_price, small_price]
-- by: [region]
-- start: 2026-01-01
-- end: 2026-04-01

-- compiled
-- p1: 2026-01-01
-- p2: 2026-04-01
WITH usage_by_region AS (
  SELECT
    usage.region AS region,
    SUM(usage.cost_usd) AS usage_cost,
    CAST(SUM(usage.tokens) AS BIGINT) AS usage_tokens,
    SUM(usage.cost_usd) FILTER(WHERE
      usage.model = 'small') AS small_price__usage_cost,
    CAST(SUM(usage.tokens) FILTER(WHERE
      usage.model = 'small') AS BIGINT) AS small_price__usage_tokens
  FROM usage AS usage
  WHERE
    usage.used_on >= $p1 AND usage.used_on < $p2
  GROUP BY
    1
)
SELECT
  usage_by_region.region AS region,
  CAST(usage_by_region.usage_cost AS DOUBLE) / NULLIF(CAST(usage_by_region.usage_tokens AS DOUBLE), 0) AS usage_price,
  CAST(usage_by_region.small_price__usage_cost AS DOUBLE) / NULLIF(CAST(usage_by_region.small_price__usage_tokens AS DOUBLE), 0) AS small_price
FROM usage_by_region
ORDER BY
  region ASC

-- by hand
select region,
  cast(sum(cost_usd) as double) / sum(tokens) as usage_price,
  cast(sum(case when model = 'small' then cost_usd end) as double) / sum(case when model = 'small' then tokens end) as small_price
from usage
where used_on between '2026-01-01' and '2026-03-31'
group by region
order by region nulls last
