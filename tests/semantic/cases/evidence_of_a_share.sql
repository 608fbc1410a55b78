-- Behind a share stand the rows of its whole, too: one of the seven of the west does not know its cost, so all shares there are partial.
-- metrics: [share_of_models]
-- by: [region, model]
-- start: 2026-01-01
-- end: 2026-04-01
-- evidence: true

-- compiled
-- p1: 2026-01-01
-- p2: 2026-04-01
WITH usage_by_region_and_model AS (
  SELECT
    usage.region AS region,
    usage.model AS model,
    SUM(usage.cost_usd) AS usage_cost,
    COUNT(*) AS usage_cost__rows,
    COUNT(*) FILTER(WHERE
      usage.cost_usd IS NULL) AS usage_cost__unknown
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
  CAST(usage_by_region_and_model.usage_cost AS DOUBLE) / NULLIF(
    CAST(SUM(usage_by_region_and_model.usage_cost) OVER (PARTITION BY usage_by_region_and_model.region) AS DOUBLE),
    0
  ) AS share_of_models,
  usage_by_region_and_model.usage_cost AS usage_cost,
  SUM(usage_by_region_and_model.usage_cost) OVER (PARTITION BY usage_by_region_and_model.region) AS usage_cost__share_of_model,
  COALESCE(usage_by_region_and_model.usage_cost__rows, 0) AS usage_cost__rows,
  COALESCE(usage_by_region_and_model.usage_cost__unknown, 0) AS usage_cost__unknown,
  CAST(SUM(COALESCE(usage_by_region_and_model.usage_cost__rows, 0)) OVER (PARTITION BY usage_by_region_and_model.region) AS BIGINT) AS usage_cost__share_of_model__rows,
  CAST(SUM(COALESCE(usage_by_region_and_model.usage_cost__unknown, 0)) OVER (PARTITION BY usage_by_region_and_model.region) AS BIGINT) AS usage_cost__share_of_model__unknown
FROM usage_by_region_and_model
ORDER BY
  region ASC,
  model ASC

-- by hand
with costs as (
  select region, model, sum(cost_usd) as usd, count(*) as n, count(*) - count(cost_usd) as unknown
  from usage
  where used_on between '2026-01-01' and '2026-03-31'
  group by region, model
)
select region, model, cast(usd as double) / sum(usd) over (partition by region) as share_of_models,
  usd as usage_cost, sum(usd) over (partition by region) as usage_cost__share_of_model,
  n as usage_cost__rows, unknown as usage_cost__unknown,
  sum(n) over (partition by region) as usage_cost__share_of_model__rows,
  sum(unknown) over (partition by region) as usage_cost__share_of_model__unknown
from costs
order by region nulls last, model
