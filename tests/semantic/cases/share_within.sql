-- The whole of a share: of the region in the month, of the month, or of everything in the range.
-- metrics: [share_within_region, share_within_all, share_of_everything]
-- by: [region, model]
-- grain: month
-- start: 2026-02-01
-- end: 2026-04-01

-- compiled
-- p1: 2026-02-01
-- p2: 2026-04-01
WITH usage_by_region_and_model_and_month AS (
  SELECT
    usage.region AS region,
    usage.model AS model,
    CAST(DATE_TRUNC('MONTH', usage.used_on) AS DATE) AS time,
    SUM(usage.cost_usd) AS usage_cost
  FROM usage AS usage
  WHERE
    usage.used_on >= $p1 AND usage.used_on < $p2
  GROUP BY
    1,
    2,
    3
)
SELECT
  usage_by_region_and_model_and_month.region AS region,
  usage_by_region_and_model_and_month.model AS model,
  usage_by_region_and_model_and_month.time AS time,
  CAST(usage_by_region_and_model_and_month.usage_cost AS DOUBLE) / NULLIF(
    CAST(SUM(usage_by_region_and_model_and_month.usage_cost) OVER (
      PARTITION BY usage_by_region_and_model_and_month.region, usage_by_region_and_model_and_month.time
    ) AS DOUBLE),
    0
  ) AS share_within_region,
  CAST(usage_by_region_and_model_and_month.usage_cost AS DOUBLE) / NULLIF(
    CAST(SUM(usage_by_region_and_model_and_month.usage_cost) OVER (PARTITION BY usage_by_region_and_model_and_month.time) AS DOUBLE),
    0
  ) AS share_within_all,
  CAST(usage_by_region_and_model_and_month.usage_cost AS DOUBLE) / NULLIF(CAST(SUM(usage_by_region_and_model_and_month.usage_cost) OVER () AS DOUBLE), 0) AS share_of_everything
FROM usage_by_region_and_model_and_month
ORDER BY
  time ASC,
  region ASC,
  model ASC

-- by hand
with costs as (
  select region, model, cast(date_trunc('month', used_on) as date) as month, cast(sum(cost_usd) as double) as usd
  from usage
  where used_on between '2026-02-01' and '2026-03-31'
  group by all
)
select region, model, month as time,
  usd / sum(usd) over (partition by region, month) as share_within_region,
  usd / sum(usd) over (partition by month) as share_within_all,
  usd / sum(usd) over () as share_of_everything
from costs
order by month, region nulls last, model
