-- Calls of one team: two joins away. A call without a session, or of a stranger, is of no team.
-- metrics: [calls, cost]
-- by: [model]
-- where: team = 'research'

-- compiled
-- p1: research
WITH calls_by_model AS (
  SELECT
    calls.model AS model,
    COUNT(*) AS calls,
    SUM(calls.cost_usd) AS cost
  FROM calls AS calls
  LEFT JOIN sessions AS session
    ON calls.session_id = session.session_id
  LEFT JOIN people AS session__owner
    ON session.owner = session__owner.person_id
  WHERE
    session__owner.team = $p1
  GROUP BY
    1
)
SELECT
  calls_by_model.model AS model,
  calls_by_model.calls AS calls,
  calls_by_model.cost AS cost
FROM calls_by_model
ORDER BY
  model ASC

-- by hand
select model, count(*) as calls, coalesce(sum(cost_usd), 0) as cost
from calls
where session_id in (select session_id from sessions where owner in (select person_id from people where team = 'research'))
group by model
order by model
