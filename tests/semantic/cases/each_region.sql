-- The mean of the regions' costs: the unknown region is one of them, the north, whose cost is not known, is left out.
-- metrics: [cost_per_region]
-- by: [model]
-- start: 2026-01-01
-- end: 2026-04-01

-- compiled
-- p1: 2026-01-01
-- p2: 2026-04-01
WITH cost_per_region__parts AS (
  WITH usage_by_model_and_region AS (
    SELECT
      usage.model AS model,
      usage.region AS region,
      SUM(usage.cost_usd) AS usage_cost
    FROM usage AS usage
    WHERE
      usage.used_on >= $p1 AND usage.used_on < $p2
    GROUP BY
      1,
      2
  )
  SELECT
    usage_by_model_and_region.model AS model,
    usage_by_model_and_region.region AS region,
    usage_by_model_and_region.usage_cost AS usage_cost
  FROM usage_by_model_and_region
), cost_per_region__each AS (
  SELECT
    cost_per_region__parts.model,
    AVG(cost_per_region__parts.usage_cost) AS cost_per_region,
    COUNT(*) AS cost_per_region__rows,
    COUNT(*) - COUNT(cost_per_region__parts.usage_cost) AS cost_per_region__unknown
  FROM cost_per_region__parts
  GROUP BY
    1
)
SELECT
  cost_per_region__each.model AS model,
  cost_per_region__each.cost_per_region AS cost_per_region
FROM cost_per_region__each
ORDER BY
  model ASC

-- by hand
with costs as (
  select model, region, sum(cost_usd) as usd
  from usage
  where used_on between '2026-01-01' and '2026-03-31'
  group by model, region
)
select model, avg(usd) as cost_per_region
from costs
group by model
order by model
