-- Batches by how many jobs they have, 0 for one without; and jobs by the size of their batch, which is unknown without one.
-- metrics: [batches, jobs]
-- by: [jobs_of_batch]

-- compiled
WITH batches_by_jobs_of_batch AS (
  SELECT
    CASE
      WHEN jobs_of_batch__rows.batch_id IS NULL
      THEN 0
      ELSE jobs_of_batch__rows.row__value
    END AS jobs_of_batch,
    COUNT(*) AS batches
  FROM batches AS batches
  LEFT JOIN (
    SELECT
      jobs.batch_id AS batch_id,
      COUNT(*) AS row__value
    FROM jobs AS jobs
    GROUP BY
      1
  ) AS jobs_of_batch__rows
    ON batches.batch_id = jobs_of_batch__rows.batch_id
  GROUP BY
    1
), jobs_by_jobs_of_batch AS (
  SELECT
    CASE
      WHEN batch.batch_id IS NULL
      THEN NULL
      WHEN batch__jobs_of_batch__rows.batch_id IS NULL
      THEN 0
      ELSE batch__jobs_of_batch__rows.row__value
    END AS jobs_of_batch,
    COUNT(*) AS jobs
  FROM jobs AS jobs
  LEFT JOIN batches AS batch
    ON jobs.batch_id = batch.batch_id
  LEFT JOIN (
    SELECT
      jobs.batch_id AS batch_id,
      COUNT(*) AS row__value
    FROM jobs AS jobs
    GROUP BY
      1
  ) AS batch__jobs_of_batch__rows
    ON batch.batch_id = batch__jobs_of_batch__rows.batch_id
  GROUP BY
    1
), keys AS (
  SELECT
    jobs_of_batch
  FROM batches_by_jobs_of_batch
  UNION
  SELECT
    jobs_of_batch
  FROM jobs_by_jobs_of_batch
)
SELECT
  keys.jobs_of_batch AS jobs_of_batch,
  COALESCE(batches_by_jobs_of_batch.batches, 0) AS batches,
  COALESCE(jobs_by_jobs_of_batch.jobs, 0) AS jobs
FROM keys
LEFT JOIN batches_by_jobs_of_batch
  ON keys.jobs_of_batch IS NOT DISTINCT FROM batches_by_jobs_of_batch.jobs_of_batch
LEFT JOIN jobs_by_jobs_of_batch
  ON keys.jobs_of_batch IS NOT DISTINCT FROM jobs_by_jobs_of_batch.jobs_of_batch
ORDER BY
  jobs_of_batch ASC

-- by hand
with sizes as (select batch_id, count(job_id) as size from batches left join jobs using (batch_id) group by batch_id)
select size as jobs_of_batch,
  (select count(*) from sizes o where o.size = s.size) as batches,
  (select count(*) from jobs left join sizes j using (batch_id) where j.size is not distinct from s.size) as jobs
from (select distinct size from sizes union select null) s
order by size nulls last
