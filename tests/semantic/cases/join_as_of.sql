-- The tariff in force when the job was submitted: it ends with its own end or with the next one's start, whichever is earlier.
-- metrics: [jobs, job_cost]
-- by: [tariff.tier]

-- compiled
WITH jobs_by_tariff_tier AS (
  SELECT
    tariff.tier AS tariff_tier,
    COUNT(*) AS jobs,
    SUM(jobs.tokens * tariff.usd_per_token) AS job_cost
  FROM jobs AS jobs
  LEFT JOIN (
    SELECT
      *,
      LEAD(valid_from) OVER (PARTITION BY model ORDER BY valid_from) AS next_since
    FROM tariffs
  ) AS tariff
    ON jobs.model = tariff.model
    AND tariff.valid_from <= jobs.submitted_at
    AND (
      tariff.next_since IS NULL OR tariff.next_since > jobs.submitted_at
    )
    AND (
      tariff.valid_until IS NULL OR tariff.valid_until > jobs.submitted_at
    )
  GROUP BY
    1
)
SELECT
  jobs_by_tariff_tier.tariff_tier AS tariff_tier,
  jobs_by_tariff_tier.jobs AS jobs,
  jobs_by_tariff_tier.job_cost AS job_cost
FROM jobs_by_tariff_tier
ORDER BY
  tariff_tier ASC

-- by hand
with priced as (
  select job_id, tokens, t.*
  from jobs asof left join tariffs t on t.model = jobs.model and t.valid_from <= jobs.submitted_at
),
in_force as (
  select job_id, jobs.tokens,
    case when valid_until is null or submitted_at < valid_until then tier end as tier,
    case when valid_until is null or submitted_at < valid_until then usd_per_token end as usd_per_token
  from jobs join priced using (job_id)
)
select tier as tariff_tier, count(*) as jobs, sum(tokens * usd_per_token) as job_cost
from in_force
group by tier
order by tier nulls last
