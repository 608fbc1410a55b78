-- Where weeks start on Sunday, the runs of Sunday 8 March open the second week.
-- metrics: [runs]
-- grain: week
-- start: 2026-03-01
-- end: 2026-03-15
-- week_start: sunday

-- compiled
-- p1: 2026-03-01 00:00:00
-- p2: 2026-03-15 00:00:00
-- p3: 2026-03-01
-- p4: 2026-03-14
WITH runs_by_week AS (
  SELECT
    CAST(CAST(runs.started_at AS DATE) + INTERVAL (-(
      (
        (
          DATE_DIFF('DAY', CAST('1900-01-07' AS DATE), CAST(runs.started_at AS DATE))
        ) % 7 + 7
      ) % 7
    )) DAY AS DATE) AS time,
    COUNT(*) AS runs
  FROM runs AS runs
  WHERE
    runs.started_at >= $p1 AND runs.started_at < $p2
  GROUP BY
    1
), periods AS (
  SELECT
    CAST(time AS DATE) AS time
  FROM (
    SELECT
      UNNEST(GENERATE_SERIES(CAST($p3 AS DATE), CAST($p4 AS DATE), INTERVAL '7' DAY)) AS time
  ) AS starts
)
SELECT
  periods.time AS time,
  COALESCE(runs_by_week.runs, 0) AS runs
FROM periods
LEFT JOIN runs_by_week
  ON periods.time IS NOT DISTINCT FROM runs_by_week.time
ORDER BY
  time ASC

-- by hand
select sunday as time, count(run_id) as runs
from (values (date '2026-03-01'), (date '2026-03-08')) as weeks(sunday)
left join runs on started_at >= sunday and started_at < sunday + interval 7 day
group by sunday
order by sunday
