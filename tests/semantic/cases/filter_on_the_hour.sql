-- Four o'clock in New York is 9 UTC before 8 March 2026 and 8 UTC from then on; a run without a time is at no hour.
-- metrics: [runs]
-- by: [agent]
-- where: time.hour = 4
-- zone: America/New_York

-- compiled
-- p1: 4
WITH runs_by_agent AS (
  SELECT
    runs.agent AS agent,
    COUNT(*) AS runs
  FROM runs AS runs
  WHERE
    EXTRACT(HOUR FROM runs.started_at AT TIME ZONE 'UTC' AT TIME ZONE 'America/New_York') = $p1
  GROUP BY
    1
)
SELECT
  runs_by_agent.agent AS agent,
  runs_by_agent.runs AS runs
FROM runs_by_agent
ORDER BY
  agent ASC

-- by hand
select agent, count(*) as runs
from runs
where hour(started_at) = case when started_at < '2026-03-08 07:00' then 9 else 8 end
group by agent
order by agent nulls last
