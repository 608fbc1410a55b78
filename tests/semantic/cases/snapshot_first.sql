-- The first count of each workspace in the month, or its last one before; of two on a day the source decides.
-- metrics: [seats_at_first, seats_at_first_carried, seats_at_last]
-- grain: month
-- start: 2026-01-01
-- end: 2026-04-01

-- compiled
-- p1: 2026-04-01
-- p2: 2026-01-01
-- p3: 2026-03-31
WITH seats_spans_per_workspace AS (
  SELECT
    seats.counted_on AS from_day,
    LEAD(seats.counted_on) OVER (PARTITION BY seats.workspace ORDER BY seats.counted_on, seats.source) AS until_day,
    LAG(seats.counted_on) OVER (PARTITION BY seats.workspace ORDER BY seats.counted_on, seats.source) AS before_day,
    seats.seats AS seats_at_first
  FROM seats AS seats
  WHERE
    seats.counted_on < $p1
), seats__2_spans_per_workspace AS (
  SELECT
    seats.counted_on AS from_day,
    LEAD(seats.counted_on) OVER (PARTITION BY seats.workspace ORDER BY seats.counted_on, seats.source) AS until_day,
    LAG(seats.counted_on) OVER (PARTITION BY seats.workspace ORDER BY seats.counted_on, seats.source) AS before_day,
    seats.seats AS seats_at_first_carried
  FROM seats AS seats
  WHERE
    seats.counted_on < $p1
), seats__3_spans_per_workspace AS (
  SELECT
    seats.counted_on AS from_day,
    LEAD(seats.counted_on) OVER (PARTITION BY seats.workspace ORDER BY seats.counted_on, seats.source) AS until_day,
    seats.seats AS seats_at_last
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
), seats_first_per_workspace AS (
  SELECT
    periods.time AS time,
    SUM(seats_spans_per_workspace.seats_at_first) AS seats_at_first
  FROM periods
  LEFT JOIN seats_spans_per_workspace
    ON seats_spans_per_workspace.from_day >= periods.time
    AND seats_spans_per_workspace.from_day <= periods.known_on
    AND (
      seats_spans_per_workspace.before_day IS NULL
      OR seats_spans_per_workspace.before_day < periods.time
    )
  GROUP BY
    1
), seats__2_first_per_workspace AS (
  SELECT
    periods.time AS time,
    SUM(seats__2_spans_per_workspace.seats_at_first_carried) AS seats_at_first_carried
  FROM periods
  LEFT JOIN seats__2_spans_per_workspace
    ON (
      (
        seats__2_spans_per_workspace.from_day >= periods.time
        AND seats__2_spans_per_workspace.from_day <= periods.known_on
        AND (
          seats__2_spans_per_workspace.before_day IS NULL
          OR seats__2_spans_per_workspace.before_day < periods.time
        )
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
    1
), seats__3_last_per_workspace AS (
  SELECT
    periods.time AS time,
    SUM(seats__3_spans_per_workspace.seats_at_last) AS seats_at_last
  FROM periods
  LEFT JOIN seats__3_spans_per_workspace
    ON seats__3_spans_per_workspace.from_day <= periods.known_on
    AND (
      seats__3_spans_per_workspace.until_day IS NULL
      OR seats__3_spans_per_workspace.until_day > periods.known_on
    )
    AND seats__3_spans_per_workspace.from_day >= periods.time
  GROUP BY
    1
)
SELECT
  periods.time AS time,
  seats_first_per_workspace.seats_at_first AS seats_at_first,
  seats__2_first_per_workspace.seats_at_first_carried AS seats_at_first_carried,
  seats__3_last_per_workspace.seats_at_last AS seats_at_last
FROM periods
LEFT JOIN seats_first_per_workspace
  ON periods.time IS NOT DISTINCT FROM seats_first_per_workspace.time
LEFT JOIN seats__2_first_per_workspace
  ON periods.time IS NOT DISTINCT FROM seats__2_first_per_workspace.time
LEFT JOIN seats__3_last_per_workspace
  ON periods.time IS NOT DISTINCT FROM seats__3_last_per_workspace.time
ORDER BY
  time ASC

-- by hand
with months(m, next) as (
  values (date '2026-01-01', date '2026-02-01'), (date '2026-02-01', date '2026-03-01'), (date '2026-03-01', date '2026-04-01')
),
counts as (
  select m, workspace, seats, counted_on >= m as is_inside,
    row_number() over (partition by m, workspace, counted_on >= m order by counted_on, source) as nth,
    row_number() over (partition by m, workspace, counted_on >= m order by counted_on desc, source desc) as nth_last,
    bool_or(counted_on >= m) over (partition by m, workspace) as has_inside
  from months join seats on counted_on < next
)
select m as time,
  sum(seats) filter (is_inside and nth = 1) as seats_at_first,
  sum(seats) filter ((is_inside and nth = 1) or (not has_inside and nth_last = 1)) as seats_at_first_carried,
  sum(seats) filter (is_inside and nth_last = 1) as seats_at_last
from counts
group by m
order by m
