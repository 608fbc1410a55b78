-- Without a range, rows without a time are a row of their own; the quarters are those from the first row of either fact to the last.
-- metrics: [runs, usages]
-- grain: quarter

-- compiled
-- p1: 2026-05-02
WITH runs_by_quarter AS (
  SELECT
    CAST(DATE_TRUNC('QUARTER', runs.started_at) AS DATE) AS time,
    COUNT(*) AS runs
  FROM runs AS runs
  GROUP BY
    1
), usage_by_quarter AS (
  SELECT
    CAST(DATE_TRUNC('QUARTER', usage.used_on) AS DATE) AS time,
    COUNT(*) AS usages
  FROM usage AS usage
  WHERE
    (
      usage.used_on < $p1 OR usage.used_on IS NULL
    )
  GROUP BY
    1
), periods AS (
  SELECT
    CAST(time AS DATE) AS time
  FROM (
    SELECT
      UNNEST(
        GENERATE_SERIES(
          (
            SELECT
              MIN(day)
            FROM (
              SELECT
                CAST(MIN(runs_by_quarter.time) AS DATE) AS day
              FROM runs_by_quarter
              UNION
              SELECT
                CAST(MIN(usage_by_quarter.time) AS DATE) AS day
              FROM usage_by_quarter
            ) AS bounds
          ),
          (
            SELECT
              MAX(day)
            FROM (
              SELECT
                CAST(MAX(runs_by_quarter.time) AS DATE) AS day
              FROM runs_by_quarter
              UNION
              SELECT
                CAST(MAX(usage_by_quarter.time) AS DATE) AS day
              FROM usage_by_quarter
            ) AS bounds
          ),
          INTERVAL '3' MONTH
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
  FROM runs_by_quarter
  UNION
  SELECT
    time
  FROM usage_by_quarter
)
SELECT
  keys.time AS time,
  COALESCE(runs_by_quarter.runs, 0) AS runs,
  COALESCE(usage_by_quarter.usages, 0) AS usages
FROM keys
LEFT JOIN runs_by_quarter
  ON keys.time IS NOT DISTINCT FROM runs_by_quarter.time
LEFT JOIN usage_by_quarter
  ON keys.time IS NOT DISTINCT FROM usage_by_quarter.time
ORDER BY
  time ASC

-- by hand
with quarters as (
  select * from (values (date '2025-10-01'), (date '2026-01-01'), (date '2026-04-01'), (null)) as q(quarter)
)
select quarter as time,
  (select count(*) from runs where date_trunc('quarter', started_at) is not distinct from quarter) as runs,
  (select count(*) from usage
   where date_trunc('quarter', used_on) is not distinct from quarter and (used_on <= '2026-05-01' or used_on is null)) as usages
from quarters
order by quarter nulls last
