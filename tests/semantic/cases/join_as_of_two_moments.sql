-- One model joined twice: the tariff of the moment of submission, and that of the quote, which may be none.
-- metrics: [jobs]
-- by: [tariff.tier, quoted.tier]

-- compiled
WITH jobs_by_tariff_tier_and_quoted_tier AS (
  SELECT
    tariff.tier AS tariff_tier,
    quoted.tier AS quoted_tier,
    COUNT(*) AS jobs
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
  LEFT JOIN (
    SELECT
      *,
      LEAD(valid_from) OVER (PARTITION BY model ORDER BY valid_from) AS next_since
    FROM tariffs
  ) AS quoted
    ON jobs.model = quoted.model
    AND quoted.valid_from <= jobs.quoted_at
    AND (
      quoted.next_since IS NULL OR quoted.next_since > jobs.quoted_at
    )
    AND (
      quoted.valid_until IS NULL OR quoted.valid_until > jobs.quoted_at
    )
  GROUP BY
    1,
    2
)
SELECT
  jobs_by_tariff_tier_and_quoted_tier.tariff_tier AS tariff_tier,
  jobs_by_tariff_tier_and_quoted_tier.quoted_tier AS quoted_tier,
  jobs_by_tariff_tier_and_quoted_tier.jobs AS jobs
FROM jobs_by_tariff_tier_and_quoted_tier
ORDER BY
  tariff_tier ASC,
  quoted_tier ASC

-- by hand
with versions as (
  select *, least(valid_until, lead(valid_from) over (partition by model order by valid_from)) as ends_at from tariffs
),
tiers as (
  select
    (select tier from versions v
     where v.model = jobs.model and valid_from <= submitted_at and (ends_at is null or submitted_at < ends_at)) as submitted,
    (select tier from versions v
     where v.model = jobs.model and valid_from <= quoted_at and (ends_at is null or quoted_at < ends_at)) as quoted
  from jobs
)
select submitted as tariff_tier, quoted as quoted_tier, count(*) as jobs
from tiers
group by all
order by submitted nulls last, quoted nulls last
