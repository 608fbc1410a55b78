-- Sessions and the cost of their calls: each counted alone, so that two calls do not make two sessions.
-- metrics: [sessions, cost, cost_per_session]
-- by: [agent]

-- compiled
WITH sessions_by_agent AS (
  SELECT
    sessions.agent AS agent,
    COUNT(*) AS sessions
  FROM sessions AS sessions
  GROUP BY
    1
), calls_by_agent AS (
  SELECT
    session.agent AS agent,
    SUM(calls.cost_usd) AS cost,
    COUNT(*) AS cost__rows
  FROM calls AS calls
  LEFT JOIN sessions AS session
    ON calls.session_id = session.session_id
  GROUP BY
    1
), keys AS (
  SELECT
    agent
  FROM sessions_by_agent
  UNION
  SELECT
    agent
  FROM calls_by_agent
)
SELECT
  keys.agent AS agent,
  COALESCE(sessions_by_agent.sessions, 0) AS sessions,
  CASE WHEN calls_by_agent.cost__rows IS NULL THEN 0 ELSE calls_by_agent.cost END AS cost,
  CAST(CASE WHEN calls_by_agent.cost__rows IS NULL THEN 0 ELSE calls_by_agent.cost END AS DOUBLE) / NULLIF(CAST(COALESCE(sessions_by_agent.sessions, 0) AS DOUBLE), 0) AS cost_per_session
FROM keys
LEFT JOIN sessions_by_agent
  ON keys.agent IS NOT DISTINCT FROM sessions_by_agent.agent
LEFT JOIN calls_by_agent
  ON keys.agent IS NOT DISTINCT FROM calls_by_agent.agent
ORDER BY
  agent ASC

-- by hand
with agents as (select distinct agent from sessions union select null),
counted as (
  select a.agent,
    (select count(*) from sessions s where s.agent is not distinct from a.agent) as n,
    (select count(*) from calls c left join sessions s using (session_id) where s.agent is not distinct from a.agent) as calls,
    (select sum(cost_usd) from calls c left join sessions s using (session_id) where s.agent is not distinct from a.agent) as usd
  from agents a
)
select agent, n as sessions, usd as cost, cast(usd as double) / n as cost_per_session
from counted
where n > 0 or calls > 0
order by agent nulls last
