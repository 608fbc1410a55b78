-- The deviation of a sample divides by one less than its size, so planners, of whom one run is known, have none.
-- metrics: [run_tokens_spread]
-- by: [agent]

-- compiled
WITH runs_by_agent AS (
  SELECT
    runs.agent AS agent,
    STDDEV_SAMP(runs.tokens) AS run_tokens_spread
  FROM runs AS runs
  GROUP BY
    1
)
SELECT
  runs_by_agent.agent AS agent,
  runs_by_agent.run_tokens_spread AS run_tokens_spread
FROM runs_by_agent
ORDER BY
  agent ASC

-- by hand
with means as (select agent, avg(tokens) as mean, count(tokens) as n from runs group by agent)
select means.agent, case when n > 1 then sqrt(sum((tokens - mean) ** 2) / (n - 1)) end as run_tokens_spread
from means join runs on runs.agent is not distinct from means.agent
group by means.agent, n
order by means.agent nulls last
