-- The 90 minutes before the end of each hour, which in Kolkata is at half past; a beat at the end is in the next window.
-- metrics: [beats, beats_in_90_minutes]
-- grain: hour
-- zone: Asia/Kolkata
-- start: 2026-10-25
-- end: 2026-10-26
-- as_of: 2026-11-01

-- compiled
-- p1: 2026-10-24 18:30:00
-- p2: 2026-10-25 18:30:00
-- p3: 2026-10-24 16:00:00
-- p4: 2026-10-25 18:29:59.999999
WITH beats_by_hour AS (
  SELECT
    DATE_TRUNC('HOUR', beats.beat_at AT TIME ZONE 'UTC' AT TIME ZONE 'Asia/Kolkata') - (
      beats.beat_at AT TIME ZONE 'UTC' AT TIME ZONE 'Asia/Kolkata' - beats.beat_at
    ) AS time,
    COUNT(*) AS beats
  FROM beats AS beats
  WHERE
    beats.beat_at >= $p1 AND beats.beat_at < $p2
  GROUP BY
    1
), periods AS (
  SELECT
    time AS time,
    time + INTERVAL '60' MINUTE AS until_time
  FROM (
    SELECT
      DATE_TRUNC('HOUR', instant AT TIME ZONE 'UTC' AT TIME ZONE 'Asia/Kolkata') - (
        instant AT TIME ZONE 'UTC' AT TIME ZONE 'Asia/Kolkata' - instant
      ) AS time
    FROM (
      SELECT
        UNNEST(
          GENERATE_SERIES(CAST($p1 AS TIMESTAMP), CAST($p4 AS TIMESTAMP), INTERVAL '15' MINUTE)
        ) AS instant
    ) AS instants
    GROUP BY
      1
  ) AS starts
), beats_rolling_90_minutes AS (
  SELECT
    periods.time AS time,
    COUNT(*) AS beats_in_90_minutes
  FROM beats AS beats
  JOIN periods
    ON beats.beat_at < periods.until_time
    AND beats.beat_at >= periods.until_time - INTERVAL '90' MINUTE
  WHERE
    beats.beat_at >= $p3 AND beats.beat_at < $p2
  GROUP BY
    1
)
SELECT
  periods.time AS time,
  COALESCE(beats_by_hour.beats, 0) AS beats,
  COALESCE(beats_rolling_90_minutes.beats_in_90_minutes, 0) AS beats_in_90_minutes
FROM periods
LEFT JOIN beats_by_hour
  ON periods.time IS NOT DISTINCT FROM beats_by_hour.time
LEFT JOIN beats_rolling_90_minutes
  ON periods.time IS NOT DISTINCT FROM beats_rolling_90_minutes.time
ORDER BY
  time ASC

-- by hand
select hour as time,
  (select count(*) from beats where beat_at >= hour and beat_at < hour + interval 60 minute) as beats,
  (select count(*) from beats where beat_at >= hour - interval 30 minute and beat_at < hour + interval 60 minute) as beats_in_90_minutes
from generate_series(timestamp '2026-10-24 18:30', timestamp '2026-10-25 17:30', interval 1 hour) as hours(hour)
order by hour
