-- A condition on the values: what is not known is not 120, so it stays.
-- metrics: [run_tokens]
-- by: [agent]
-- having: run_tokens <> 120

-- compiled
-- p1: 120
WITH runs_by_agent AS (
  SELECT
    runs.agent AS agent,
    CAST(SUM(runs.tokens) AS BIGINT) AS run_tokens
  FROM runs AS runs
  GROUP BY
    1
)
SELECT
  agent,
  run_tokens
FROM (
  SELECT
    runs_by_agent.agent AS agent,
    runs_by_agent.run_tokens AS run_tokens
  FROM runs_by_agent
) AS ranked
WHERE
  run_tokens IS DISTINCT FROM $p1
ORDER BY
  agent ASC

-- by hand
select agent, sum(tokens) as run_tokens
from runs
group by agent
having sum(tokens) is null or sum(tokens) <> 120
order by agent nulls last
