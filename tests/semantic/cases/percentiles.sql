-- Between two values, or one that occurs: a quarter of the writers' four runs used more than 450, the third used 300.
-- metrics: [run_tokens_p75, run_tokens_p75_seen]
-- by: [agent]

-- compiled
WITH runs_by_agent AS (
  SELECT
    runs.agent AS agent,
    QUANTILE_CONT(runs.tokens, 0.75) AS run_tokens_p75,
    QUANTILE_DISC(runs.tokens, 0.75) AS run_tokens_p75_seen
  FROM runs AS runs
  GROUP BY
    1
)
SELECT
  runs_by_agent.agent AS agent,
  runs_by_agent.run_tokens_p75 AS run_tokens_p75,
  runs_by_agent.run_tokens_p75_seen AS run_tokens_p75_seen
FROM runs_by_agent
ORDER BY
  agent ASC

-- by hand
with known as (
  select agent, list(tokens order by tokens) as t, count(*) as n
  from runs
  where tokens is not null
  group by agent
),
placed as (
  select *, 0.75 * (n - 1) as place, cast(floor(0.75 * (n - 1)) as integer) + 1 as below, cast(ceil(0.75 * n) as integer) as first
  from known
)
select agents.agent,
  t[below] + (place + 1 - below) * (t[least(below + 1, n)] - t[below]) as run_tokens_p75,
  t[first] as run_tokens_p75_seen
from (select distinct agent from runs) as agents left join placed on placed.agent is not distinct from agents.agent
order by agents.agent nulls last
