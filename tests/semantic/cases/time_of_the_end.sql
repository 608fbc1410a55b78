-- A metric may read another time: the run over midnight of 31 March ended in April, one that never ended is in no month.
-- metrics: [runs, runs_ended]
-- grain: month
-- start: 2026-03-01
-- end: 2026-05-01

-- compiled
-- p1: 2026-03-01 00:00:00
-- p2: 2026-05-01 00:00:00
-- p3: 2026-03-01
-- p4: 2026-04-30
WITH runs_by_month AS (
  SELECT
    CAST(DATE_TRUNC('MONTH', runs.started_at) AS DATE) AS time,
    COUNT(*) AS runs
  FROM runs AS runs
  WHERE
    runs.started_at >= $p1 AND runs.started_at < $p2
  GROUP BY
    1
), runs__2_by_month AS (
  SELECT
    CAST(DATE_TRUNC('MONTH', runs.ended_at) AS DATE) AS time,
    COUNT(*) AS runs_ended
  FROM runs AS runs
  WHERE
    runs.ended_at >= $p1 AND runs.ended_at < $p2
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
  COALESCE(runs_by_month.runs, 0) AS runs,
  COALESCE(runs__2_by_month.runs_ended, 0) AS runs_ended
FROM periods
LEFT JOIN runs_by_month
  ON periods.time IS NOT DISTINCT FROM runs_by_month.time
LEFT JOIN runs__2_by_month
  ON periods.time IS NOT DISTINCT FROM runs__2_by_month.time
ORDER BY
  time ASC

-- by hand
select month as time,
  (select count(*) from runs where started_at >= month and started_at < month + interval 1 month) as runs,
  (select count(*) from runs where ended_at >= month and ended_at < month + interval 1 month) as runs_ended
from (values (date '2026-03-01'), (date '2026-04-01')) as months(month)
order by month
