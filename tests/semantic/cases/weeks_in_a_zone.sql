-- Weeks start on Monday, local time: 03:31 UTC on Monday 2026-03-09 is still Sunday in New York, 05:01 UTC is not.
-- metrics: [calls]
-- by: [model]
-- grain: week
-- zone: America/New_York

-- compiled
WITH calls_by_model_and_week AS (
  SELECT
    calls.model AS model,
    CAST(DATE_TRUNC('WEEK', calls.called_at AT TIME ZONE 'UTC' AT TIME ZONE 'America/New_York') AS DATE) AS time,
    COUNT(*) AS calls
  FROM calls AS calls
  GROUP BY
    1,
    2
)
SELECT
  calls_by_model_and_week.model AS model,
  calls_by_model_and_week.time AS time,
  calls_by_model_and_week.calls AS calls
FROM calls_by_model_and_week
ORDER BY
  time ASC,
  model ASC

-- by hand
with local as (
  select model,
    called_at - case when called_at < timestamp '2026-03-08 07:00' then interval 5 hour else interval 4 hour end as at_local
  from calls
)
select model, cast(at_local as date) - (isodow(at_local) - 1)::integer as time, count(*) as calls
from local
group by 1, 2
order by time, model
