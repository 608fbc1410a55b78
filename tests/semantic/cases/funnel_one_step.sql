-- Tickets that a patch follows within a day: one at the same instant does, one a full day later and one of no repository do not.
-- metrics: [patch_rate, tickets_patched, tickets_started, seconds_to_patch]
-- by: [severity]

-- compiled
WITH tickets_funnel_starts AS (
  SELECT
    tickets.ticket_id,
    tickets.repo AS funnel__entity,
    tickets.opened_at AS funnel__started_at,
    tickets.opened_at AS funnel__step_at
  FROM tickets AS tickets
  WHERE
    NOT tickets.repo IS NULL AND NOT tickets.opened_at IS NULL
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
), tickets_funnel_by_severity AS (
  SELECT
    tickets.severity AS severity,
    COUNT(funnel__conversions.funnel__converted_at) AS patch_rate__converted,
    COUNT(*) AS patch_rate__starts,
    COUNT(funnel__conversions.funnel__converted_at) AS tickets_patched,
    COUNT(*) AS tickets_started,
    AVG(
      CAST(DATE_DIFF('MICROSECOND', tickets.opened_at, funnel__conversions.funnel__converted_at) AS DOUBLE) / 1000000
    ) AS seconds_to_patch
  FROM tickets AS tickets
  LEFT JOIN tickets_funnel_conversions AS funnel__conversions
    ON tickets.ticket_id = funnel__conversions.ticket_id
  GROUP BY
    1
)
SELECT
  tickets_funnel_by_severity.severity AS severity,
  CAST(tickets_funnel_by_severity.patch_rate__converted AS DOUBLE) / NULLIF(CAST(tickets_funnel_by_severity.patch_rate__starts AS DOUBLE), 0) AS patch_rate,
  tickets_funnel_by_severity.tickets_patched AS tickets_patched,
  tickets_funnel_by_severity.tickets_started AS tickets_started,
  tickets_funnel_by_severity.seconds_to_patch AS seconds_to_patch
FROM tickets_funnel_by_severity
ORDER BY
  severity ASC

-- by hand
with judged as (
  select severity,
    (select min(epoch(proposed_at) - epoch(opened_at)) from patches
     where patches.repo = tickets.repo and is_accepted
       and proposed_at >= opened_at and proposed_at < opened_at + interval 24 hour) as seconds
  from tickets
)
select severity,
  count(seconds) / count(*) as patch_rate,
  count(seconds) as tickets_patched,
  count(*) as tickets_started,
  avg(seconds) as seconds_to_patch
from judged
group by severity
order by severity
