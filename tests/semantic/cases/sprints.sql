-- Sprints of two weeks are counted from one of them in both directions; the sprint before is read whole where the range cuts it.
-- metrics: [usage_cost, cost_two_weeks_before]
-- grain: sprint
-- start: 2026-02-15
-- end: 2026-04-01

-- compiled
-- p1: 2026-02-15
-- p2: 2026-04-01
-- p3: 2026-01-21
-- p4: 2026-02-04
-- p5: 2026-03-31
WITH usage_by_sprint AS (
  SELECT
    CAST(CAST(usage.used_on AS DATE) + INTERVAL (-(
      (
        (
          DATE_DIFF('DAY', CAST('2026-03-04' AS DATE), CAST(usage.used_on AS DATE))
        ) % 14 + 14
      ) % 14
    )) DAY AS DATE) AS time,
    SUM(usage.cost_usd) AS usage_cost
  FROM usage AS usage
  WHERE
    usage.used_on >= $p1 AND usage.used_on < $p2
  GROUP BY
    1
), usage_each_sprint AS (
  SELECT
    CAST(CAST(usage.used_on AS DATE) + INTERVAL (-(
      (
        (
          DATE_DIFF('DAY', CAST('2026-03-04' AS DATE), CAST(usage.used_on AS DATE))
        ) % 14 + 14
      ) % 14
    )) DAY AS DATE) AS time,
    SUM(usage.cost_usd) AS cost_two_weeks_before,
    COUNT(*) AS cost_two_weeks_before__rows
  FROM usage AS usage
  WHERE
    usage.used_on >= $p3 AND usage.used_on < $p2
  GROUP BY
    1
), periods AS (
  SELECT
    CAST(time AS DATE) AS time
  FROM (
    SELECT
      UNNEST(GENERATE_SERIES(CAST($p4 AS DATE), CAST($p5 AS DATE), INTERVAL '14' DAY)) AS time
  ) AS starts
), periods__2_weeks_earlier AS (
  SELECT
    periods.time AS time,
    CAST(periods.time + INTERVAL (-14) DAY AS DATE) AS then_time
  FROM periods
), usage_2_weeks_earlier AS (
  SELECT
    periods__2_weeks_earlier.time AS time,
    CASE
      WHEN COALESCE(usage_each_sprint.cost_two_weeks_before__rows, 0) = 0
      THEN 0
      ELSE usage_each_sprint.cost_two_weeks_before
    END AS cost_two_weeks_before,
    CAST(COALESCE(usage_each_sprint.cost_two_weeks_before__rows, 0) AS BIGINT) AS cost_two_weeks_before__rows
  FROM periods__2_weeks_earlier
  LEFT JOIN usage_each_sprint
    ON usage_each_sprint.time IS NOT DISTINCT FROM periods__2_weeks_earlier.then_time
)
SELECT
  periods.time AS time,
  usage_by_sprint.usage_cost AS usage_cost,
  CASE
    WHEN usage_2_weeks_earlier.cost_two_weeks_before__rows IS NULL
    THEN 0
    ELSE usage_2_weeks_earlier.cost_two_weeks_before
  END AS cost_two_weeks_before
FROM periods
LEFT JOIN usage_by_sprint
  ON periods.time IS NOT DISTINCT FROM usage_by_sprint.time
LEFT JOIN usage_2_weeks_earlier
  ON periods.time IS NOT DISTINCT FROM usage_2_weeks_earlier.time
ORDER BY
  time ASC

-- by hand
select sprint as time,
  (select sum(cost_usd) from usage where used_on >= greatest(sprint, date '2026-02-15') and used_on < sprint + 14) as usage_cost,
  (select sum(cost_usd) from usage where used_on >= sprint - 14 and used_on < sprint) as cost_two_weeks_before
from (values (date '2026-02-04'), (date '2026-02-18'), (date '2026-03-04'), (date '2026-03-18')) as sprints(sprint)
order by sprint
