-- A null customer is no customer, so planners have none; an estimate of a handful is the exact count.
-- metrics: [customers]
-- by: [agent]

-- compiled
WITH runs_by_agent AS (
  SELECT
    runs.agent AS agent,
    CAST(APPROX_COUNT_DISTINCT(runs.customer) AS BIGINT) AS customers
  FROM runs AS runs
  GROUP BY
    1
)
SELECT
  runs_by_agent.agent AS agent,
  runs_by_agent.customers AS customers
FROM runs_by_agent
ORDER BY
  agent ASC

-- by hand
select agent, count(distinct customer) as customers
from runs
group by agent
order by agent nulls last
