-- The fewest seats of those counted in the month, and the most, where a workspace that was not counted keeps its last count.
-- metrics: [fewest_seats, most_seats]
-- grain: month
-- start: 2026-01-01
-- end: 2026-04-01

-- compiled
-- p1: 2026-04-01
-- p2: 2026-01-01
-- p3: 2026-03-31
WITH seats_spans_per_workspace AS (
  SELECT
    seats.workspace AS entity_workspace,
    seats.counted_on AS from_day,
    LEAD(seats.counted_on) OVER (PARTITION BY seats.workspace ORDER BY seats.counted_on, seats.source) AS until_day,
    seats.seats AS fewest_seats
  FROM seats AS seats
  WHERE
    seats.counted_on < $p1
), seats__2_spans_per_workspace AS (
  SELECT
    seats.workspace AS entity_workspace,
    seats.counted_on AS from_day,
    LEAD(seats.counted_on) OVER (PARTITION BY seats.workspace ORDER BY seats.counted_on, seats.source) AS until_day,
    seats.seats AS most_seats
  FROM seats AS seats
  WHERE
    seats.counted_on < $p1
), periods AS (
  SELECT
    CAST(time AS DATE) AS time,
    LEAST(
      CAST(CAST(time + INTERVAL 1 MONTH AS DATE) + INTERVAL (-1) DAY AS DATE),
      CAST($p3 AS DATE)
    ) AS known_on
  FROM (
    SELECT
      UNNEST(GENERATE_SERIES(CAST($p2 AS DATE), CAST($p3 AS DATE), INTERVAL '1' MONTH)) AS time
  ) AS starts
), seats_min_per_workspace AS (
  SELECT
    time,
    SUM(fewest_seats) AS fewest_seats
  FROM (
    SELECT
      periods.time AS time,
      seats_spans_per_workspace.entity_workspace AS entity_workspace,
      MIN(seats_spans_per_workspace.fewest_seats) AS fewest_seats,
      COUNT(seats_spans_per_workspace.from_day) AS fewest_seats__rows,
      COUNT(seats_spans_per_workspace.from_day) - COUNT(seats_spans_per_workspace.fewest_seats) AS fewest_seats__unknown
    FROM periods
    LEFT JOIN seats_spans_per_workspace
      ON seats_spans_per_workspace.from_day >= periods.time
      AND seats_spans_per_workspace.from_day <= periods.known_on
    GROUP BY
      1,
      2
  ) AS entities
  GROUP BY
    1
), seats__2_max_per_workspace AS (
  SELECT
    time,
    SUM(most_seats) AS most_seats
  FROM (
    SELECT
      periods.time AS time,
      seats__2_spans_per_workspace.entity_workspace AS entity_workspace,
      MAX(seats__2_spans_per_workspace.most_seats) AS most_seats,
      COUNT(seats__2_spans_per_workspace.from_day) AS most_seats__rows,
      COUNT(seats__2_spans_per_workspace.from_day) - COUNT(seats__2_spans_per_workspace.most_seats) AS most_seats__unknown
    FROM periods
    LEFT JOIN seats__2_spans_per_workspace
      ON (
        (
          seats__2_spans_per_workspace.from_day >= periods.time
          AND seats__2_spans_per_workspace.from_day <= periods.known_on
        )
        OR (
          seats__2_spans_per_workspace.from_day <= periods.known_on
          AND (
            seats__2_spans_per_workspace.until_day IS NULL
            OR seats__2_spans_per_workspace.until_day > periods.known_on
          )
          AND seats__2_spans_per_workspace.from_day < periods.time
        )
      )
    GROUP BY
      1,
      2
  ) AS entities
  GROUP BY
    1
)
SELECT
  periods.time AS time,
  seats_min_per_workspace.fewest_seats AS fewest_seats,
  seats__2_max_per_workspace.most_seats AS most_seats
FROM periods
LEFT JOIN seats_min_per_workspace
  ON periods.time IS NOT DISTINCT FROM seats_min_per_workspace.time
LEFT JOIN seats__2_max_per_workspace
  ON periods.time IS NOT DISTINCT FROM seats__2_max_per_workspace.time
ORDER BY
  time ASC

-- by hand
with months(m, next) as (
  values (date '2026-01-01', date '2026-02-01'), (date '2026-02-01', date '2026-03-01'), (date '2026-03-01', date '2026-04-01')
),
entities as (
  select m, workspace,
    min(seats) filter (counted_on >= m) as fewest,
    max(seats) filter (counted_on >= m) as most,
    arg_max(seats, (counted_on, source)) filter (counted_on < m) as latest,
    count(*) filter (counted_on >= m) as counted
  from months join seats on counted_on < next
  group by m, workspace
)
select m as time, sum(fewest) as fewest_seats, sum(case when counted > 0 then most else latest end) as most_seats
from entities
group by m
order by m
