-- Monday is 1, in the zone of the question: a run of Tuesday 23:50 UTC is one of Wednesday in Tokyo. An undated run has no weekday.
-- metrics: [runs]
-- by: [time.weekday]
-- zone: Asia/Tokyo

-- compiled
WITH runs_by_time_weekday AS (
  SELECT
    EXTRACT(ISODOW FROM runs.started_at AT TIME ZONE 'UTC' AT TIME ZONE 'Asia/Tokyo') AS time_weekday,
    COUNT(*) AS runs
  FROM runs AS runs
  GROUP BY
    1
)
SELECT
  runs_by_time_weekday.time_weekday AS time_weekday,
  runs_by_time_weekday.runs AS runs
FROM runs_by_time_weekday
ORDER BY
  time_weekday ASC

-- by hand
select case dayname(started_at + interval 9 hour)
    when 'Monday' then 1 when 'Tuesday' then 2 when 'Wednesday' then 3 when 'Thursday' then 4 when 'Friday' then 5
    when 'Saturday' then 6 when 'Sunday' then 7
  end as time_weekday,
  count(*) as runs
from runs
group by 1
order by 1 nulls last
