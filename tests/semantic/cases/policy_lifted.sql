-- An auditor is held by no policy, and needs no claim.
-- metrics: [jobs]
-- by: [owner]
-- roles: [auditor]

-- compiled
WITH jobs_by_owner AS (
  SELECT
    batch.owner AS owner,
    COUNT(*) AS jobs
  FROM jobs AS jobs
  LEFT JOIN batches AS batch
    ON jobs.batch_id = batch.batch_id
  GROUP BY
    1
)
SELECT
  jobs_by_owner.owner AS owner,
  jobs_by_owner.jobs AS jobs
FROM jobs_by_owner
ORDER BY
  owner ASC

-- by hand
select owner, count(*) as jobs
from jobs left join batches using (batch_id)
group by owner
order by owner nulls last
