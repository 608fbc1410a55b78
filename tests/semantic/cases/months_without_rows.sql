-- Every month of the range has a row: 0 where empty means zero, and a count of nothing is 0.
-- metrics: [sessions, cost, failed_cost, median_call]
-- grain: month
-- start: 2025-12-01
-- end: 2026-04-01

-- compiled
-- p1: 2025-12-01 00:00:00
-- p2: 2026-04-01 00:00:00
-- p3: 2026-04-01
-- p4: 2026-03-31
-- p5: 2025-12-01
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
    COUNT(*) FILTER(WHERE
      calls.cost_usd IS NULL) AS cost__unknown,
    CASE
      WHEN COUNT(*) FILTER(WHERE
        session.result = 'failure') = 0
      THEN 0
      ELSE SUM(calls.cost_usd) FILTER(WHERE
        session.result = 'failure')
    END AS failed_cost,
    COUNT(*) FILTER(WHERE
      session.result = 'failure') AS failed_cost__rows,
    COUNT(*) FILTER(WHERE
      session.result = 'failure' AND calls.cost_usd IS NULL) AS failed_cost__unknown,
    QUANTILE_CONT(calls.cost_usd, 0.5) AS median_call,
    COUNT(*) AS median_call__rows,
    COUNT(*) FILTER(WHERE
      calls.cost_usd IS NULL) AS median_call__unknown
  FROM calls AS calls
  LEFT JOIN sessions AS session
    ON calls.session_id = session.session_id
  WHERE
    calls.called_at >= $p1 AND calls.called_at < $p2
  GROUP BY
    1
), periods AS (
  SELECT
    CAST(time AS DATE) AS time,
    LEAST(CAST(time + INTERVAL '1' MONTH AS DATE), CAST($p3 AS DATE)) AS ends_on,
    LEAST(
      CAST(CAST(time + INTERVAL '1' MONTH AS DATE) + INTERVAL (-1) DAY AS DATE),
      CAST($p4 AS DATE)
    ) AS known_on
  FROM (
    SELECT
      UNNEST(
        GENERATE_SERIES(
          CAST(DATE_TRUNC('MONTH', CAST($p5 AS DATE)) AS DATE),
          CAST(CAST($p3 AS DATE) + INTERVAL (-1) DAY AS DATE),
          INTERVAL '1' MONTH
        )
      ) AS time
  ) AS starts
), keys AS (
  SELECT
    time
  FROM periods
  UNION
  SELECT
    time
  FROM sessions_by_month
  UNION
  SELECT
    time
  FROM calls_by_month
)
SELECT
  keys.time AS time,
  COALESCE(sessions_by_month.sessions, 0) AS sessions,
  CASE WHEN calls_by_month.cost__rows IS NULL THEN 0 ELSE calls_by_month.cost END AS cost,
  CASE
    WHEN calls_by_month.failed_cost__rows IS NULL
    THEN 0
    ELSE calls_by_month.failed_cost
  END AS failed_cost,
  calls_by_month.median_call AS median_call
FROM keys
LEFT JOIN sessions_by_month
  ON keys.time IS NOT DISTINCT FROM sessions_by_month.time
LEFT JOIN calls_by_month
  ON keys.time IS NOT DISTINCT FROM calls_by_month.time
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
