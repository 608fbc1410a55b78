-- The two dearest models: one row more is fetched, so that the cut is known; unknown cost is last, not first.
-- metrics: [cost, calls]
-- by: [model]
-- order_by: {cost: desc}
-- limit: 2

-- compiled
WITH calls_by_model AS (
  SELECT
    calls.model AS model,
    SUM(calls.cost_usd) AS cost,
    COUNT(*) AS calls
  FROM calls AS calls
  GROUP BY
    1
)
SELECT
  calls_by_model.model AS model,
  calls_by_model.cost AS cost,
  calls_by_model.calls AS calls
FROM calls_by_model
ORDER BY
  cost DESC,
  model ASC
LIMIT 3

-- by hand
select model, sum(cost_usd) as cost, count(*) as calls
from calls
group by model
order by case when sum(cost_usd) is null then 1 else 0 end, sum(cost_usd) desc, model
limit 3
