-- A filter with a name and one of the question hold together: the unknown region is not the east, an unknown cost is not below 12.
-- metrics: [usages, usage_cost]
-- by: [region, model]
-- filters: [affordable]
-- where: region <> 'east'

-- compiled
-- p1: 2026-05-02
-- p2: east
WITH usage_by_region_and_model AS (
  SELECT
    usage.region AS region,
    usage.model AS model,
    COUNT(*) AS usages,
    SUM(usage.cost_usd) AS usage_cost
  FROM usage AS usage
  WHERE
    (
      usage.used_on < $p1 OR usage.used_on IS NULL
    )
    AND usage.region IS DISTINCT FROM $p2
    AND (
      usage.cost_usd < 12 OR usage.region = 'north'
    )
  GROUP BY
    1,
    2
)
SELECT
  usage_by_region_and_model.region AS region,
  usage_by_region_and_model.model AS model,
  usage_by_region_and_model.usages AS usages,
  usage_by_region_and_model.usage_cost AS usage_cost
FROM usage_by_region_and_model
ORDER BY
  region ASC,
  model ASC

-- by hand
select region, model, count(*) as usages, sum(cost_usd) as usage_cost
from usage
where (cost_usd < 12 or region = 'north') and (region is null or region <> 'east') and (used_on <= '2026-05-01' or used_on is null)
group by region, model
order by region nulls last, model
