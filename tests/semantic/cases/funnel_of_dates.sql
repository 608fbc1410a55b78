-- A release of a date is at its midnight, so that of the ticket's own day came before it; one after the question is yet to come.
-- metrics: [tickets_released]
-- by: [severity]

-- compiled
-- p1: 2026-05-02
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
      releases.repo AS funnel__entity,
      releases.released_on AS funnel__happened_at
    FROM releases AS releases
    WHERE
      releases.released_on < $p1
  ) AS events
    ON events.funnel__entity = tickets_funnel_starts.funnel__entity
    AND events.funnel__happened_at >= tickets_funnel_starts.funnel__step_at
    AND events.funnel__happened_at < tickets_funnel_starts.funnel__started_at + INTERVAL '2' MONTH
  GROUP BY
    1,
    2,
    3
), tickets_funnel_by_severity AS (
  SELECT
    tickets.severity AS severity,
    COUNT(funnel__conversions.funnel__converted_at) AS tickets_released
  FROM tickets AS tickets
  LEFT JOIN tickets_funnel_conversions AS funnel__conversions
    ON tickets.ticket_id = funnel__conversions.ticket_id
  GROUP BY
    1
)
SELECT
  tickets_funnel_by_severity.severity AS severity,
  tickets_funnel_by_severity.tickets_released AS tickets_released
FROM tickets_funnel_by_severity
ORDER BY
  severity ASC

-- by hand
select severity,
  count(*) filter (
    exists (
      select 1 from releases
      where releases.repo = tickets.repo and released_on <= date '2026-05-01'
        and cast(released_on as timestamp) >= opened_at and cast(released_on as timestamp) < opened_at + interval 2 month
    )
  ) as tickets_released
from tickets
group by severity
order by severity
