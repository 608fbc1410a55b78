-- The range and the filter choose the tickets; the deploy that completes one of 3 March came on the 4th and counts.
-- metrics: [tickets_started, tickets_deployed]
-- grain: day
-- start: 2026-03-02
-- end: 2026-03-04
-- where: severity = 'minor'

-- compiled
-- p1: 2026-03-02 00:00:00
-- p2: 2026-03-04 00:00:00
-- p3: minor
-- p4: 2026-03-02
-- p5: 2026-03-03
WITH tickets_funnel_starts AS (
  SELECT
    tickets.ticket_id,
    tickets.repo AS funnel__entity,
    tickets.opened_at AS funnel__started_at,
    tickets.opened_at AS funnel__step_at
  FROM tickets AS tickets
  WHERE
    NOT tickets.repo IS NULL
    AND NOT tickets.opened_at IS NULL
    AND tickets.opened_at >= $p1
    AND tickets.opened_at < $p2
), tickets_funnel_conversions AS (
  SELECT
    tickets_funnel_starts.ticket_id AS ticket_id,
    tickets_funnel_starts.funnel__entity AS funnel__entity,
    tickets_funnel_starts.funnel__started_at AS funnel__started_at,
    MIN(events.funnel__happened_at) AS funnel__converted_at
  FROM tickets_funnel_starts
  JOIN (
    SELECT
      patches.repo AS funnel__entity,
      patches.proposed_at AS funnel__happened_at
    FROM patches AS patches
    WHERE
      patches.is_accepted AND NOT patches.proposed_at IS NULL
  ) AS events
    ON events.funnel__entity = tickets_funnel_starts.funnel__entity
    AND events.funnel__happened_at >= tickets_funnel_starts.funnel__step_at
    AND events.funnel__happened_at < tickets_funnel_starts.funnel__started_at + INTERVAL '1440' MINUTE
  GROUP BY
    1,
    2,
    3
), tickets_funnel_by_day AS (
  SELECT
    CAST(tickets.opened_at AS DATE) AS time,
    COUNT(*) AS tickets_started
  FROM tickets AS tickets
  LEFT JOIN tickets_funnel_conversions AS funnel__conversions
    ON tickets.ticket_id = funnel__conversions.ticket_id
  WHERE
    tickets.opened_at >= $p1 AND tickets.opened_at < $p2 AND tickets.severity = $p3
  GROUP BY
    1
), tickets_funnel__2_starts AS (
  SELECT
    tickets.ticket_id,
    tickets.repo AS funnel__entity,
    tickets.opened_at AS funnel__started_at,
    tickets.opened_at AS funnel__step_at
  FROM tickets AS tickets
  WHERE
    NOT tickets.repo IS NULL
    AND NOT tickets.opened_at IS NULL
    AND tickets.opened_at >= $p1
    AND tickets.opened_at < $p2
), tickets_funnel__2_step_1 AS (
  SELECT
    tickets_funnel__2_starts.ticket_id AS ticket_id,
    tickets_funnel__2_starts.funnel__entity AS funnel__entity,
    tickets_funnel__2_starts.funnel__started_at AS funnel__started_at,
    MIN(events.funnel__happened_at) AS funnel__step_at
  FROM tickets_funnel__2_starts
  JOIN (
    SELECT
      patches.repo AS funnel__entity,
      patches.proposed_at AS funnel__happened_at
    FROM patches AS patches
    WHERE
      patches.is_accepted AND NOT patches.proposed_at IS NULL
  ) AS events
    ON events.funnel__entity = tickets_funnel__2_starts.funnel__entity
    AND events.funnel__happened_at >= tickets_funnel__2_starts.funnel__step_at
    AND events.funnel__happened_at < tickets_funnel__2_starts.funnel__started_at + INTERVAL '1440' MINUTE
  GROUP BY
    1,
    2,
    3
), tickets_funnel__2_conversions AS (
  SELECT
    tickets_funnel__2_step_1.ticket_id AS ticket_id,
    tickets_funnel__2_step_1.funnel__entity AS funnel__entity,
    tickets_funnel__2_step_1.funnel__started_at AS funnel__started_at,
    MIN(events.funnel__happened_at) AS funnel__converted_at
  FROM tickets_funnel__2_step_1
  JOIN (
    SELECT
      deploys.target AS funnel__entity,
      deploys.deployed_at AS funnel__happened_at
    FROM deploys AS deploys
    WHERE
      NOT deploys.deployed_at IS NULL
  ) AS events
    ON events.funnel__entity = tickets_funnel__2_step_1.funnel__entity
    AND events.funnel__happened_at >= tickets_funnel__2_step_1.funnel__step_at
    AND events.funnel__happened_at < tickets_funnel__2_step_1.funnel__started_at + INTERVAL '1440' MINUTE
  GROUP BY
    1,
    2,
    3
), tickets_funnel__2_by_day AS (
  SELECT
    CAST(tickets.opened_at AS DATE) AS time,
    COUNT(funnel__conversions.funnel__converted_at) AS tickets_deployed
  FROM tickets AS tickets
  LEFT JOIN tickets_funnel__2_conversions AS funnel__conversions
    ON tickets.ticket_id = funnel__conversions.ticket_id
  WHERE
    tickets.opened_at >= $p1 AND tickets.opened_at < $p2 AND tickets.severity = $p3
  GROUP BY
    1
), periods AS (
  SELECT
    CAST(time AS DATE) AS time
  FROM (
    SELECT
      UNNEST(GENERATE_SERIES(CAST($p4 AS DATE), CAST($p5 AS DATE), INTERVAL '1' DAY)) AS time
  ) AS starts
)
SELECT
  periods.time AS time,
  COALESCE(tickets_funnel_by_day.tickets_started, 0) AS tickets_started,
  COALESCE(tickets_funnel__2_by_day.tickets_deployed, 0) AS tickets_deployed
FROM periods
LEFT JOIN tickets_funnel_by_day
  ON periods.time IS NOT DISTINCT FROM tickets_funnel_by_day.time
LEFT JOIN tickets_funnel__2_by_day
  ON periods.time IS NOT DISTINCT FROM tickets_funnel__2_by_day.time
ORDER BY
  time ASC

-- by hand
with chosen as (
  select cast(opened_at as date) as day,
    exists (
      select 1 from patches join deploys on target = repo
      where repo = tickets.repo and is_accepted and proposed_at >= opened_at and deployed_at >= proposed_at
        and deployed_at < opened_at + interval 24 hour
    ) as is_deployed
  from tickets
  where severity = 'minor' and opened_at >= '2026-03-02' and opened_at < '2026-03-04'
)
select day as time, count(*) as tickets_started, count(*) filter (is_deployed) as tickets_deployed
from chosen
group by day
order by day
