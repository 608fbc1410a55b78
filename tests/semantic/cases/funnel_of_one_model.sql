-- Two steps of one model are two rows of it, one after the other: two patches at one instant are not a second patch.
-- metrics: [tickets_patched_twice]
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
), tickets_funnel_step_1 AS (
  SELECT
    tickets_funnel_starts.ticket_id AS ticket_id,
    tickets_funnel_starts.funnel__entity AS funnel__entity,
    tickets_funnel_starts.funnel__started_at AS funnel__started_at,
    MIN(events.funnel__happened_at) AS funnel__step_at
  FROM tickets_funnel_starts
  JOIN (
    SELECT
      patches.repo AS funnel__entity,
      patches.proposed_at AS funnel__happened_at
    FROM patches AS patches
    WHERE
      NOT patches.proposed_at IS NULL
  ) AS events
    ON events.funnel__entity = tickets_funnel_starts.funnel__entity
    AND events.funnel__happened_at >= tickets_funnel_starts.funnel__step_at
    AND events.funnel__happened_at < tickets_funnel_starts.funnel__started_at + INTERVAL '1' DAY
  GROUP BY
    1,
    2,
    3
), tickets_funnel_conversions AS (
  SELECT
    tickets_funnel_step_1.ticket_id AS ticket_id,
    tickets_funnel_step_1.funnel__entity AS funnel__entity,
    tickets_funnel_step_1.funnel__started_at AS funnel__started_at,
    MIN(events.funnel__happened_at) AS funnel__converted_at
  FROM tickets_funnel_step_1
  JOIN (
    SELECT
      patches.repo AS funnel__entity,
      patches.proposed_at AS funnel__happened_at
    FROM patches AS patches
    WHERE
      NOT patches.proposed_at IS NULL
  ) AS events
    ON events.funnel__entity = tickets_funnel_step_1.funnel__entity
    AND events.funnel__happened_at > tickets_funnel_step_1.funnel__step_at
    AND events.funnel__happened_at < tickets_funnel_step_1.funnel__started_at + INTERVAL '1' DAY
  GROUP BY
    1,
    2,
    3
), tickets_funnel_by_severity AS (
  SELECT
    tickets.severity AS severity,
    COUNT(funnel__conversions.funnel__converted_at) AS tickets_patched_twice
  FROM tickets AS tickets
  LEFT JOIN tickets_funnel_conversions AS funnel__conversions
    ON tickets.ticket_id = funnel__conversions.ticket_id
  GROUP BY
    1
)
SELECT
  tickets_funnel_by_severity.severity AS severity,
  tickets_funnel_by_severity.tickets_patched_twice AS tickets_patched_twice
FROM tickets_funnel_by_severity
ORDER BY
  severity ASC

-- by hand
select severity,
  count(*) filter (
    exists (
      select 1 from patches once join patches again on again.repo = once.repo and again.proposed_at > once.proposed_at
      where once.repo = tickets.repo and once.proposed_at >= opened_at and again.proposed_at < opened_at + interval 1 day
    )
  ) as tickets_patched_twice
from tickets
group by severity
order by severity
