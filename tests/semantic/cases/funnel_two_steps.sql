-- The deploy must follow the patch, and both the ticket within a day of it: t3 misses by ten minutes, t4 makes it by ten.
-- metrics: [deploy_rate, tickets_deployed, seconds_to_deploy]
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
      patches.is_accepted AND NOT patches.proposed_at IS NULL
  ) AS events
    ON events.funnel__entity = tickets_funnel_starts.funnel__entity
    AND events.funnel__happened_at >= tickets_funnel_starts.funnel__step_at
    AND events.funnel__happened_at < tickets_funnel_starts.funnel__started_at + INTERVAL '1440' MINUTE
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
      deploys.target AS funnel__entity,
      deploys.deployed_at AS funnel__happened_at
    FROM deploys AS deploys
    WHERE
      NOT deploys.deployed_at IS NULL
  ) AS events
    ON events.funnel__entity = tickets_funnel_step_1.funnel__entity
    AND events.funnel__happened_at >= tickets_funnel_step_1.funnel__step_at
    AND events.funnel__happened_at < tickets_funnel_step_1.funnel__started_at + INTERVAL '1440' MINUTE
  GROUP BY
    1,
    2,
    3
), tickets_funnel_by_severity AS (
  SELECT
    tickets.severity AS severity,
    COUNT(funnel__conversions.funnel__converted_at) AS deploy_rate__converted,
    COUNT(*) AS deploy_rate__starts,
    COUNT(funnel__conversions.funnel__converted_at) AS tickets_deployed,
    AVG(
      CAST(DATE_DIFF('MICROSECOND', tickets.opened_at, funnel__conversions.funnel__converted_at) AS DOUBLE) / 1000000
    ) AS seconds_to_deploy
  FROM tickets AS tickets
  LEFT JOIN tickets_funnel_conversions AS funnel__conversions
    ON tickets.ticket_id = funnel__conversions.ticket_id
  GROUP BY
    1
)
SELECT
  tickets_funnel_by_severity.severity AS severity,
  CAST(tickets_funnel_by_severity.deploy_rate__converted AS DOUBLE) / NULLIF(CAST(tickets_funnel_by_severity.deploy_rate__starts AS DOUBLE), 0) AS deploy_rate,
  tickets_funnel_by_severity.tickets_deployed AS tickets_deployed,
  tickets_funnel_by_severity.seconds_to_deploy AS seconds_to_deploy
FROM tickets_funnel_by_severity
ORDER BY
  severity ASC

-- by hand
with deployed as (
  select ticket_id, min(deployed_at) as last_at
  from tickets
  join patches using (repo)
  join deploys on target = repo
  where is_accepted and opened_at <= proposed_at and proposed_at <= deployed_at and deployed_at < opened_at + interval 24 hour
  group by ticket_id
)
select severity,
  count(last_at) / count(*) as deploy_rate,
  count(last_at) as tickets_deployed,
  avg(epoch(last_at) - epoch(opened_at)) as seconds_to_deploy
from tickets left join deployed using (ticket_id)
group by severity
order by severity
