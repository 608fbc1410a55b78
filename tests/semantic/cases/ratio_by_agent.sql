-- A ratio is the ratio of the sums, and agents that are not known are a group of their own.
-- metrics: [success_rate]
-- by: [agent]

-- compiled
WITH sessions_by_agent AS (
  SELECT
    sessions.agent AS agent,
    COUNT(*) FILTER(WHERE
      sessions.result = 'success') AS successes,
    COUNT(*) AS sessions
  FROM sessions AS sessions
  GROUP BY
    1
)
SELECT
  sessions_by_agent.agent AS agent,
  CAST(sessions_by_agent.successes AS DOUBLE) / NULLIF(CAST(sessions_by_agent.sessions AS DOUBLE), 0) AS success_rate
FROM sessions_by_agent
ORDER BY
  agent ASC

-- by hand
select agent, 1.0 * sum(case when result = 'success' then 1 else 0 end) / count(*) as success_rate
from sessions
group by agent
order by agent nulls last
