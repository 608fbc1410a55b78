-- The whole of a share counts the models that the answer does not show.
-- metrics: [usage_cost, share_of_models]
-- by: [model]
-- start: 2026-01-01
-- end: 2026-04-01
-- having: usage_cost <= 20

-- compiled
-- p1: 2026-01-01
-- p2: 2026-04-01
-- p3: 20
WITH usage_by_model AS (
  SELECT
    usage.model AS model,
    SUM(usage.cost_usd) AS usage_cost
  FROM usage AS usage
  WHERE
    usage.used_on >= $p1 AND usage.used_on < $p2
  GROUP BY
    1
)
SELECT
  model,
  usage_cost,
  share_of_models
FROM (
  SELECT
    usage_by_model.model AS model,
    usage_by_model.usage_cost AS usage_cost,
    CAST(usage_by_model.usage_cost AS DOUBLE) / NULLIF(CAST(SUM(usage_by_model.usage_cost) OVER () AS DOUBLE), 0) AS share_of_models
  FROM usage_by_model
) AS ranked
WHERE
  usage_cost <= $p3
ORDER BY
  model ASC

-- by hand
with asked as (select * from usage where used_on between '2026-01-01' and '2026-03-31')
select model, sum(cost_usd) as usage_cost, cast(sum(cost_usd) as double) / (select sum(cost_usd) from asked) as share_of_models
from asked
group by model
having sum(cost_usd) <= 20
order by model
