-- Beside a region's cost of the month: that of all regions in the month, and that of the region in all months asked for.
-- metrics: [usage_cost, cost_of_all_regions, cost_of_the_region]
-- by: [region]
-- grain: month
-- start: 2026-02-01
-- end: 2026-04-01

-- compiled
-- p1: 2026-02-01
-- p2: 2026-04-01
WITH usage_by_region_and_month AS (
  SELECT
    usage.region AS region,
    CAST(DATE_TRUNC('MONTH', usage.used_on) AS DATE) AS time,
    SUM(usage.cost_usd) AS usage_cost
  FROM usage AS usage
  WHERE
    usage.used_on >= $p1 AND usage.used_on < $p2
  GROUP BY
    1,
    2
)
SELECT
  usage_by_region_and_month.region AS region,
  usage_by_region_and_month.time AS time,
  usage_by_region_and_month.usage_cost AS usage_cost,
  SUM(usage_by_region_and_month.usage_cost) OVER (PARTITION BY usage_by_region_and_month.time) AS cost_of_all_regions,
  SUM(usage_by_region_and_month.usage_cost) OVER (PARTITION BY usage_by_region_and_month.region) AS cost_of_the_region
FROM usage_by_region_and_month
ORDER BY
  time ASC,
  region ASC

-- by hand
with asked as (
  select region, cast(date_trunc('month', used_on) as date) as month, cost_usd
  from usage
  where used_on between '2026-02-01' and '2026-03-31'
)
select region, month as time, sum(cost_usd) as usage_cost,
  (select sum(cost_usd) from asked b where b.month = a.month) as cost_of_all_regions,
  (select sum(cost_usd) from asked b where b.region is not distinct from a.region) as cost_of_the_region
from asked a
group by region, month
order by month, region nulls last
