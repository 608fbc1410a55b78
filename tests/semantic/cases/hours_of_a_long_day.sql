-- Berlin's day of 2026-10-25 has 25 hours: the two that the clock calls 2 are two periods, told apart by their instants.
-- metrics: [beats]
-- grain: hour
-- zone: Europe/Berlin
-- start: 2026-10-25
-- end: 2026-10-26
-- as_of: 2026-11-01

-- compiled
-- p1: 2026-10-24 22:00:00
-- p2: 2026-10-25 23:00:00
-- p3: 2026-10-25 22:59:59.999999
WITH beats_by_hour AS (
  SELECT
    DATE_TRUNC('HOUR', beats.beat_at AT TIME ZONE 'UTC' AT TIME ZONE 'Europe/Berlin') - (
      beats.beat_at AT TIME ZONE 'UTC' AT TIME ZONE 'Europe/Berlin' - beats.beat_at
    ) AS time,
    COUNT(*) AS beats
  FROM beats AS beats
  WHERE
    beats.beat_at >= $p1 AND beats.beat_at < $p2
  GROUP BY
    1
), periods AS (
  SELECT
    time AS time
  FROM (
    SELECT
      DATE_TRUNC('HOUR', instant AT TIME ZONE 'UTC' AT TIME ZONE 'Europe/Berlin') - (
        instant AT TIME ZONE 'UTC' AT TIME ZONE 'Europe/Berlin' - instant
      ) AS time
    FROM (
      SELECT
        UNNEST(
          GENERATE_SERIES(CAST($p1 AS TIMESTAMP), CAST($p3 AS TIMESTAMP), INTERVAL '15' MINUTE)
        ) AS instant
    ) AS instants
    GROUP BY
      1
  ) AS starts
)
SELECT
  periods.time AS time,
  COALESCE(beats_by_hour.beats, 0) AS beats
FROM periods
LEFT JOIN beats_by_hour
  ON periods.time IS NOT DISTINCT FROM beats_by_hour.time
ORDER BY
  time ASC

-- by hand
select hour as time, count(beat_id) as beats
from generate_series(timestamp '2026-10-24 22:00', timestamp '2026-10-25 22:00', interval 1 hour) as hours(hour)
left join beats on beat_at >= hour and beat_at < hour + interval 1 hour
group by hour
order by hour
