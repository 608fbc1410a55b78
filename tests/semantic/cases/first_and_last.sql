-- The first and the last known value by time; at one instant the key decides, and a run without a time is neither.
-- metrics: [first_tokens, last_tokens]
-- by: [agent]

-- compiled
WITH runs_by_agent AS (
  SELECT
    runs.agent AS agent,
    ARG_MIN(runs.tokens, (runs.started_at, runs.run_id)) FILTER(WHERE
      NOT runs.tokens IS NULL AND NOT runs.started_at IS NULL) AS first_tokens,
    ARG_MAX(runs.tokens, (runs.started_at, runs.run_id)) FILTER(WHERE
      NOT runs.tokens IS NULL AND NOT runs.started_at IS NULL) AS last_tokens
  FROM runs AS runs
  GROUP BY
    1
)
SELECT
  runs_by_agent.agent AS agent,
  runs_by_agent.first_tokens AS first_tokens,
  runs_by_agent.last_tokens AS last_tokens
FROM runs_by_agent
ORDER BY
  agent ASC

-- by hand
select agent,
  (select tokens from runs r
   where r.agent is not distinct from a.agent and tokens is not null and started_at is not null
   order by started_at, run_id limit 1) as first_tokens,
  (select tokens from runs r
   where r.agent is not distinct from a.agent and tokens is not null and started_at is not null
   order by started_at desc, run_id desc limit 1) as last_tokens
from (select distinct agent from runs) as a
order by agent nulls last
