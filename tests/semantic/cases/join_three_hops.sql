-- Jobs by the country of the vendor of the cluster of their batch; one that gets lost on the way stays, under no country.
-- metrics: [jobs, jobs_in_sweden]
-- by: [country]

-- compiled
WITH jobs_by_country AS (
  SELECT
    batch__cluster__vendor.country AS country,
    COUNT(*) AS jobs,
    COUNT(*) FILTER(WHERE
      batch__cluster__vendor.country = 'se') AS jobs_in_sweden
  FROM jobs AS jobs
  LEFT JOIN batches AS batch
    ON jobs.batch_id = batch.batch_id
  LEFT JOIN clusters AS batch__cluster
    ON batch.cluster = batch__cluster.cluster
  LEFT JOIN vendors AS batch__cluster__vendor
    ON batch__cluster.vendor = batch__cluster__vendor.vendor
  GROUP BY
    1
)
SELECT
  jobs_by_country.country AS country,
  jobs_by_country.jobs AS jobs,
  jobs_by_country.jobs_in_sweden AS jobs_in_sweden
FROM jobs_by_country
ORDER BY
  country ASC

-- by hand
select country, count(*) as jobs, count(*) filter (country = 'se') as jobs_in_sweden
from jobs left join batches using (batch_id) left join clusters using (cluster) left join vendors using (vendor)
group by country
order by country nulls last
