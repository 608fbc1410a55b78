-- A filter of batches holds for their jobs, too: those of an urgent batch, not those of which it is not known.
-- metrics: [jobs, batches]
-- by: [owner]
-- filters: [urgent]

-- compiled
WITH jobs_by_owner AS (
  SELECT
    batch.owner AS owner,
    COUNT(*) AS jobs
  FROM jobs AS jobs
  LEFT JOIN batches AS batch
    ON jobs.batch_id = batch.batch_id
  WHERE
    batch.is_urgent
  GROUP BY
    1
), batches_by_owner AS (
  SELECT
    batches.owner AS owner,
    COUNT(*) AS batches
  FROM batches AS batches
  WHERE
    batches.is_urgent
  GROUP BY
    1
), keys AS (
  SELECT
    owner
  FROM jobs_by_owner
  UNION
  SELECT
    owner
  FROM batches_by_owner
)
SELECT
  keys.owner AS owner,
  COALESCE(jobs_by_owner.jobs, 0) AS jobs,
  COALESCE(batches_by_owner.batches, 0) AS batches
FROM keys
LEFT JOIN jobs_by_owner
  ON keys.owner IS NOT DISTINCT FROM jobs_by_owner.owner
LEFT JOIN batches_by_owner
  ON keys.owner IS NOT DISTINCT FROM batches_by_owner.owner
ORDER BY
  owner ASC

-- by hand
select owner,
  (select count(*) from jobs where batch_id in (select batch_id from batches i where is_urgent and i.owner = b.owner)) as jobs,
  count(*) as batches
from batches b
where is_urgent
group by owner
order by owner
