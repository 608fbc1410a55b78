-- In Tokyo the run of 31 March 23:50 UTC is one of April; the date on which it is billed is the same in every zone.
-- metrics: [runs, runs_billed]
-- grain: month
-- zone: Asia/Tokyo
-- start: 2026-03-01
-- end: 2026-05-01

-- compiled
-- p1: 2026-02-28 15:00:00
-- p2: 2026-04-30 15:00:00
-- p3: 2026-03-01
-- p4: 2026-05-01
-- p5: 2026-04-30
WITH runs_by_month AS (
  SELECT
    CAST(DATE_TRUNC('MONTH', runs.started_at AT TIME ZONE 'UTC' AT TIME ZONE 'Asia/Tokyo') AS DATE) AS time,
    COUNT(*) AS runs
  FROM runs AS runs
  WHERE
    runs.started_at >= $p1 AND runs.started_at < $p2
  GROUP BY
    1
), runs__2_by_month AS (
  SELECT
    CAST(DATE_TRUNC('MONTH', runs.billed_on) AS DATE) AS time,
    COUNT(*) AS runs_billed
  FROM runs AS runs
  WHERE
    runs.billed_on >= $p3 AND runs.billed_on < $p4
  GROUP BY
    1
), periods AS (
  SELECT
    CAST(time AS DATE) AS time
  FROM (
    SELECT
      UNNEST(GENERATE_SERIES(CAST($p3 AS DATE), CAST($p5 AS DATE), INTERVAL '1' MONTH)) AS time
  ) AS starts
)
SELECT
  periods.time AS time,
  COALESCE(runs_by_month.runs, 0) AS runs,
  COALESCE(runs__2_by_month.runs_billed, 0) AS runs_billed
FROM periods
LEFT JOIN runs_by_month
  ON periods.time IS NOT DISTINCT FROM runs_by_month.time
LEFT JOIN runs__2_by_month
  ON periods.time IS NOT DISTINCT FROM runs__2_by_month.time
ORDER BY
  time ASC

-- by hand
select first_day as time,
  (select count(*) from runs where started_at >= since and started_at < until) as runs,
  (select count(*) from runs where monthname(billed_on) = name and year(billed_on) = 2026) as runs_billed
from (
  values (date '2026-03-01', timestamp '2026-02-28 15:00', timestamp '2026-03-31 15:00', 'March'),
         (date '2026-04-01', timestamp '2026-03-31 15:00', timestamp '2026-04-30 15:00', 'April')
) as months(first_day, since, until, name)
order by first_day
