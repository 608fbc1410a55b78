-- A month before a range without a grain: 31 March to 25 April becomes 28 February to 25 March, each end moved by itself.
-- metrics: [usage_cost, usages_a_month_before, cost_a_month_before]
-- start: 2026-03-31
-- end: 2026-04-25

-- compiled
-- p1: 2026-03-31
-- p2: 2026-04-25
-- p3: 2026-02-28
-- p4: 2026-03-25
WITH usage_in_all AS (
  SELECT
    SUM(usage.cost_usd) AS usage_cost
  FROM usage AS usage
  WHERE
    usage.used_on >= $p1 AND usage.used_on < $p2
), usage_in_all_1_month_earlier AS (
  SELECT
    COUNT(*) AS usages_a_month_before,
    SUM(usage.cost_usd) AS cost_a_month_before
  FROM usage AS usage
  WHERE
    usage.used_on >= $p3 AND usage.used_on < $p4
)
SELECT
  usage_in_all.usage_cost AS usage_cost,
  usage_in_all_1_month_earlier.usages_a_month_before AS usages_a_month_before,
  usage_in_all_1_month_earlier.cost_a_month_before AS cost_a_month_before
FROM usage_in_all
CROSS JOIN usage_in_all_1_month_earlier

-- by hand
select
  (select sum(cost_usd) from usage where used_on >= '2026-03-31' and used_on < '2026-04-25') as usage_cost,
  count(*) as usages_a_month_before,
  sum(cost_usd) as cost_a_month_before
from usage
where used_on >= '2026-02-28' and used_on < '2026-03-25'
