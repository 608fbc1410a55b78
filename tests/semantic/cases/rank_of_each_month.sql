-- Each month has a first place of its own.
-- metrics: [usage_cost, cheapest]
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
  region,
  time,
  usage_cost,
  CASE
    WHEN NOT usage_cost IS NULL
    THEN RANK() OVER (PARTITION BY time ORDER BY usage_cost ASC)
  END AS cheapest
FROM (
  SELECT
    usage_by_region_and_month.region AS region,
    usage_by_region_and_month.time AS time,
    usage_by_region_and_month.usage_cost AS usage_cost
  FROM usage_by_region_and_month
) AS answers
ORDER BY
  time ASC,
  region ASC

-- by hand
with costs as (
  select region, cast(date_trunc('month', used_on) as date) as month, sum(cost_usd) as usd
  from usage
  where used_on between '2026-02-01' and '2026-03-31'
  group by all
)
select region, month as time, usd as usage_cost,
  case when usd is not null then 1 + (select count(*) from costs o where o.month = c.month and o.usd < c.usd) end as cheapest
from costs c
order by month, region nulls last
