-- In the west two models share the first place and the next is third; a cost that is not known has no place.
-- metrics: [usage_cost, rank_in_region, cheapest]
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
  region,
  model,
  usage_cost,
  CASE
    WHEN NOT usage_cost IS NULL
    THEN RANK() OVER (PARTITION BY region ORDER BY usage_cost DESC)
  END AS rank_in_region,
  CASE WHEN NOT usage_cost IS NULL THEN RANK() OVER (ORDER BY usage_cost ASC) END AS cheapest
FROM (
  SELECT
    usage_by_region_and_model.region AS region,
    usage_by_region_and_model.model AS model,
    usage_by_region_and_model.usage_cost AS usage_cost
  FROM usage_by_region_and_model
) AS answers
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
select region, model, usd as usage_cost,
  case when usd is not null then
    1 + (select count(*) from costs o where o.region is not distinct from c.region and o.usd > c.usd)
  end as rank_in_region,
  case when usd is not null then 1 + (select count(*) from costs o where o.usd < c.usd) end as cheapest
from costs c
order by region nulls last, model
