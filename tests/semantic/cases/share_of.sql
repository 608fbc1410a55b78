-- The share of a model is its part of all models in its region; over a region of which nothing is known there is none.
-- metrics: [usage_cost, share_of_models]
-- by: [region, model]
-- start: 2026-01-01
-- end: 2026-04-01

-- compiled
-- p1: 2026-01-01
-- p2: 2026-04-01
WITH usage_by_region_and_model AS (
  SELECT
    usage.region AS region,
    usage.model AS model,
    SUM(usage.cost_usd) AS usage_cost
  FROM usage AS usage
  WHERE
    usage.used_on >= $p1 AND usage.used_on < $p2
  GROUP BY
    1,
    2
)
SELECT
  usage_by_region_and_model.region AS region,
  usage_by_region_and_model.model AS model,
  usage_by_region_and_model.usage_cost AS usage_cost,
  CAST(usage_by_region_and_model.usage_cost AS DOUBLE) / NULLIF(
    CAST(SUM(usage_by_region_and_model.usage_cost) OVER (PARTITION BY usage_by_region_and_model.region) AS DOUBLE),
    0
  ) AS share_of_models
FROM usage_by_region_and_model
ORDER BY
  region ASC,
  model ASC

-- by hand
with costs as (
  select region, model, sum(cost_usd) as usd
  from usage
  where used_on between '2026-01-01' and '2026-03-31'
  group by region, model
)
select region, model, usd as usage_cost, cast(usd as double) / (sum(usd) over (partition by region)) as share_of_models
from costs
order by region nulls last, model
