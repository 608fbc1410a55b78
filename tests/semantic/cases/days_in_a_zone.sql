-- New York's day of 2026-03-08 has 23 hours: it ends at 04:00 UTC on the 9th, not at 05:00.
-- metrics: [sessions, calls]
-- grain: day
-- zone: America/New_York
-- start: 2026-03-07
-- end: 2026-03-10

-- compiled
-- p1: 2026-03-07 05:00:00
-- p2: 2026-03-10 04:00:00
-- p3: 2026-03-07
-- p4: 2026-03-09
WITH sessions_by_day AS (
  SELECT
    CAST(sessions.started_at AT TIME ZONE 'UTC' AT TIME ZONE 'America/New_York' AS DATE) AS time,
    COUNT(*) AS sessions
  FROM sessions AS sessions
  WHERE
    sessions.started_at >= $p1 AND sessions.started_at < $p2
  GROUP BY
    1
), calls_by_day AS (
  SELECT
    CAST(calls.called_at AT TIME ZONE 'UTC' AT TIME ZONE 'America/New_York' AS DATE) AS time,
    COUNT(*) AS calls
  FROM calls AS calls
  WHERE
    calls.called_at >= $p1 AND calls.called_at < $p2
  GROUP BY
    1
), periods AS (
  SELECT
    CAST(time AS DATE) AS time
  FROM (
    SELECT
      UNNEST(GENERATE_SERIES(CAST($p3 AS DATE), CAST($p4 AS DATE), INTERVAL '1' DAY)) AS time
  ) AS starts
)
SELECT
  periods.time AS time,
  COALESCE(sessions_by_day.sessions, 0) AS sessions,
  COALESCE(calls_by_day.calls, 0) AS calls
FROM periods
LEFT JOIN sessions_by_day
  ON periods.time IS NOT DISTINCT FROM sessions_by_day.time
LEFT JOIN calls_by_day
  ON periods.time IS NOT DISTINCT FROM calls_by_day.time
ORDER BY
  time ASC

-- by hand
with days(d, since, until) as (
  values (date '2026-03-07', timestamp '2026-03-07 05:00', timestamp '2026-03-08 05:00'),
         (date '2026-03-08', timestamp '2026-03-08 05:00', timestamp '2026-03-09 04:00'),
         (date '2026-03-09', timestamp '2026-03-09 04:00', timestamp '2026-03-10 04:00')
)
select d as time,
  (select count(*) from sessions where started_at >= since and started_at < until) as sessions,
  (select count(*) from calls where called_at >= since and called_at < until) as calls
from days
order by d
