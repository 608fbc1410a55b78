-- Every month of the range has a row: 0 where empty means zero, and a count of nothing is 0.
-- metrics: [sessions, cost, failed_cost, median_call]
-- grain: month
-- start: 2025-12-01
-- end: 2026-04-01

-- compiled
-- p1: 2025-12-01 00:00:00
-- p2: 2026-04-01 00:00:00
-- p3: 2025-12-01
-- p4: 2026-03-31
WITH sessions_by_month AS (
  SELECT
    CAST(DATE_TRUNC('MONTH', sessions.started_at) AS DATE) AS time,
    COUNT(*) AS sessions
  FROM sessions AS sessions
  WHERE
    sessions.started_at >= $p1 AND sessions.started_at < $p2
  GROUP BY
    1
), calls_by_month AS (
  SELECT
    CAST(DATE_TRUNC('MONTH', calls.called_at) AS DATE) AS time,
    SUM(calls.cost_usd) AS cost,
    COUNT(*) AS cost__rows,
    CASE
      WHEN COUNT(*) FILTER(WHERE
        session.result = 'failure') = 0
      THEN 0
      ELSE SUM(calls.cost_usd) FILTER(WHERE
        session.result = 'failure')
    END AS failed_cost,
    COUNT(*) FILTER(WHERE
      session.result = 'failure') AS failed_cost__rows,
    QUANTILE_CONT(calls.cost_usd, 0.5) AS median_call
  FROM calls AS calls
  LEFT JOIN sessions AS session
    ON calls.session_id = session.session_id
  WHERE
    calls.called_at >= $p1 AND calls.called_at < $p2
  GROUP BY
    1
), periods AS (
  SELECT
    CAST(time AS DATE) AS time
  FROM (
    SELECT
      UNNEST(GENERATE_SERIES(CAST($p3 AS DATE), CAST($p4 AS DATE), INTERVAL '1' MONTH)) AS time
  ) AS starts
)
SELECT
  periods.time AS time,
  COALESCE(sessions_by_month.sessions, 0) AS sessions,
  CASE WHEN calls_by_month.cost__rows IS NULL THEN 0 ELSE calls_by_month.cost END AS cost,
  CASE
    WHEN calls_by_month.failed_cost__rows IS NULL
    THEN 0
    ELSE calls_by_month.failed_cost
  END AS failed_cost,
  calls_by_month.median_call AS median_call
FROM periods
LEFT JOIN sessions_by_month
  ON periods.time IS NOT DISTINCT FROM sessions_by_month.time
LEFT JOIN calls_by_month
  ON periods.time IS NOT DISTINCT FROM calls_by_month.time
ORDER BY
  time ASC

-- by hand
with months(m) as (values (date '2025-12-01'), (date '2026-01-01'), (date '2026-02-01'), (date '2026-03-01'))
select m as time,
  (select count(*) from sessions where date_trunc('month', started_at) = m) as sessions,
  coalesce((select sum(cost_usd) from calls where date_trunc('month', called_at) = m), 0) as cost,
  coalesce((
    select sum(cost_usd) from calls join sessions using (session_id)
    where result = 'failure' and date_trunc('month', called_at) = m
  ), 0) as failed_cost,
  (select median(cost_usd) from calls where date_trunc('month', called_at) = m) as median_call
from months
order by m
