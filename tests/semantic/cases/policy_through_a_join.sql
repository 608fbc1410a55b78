-- Who may see the batches of Ann and Bob sees their jobs alone: none of a batch without an owner, none without a batch.
-- metrics: [jobs]
-- by: [owner]
-- claims: {names: [ann, bob], repositories: [app], region: west}

-- compiled
-- p1: ann
-- p2: bob
WITH jobs_by_owner AS (
  SELECT
    batch.owner AS owner,
    COUNT(*) AS jobs
  FROM jobs AS jobs
  LEFT JOIN batches AS batch
    ON jobs.batch_id = batch.batch_id
  WHERE
    batch.owner IN ($p1, $p2)
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
from jobs join batches using (batch_id)
where owner in ('ann', 'bob')
group by owner
order by owner
