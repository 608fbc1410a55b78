-- Who is first stays first though the answer does not show him: ranks are given before rows are dropped.
-- metrics: [run_tokens, run_tokens_rank]
-- by: [agent]
-- having: run_tokens_rank > 1 and run_tokens > 40

-- compiled
-- p1: 1
-- p2: 40
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
  run_tokens,
  run_tokens_rank
FROM (
  SELECT
    agent,
    run_tokens,
    CASE WHEN NOT run_tokens IS NULL THEN RANK() OVER (ORDER BY run_tokens DESC) END AS run_tokens_rank
  FROM (
    SELECT
      runs_by_agent.agent AS agent,
      runs_by_agent.run_tokens AS run_tokens
    FROM runs_by_agent
  ) AS answers
) AS ranked
WHERE
  (
    run_tokens_rank > $p1 AND run_tokens > $p2
  )
ORDER BY
  agent ASC

-- by hand
with totals as (select agent, sum(tokens) as t from runs group by agent),
places as (select agent, t, 1 + (select count(*) from totals o where o.t > totals.t) as place from totals where t is not null)
select agent, t as run_tokens, place as run_tokens_rank
from places
where place > 1 and t > 40
order by agent nulls last
