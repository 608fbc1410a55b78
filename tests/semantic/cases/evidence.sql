-- What stands behind each value: how many rows, and how many of them do not know it.
-- metrics: [cost_per_session]
-- by: [agent]
-- where: is_root
-- evidence: true

-- compiled
-- p1: True
WITH calls_by_agent AS (
  SELECT
    session.agent AS agent,
    SUM(calls.cost_usd) AS cost,
    COUNT(*) AS cost__rows,
    COUNT(*) FILTER(WHERE
      calls.cost_usd IS NULL) AS cost__unknown
  FROM calls AS calls
  LEFT JOIN sessions AS session
    ON calls.session_id = session.session_id
  WHERE
    session.is_root = $p1
  GROUP BY
    1
), sessions_by_agent AS (
  SELECT
    sessions.agent AS agent,
    COUNT(*) AS sessions
  FROM sessions AS sessions
  WHERE
    sessions.is_root = $p1
  GROUP BY
    1
), keys AS (
  SELECT
    agent
  FROM calls_by_agent
  UNION
  SELECT
    agent
  FROM sessions_by_agent
)
SELECT
  keys.agent AS agent,
  CAST(CASE WHEN calls_by_agent.cost__rows IS NULL THEN 0 ELSE calls_by_agent.cost END AS DOUBLE) / NULLIF(CAST(COALESCE(sessions_by_agent.sessions, 0) AS DOUBLE), 0) AS cost_per_session,
  CASE WHEN calls_by_agent.cost__rows IS NULL THEN 0 ELSE calls_by_agent.cost END AS cost,
  COALESCE(sessions_by_agent.sessions, 0) AS sessions,
  COALESCE(calls_by_agent.cost__rows, 0) AS cost__rows,
  COALESCE(calls_by_agent.cost__unknown, 0) AS cost__unknown
FROM keys
LEFT JOIN calls_by_agent
  ON keys.agent IS NOT DISTINCT FROM calls_by_agent.agent
LEFT JOIN sessions_by_agent
  ON keys.agent IS NOT DISTINCT FROM sessions_by_agent.agent
ORDER BY
  agent ASC

-- by hand
with known as (
  select s.agent, count(distinct s.session_id) as n, sum(cost_usd) as usd, count(c.call_id) as calls,
    count(c.call_id) - count(cost_usd) as unknown
  from sessions s left join calls c using (session_id)
  where s.is_root
  group by s.agent
)
select agent, cast(usd as double) / n as cost_per_session, usd as cost, n as sessions, calls as cost__rows, unknown as cost__unknown
from known
order by agent nulls last
