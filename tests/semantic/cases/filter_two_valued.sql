-- A session whose result is not known differs from failure, and is not among the successes.
-- metrics: [sessions]
-- by: [result]
-- where: result <> 'failure' and not (agent = 'writer' and is_root = false)

-- compiled
-- p1: failure
-- p2: writer
-- p3: False
WITH sessions_by_result AS (
  SELECT
    sessions.result AS result,
    COUNT(*) AS sessions
  FROM sessions AS sessions
  WHERE
    (
      sessions.result IS DISTINCT FROM $p1
      AND NOT COALESCE((
        sessions.agent = $p2 AND sessions.is_root = $p3
      ), FALSE)
    )
  GROUP BY
    1
)
SELECT
  sessions_by_result.result AS result,
  sessions_by_result.sessions AS sessions
FROM sessions_by_result
ORDER BY
  result ASC

-- by hand
select result, count(*) as sessions
from sessions
where coalesce(result, '') <> 'failure' and not (coalesce(agent, '') = 'writer' and coalesce(is_root, true) = false)
group by result
order by result nulls last
