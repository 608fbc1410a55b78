-- The mean count of each workspace in the month up to the day of the question, 20 March: one of the 25th is not known yet.
-- metrics: [mean_seats, mean_seats_counted]
-- grain: month
-- start: 2026-01-01
-- end: 2026-04-01
-- as_of: 2026-03-20

-- compiled
-- p1: 2026-04-01
-- p2: 2026-01-01
-- p3: 2026-03-31
-- p4: 2026-03-20
WITH seats_spans_per_workspace AS (
  SELECT
    seats.workspace AS entity_workspace,
    seats.counted_on AS from_day,
    LEAD(seats.counted_on) OVER (PARTITION BY seats.workspace ORDER BY seats.counted_on, seats.source) AS until_day,
    seats.seats AS mean_seats
  FROM seats AS seats
  WHERE
    seats.counted_on < $p1
), seats__2_spans_per_workspace AS (
  SELECT
    seats.workspace AS entity_workspace,
    seats.counted_on AS from_day,
    LEAD(seats.counted_on) OVER (PARTITION BY seats.workspace ORDER BY seats.counted_on, seats.source) AS until_day,
    seats.seats AS mean_seats_counted
  FROM seats AS seats
  WHERE
    seats.counted_on < $p1
), periods AS (
  SELECT
    CAST(time AS DATE) AS time,
    LEAST(
      CAST(CAST(time + INTERVAL 1 MONTH AS DATE) + INTERVAL (-1) DAY AS DATE),
      CAST($p4 AS DATE)
    ) AS known_on
  FROM (
    SELECT
      UNNEST(GENERATE_SERIES(CAST($p2 AS DATE), CAST($p3 AS DATE), INTERVAL '1' MONTH)) AS time
  ) AS starts
), seats_avg_per_workspace AS (
  SELECT
    time,
    SUM(mean_seats) AS mean_seats
  FROM (
    SELECT
      periods.time AS time,
      seats_spans_per_workspace.entity_workspace AS entity_workspace,
      AVG(seats_spans_per_workspace.mean_seats) AS mean_seats,
      COUNT(seats_spans_per_workspace.from_day) AS mean_seats__rows,
      COUNT(seats_spans_per_workspace.from_day) - COUNT(seats_spans_per_workspace.mean_seats) AS mean_seats__unknown
    FROM periods
    LEFT JOIN seats_spans_per_workspace
      ON (
        (
          seats_spans_per_workspace.from_day >= periods.time
          AND seats_spans_per_workspace.from_day <= periods.known_on
        )
        OR (
          seats_spans_per_workspace.from_day <= periods.known_on
          AND (
            seats_spans_per_workspace.until_day IS NULL
            OR seats_spans_per_workspace.until_day > periods.known_on
          )
          AND seats_spans_per_workspace.from_day < periods.time
        )
      )
    GROUP BY
      1,
      2
  ) AS entities
  GROUP BY
    1
), seats__2_avg_per_workspace AS (
  SELECT
    time,
    SUM(mean_seats_counted) AS mean_seats_counted
  FROM (
    SELECT
      periods.time AS time,
      seats__2_spans_per_workspace.entity_workspace AS entity_workspace,
      AVG(seats__2_spans_per_workspace.mean_seats_counted) AS mean_seats_counted,
      COUNT(seats__2_spans_per_workspace.from_day) AS mean_seats_counted__rows,
      COUNT(seats__2_spans_per_workspace.from_day) - COUNT(seats__2_spans_per_workspace.mean_seats_counted) AS mean_seats_counted__unknown
    FROM periods
    LEFT JOIN seats__2_spans_per_workspace
      ON seats__2_spans_per_workspace.from_day >= periods.time
      AND seats__2_spans_per_workspace.from_day <= periods.known_on
    GROUP BY
      1,
      2
  ) AS entities
  GROUP BY
    1
)
SELECT
  periods.time AS time,
  seats_avg_per_workspace.mean_seats AS mean_seats,
  seats__2_avg_per_workspace.mean_seats_counted AS mean_seats_counted
FROM periods
LEFT JOIN seats_avg_per_workspace
  ON periods.time IS NOT DISTINCT FROM seats_avg_per_workspace.time
LEFT JOIN seats__2_avg_per_workspace
  ON periods.time IS NOT DISTINCT FROM seats__2_avg_per_workspace.time
ORDER BY
  time ASC

-- by hand
with months(m, known_on) as (
  values (date '2026-01-01', date '2026-01-31'), (date '2026-02-01', date '2026-02-28'), (date '2026-03-01', date '2026-03-20')
),
entities as (
  select m, workspace,
    avg(seats) filter (counted_on >= m) as mean,
    arg_max(seats, (counted_on, source)) filter (counted_on < m) as latest,
    count(*) filter (counted_on >= m) as counted
  from months join seats on counted_on <= known_on
  group by m, workspace
)
select m as time, sum(case when counted > 0 then mean else latest end) as mean_seats, sum(mean) as mean_seats_counted
from entities
group by m
order by m
