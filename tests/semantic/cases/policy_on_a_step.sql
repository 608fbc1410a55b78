-- Tickets are for everybody, patches are not: a ticket that only hidden patches follow counts as one that none follows.
-- metrics: [tickets_started, tickets_patched]
-- by: [severity]
-- claims: {names: [ann], repositories: [app, docs], region: west}

-- compiled
-- p1: app
-- p2: docs
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
      patches.is_accepted
      AND NOT patches.proposed_at IS NULL
      AND patches.repo IN ($p1, $p2)
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
    COUNT(*) AS tickets_started,
    COUNT(funnel__conversions.funnel__converted_at) AS tickets_patched
  FROM tickets AS tickets
  LEFT JOIN tickets_funnel_conversions AS funnel__conversions
    ON tickets.ticket_id = funnel__conversions.ticket_id
  GROUP BY
    1
)
SELECT
  tickets_funnel_by_severity.severity AS severity,
  tickets_funnel_by_severity.tickets_started AS tickets_started,
  tickets_funnel_by_severity.tickets_patched AS tickets_patched
FROM tickets_funnel_by_severity
ORDER BY
  severity ASC

-- by hand
select severity, count(*) as tickets_started,
  count(*) filter (
    repo in ('app', 'docs') and exists (
      select 1 from patches
      where patches.repo = tickets.repo and is_accepted
        and proposed_at >= opened_at and proposed_at < opened_at + interval 24 hour
    )
  ) as tickets_patched
from tickets
group by severity
order by severity
