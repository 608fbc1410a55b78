-- A region that occurs in the question has all of its days: 0 a day in the north's March. Costs that are not known are left out.
-- metrics: [usages_a_day, regional_day]
-- by: [region]
-- grain: month
-- start: 2026-02-01
-- end: 2026-04-01

-- compiled
-- p1: 2026-02-01
-- p2: 2026-04-01
-- p3: 2026-03-31
WITH usages_a_day__parts AS (
  WITH usage_by_region_and_day AS (
    SELECT
      usage.region AS region,
      CAST(usage.used_on AS DATE) AS time,
      COUNT(*) AS usages
    FROM usage AS usage
    WHERE
      usage.used_on >= $p1 AND usage.used_on < $p2
    GROUP BY
      1,
      2
  ), periods AS (
    SELECT
      CAST(time AS DATE) AS time
    FROM (
      SELECT
        UNNEST(GENERATE_SERIES(CAST($p1 AS DATE), CAST($p3 AS DATE), INTERVAL '1' DAY)) AS time
    ) AS starts
  ), keys AS (
    SELECT
      found.region,
      periods.time
    FROM (
      SELECT
        region
      FROM usage_by_region_and_day
      GROUP BY
        1
    ) AS found
    CROSS JOIN periods
  )
  SELECT
    keys.region AS region,
    keys.time AS time,
    COALESCE(usage_by_region_and_day.usages, 0) AS usages
  FROM keys
  LEFT JOIN usage_by_region_and_day
    ON keys.region IS NOT DISTINCT FROM usage_by_region_and_day.region
    AND keys.time IS NOT DISTINCT FROM usage_by_region_and_day.time
), usages_a_day__each AS (
  SELECT
    usages_a_day__parts.region,
    CAST(DATE_TRUNC('MONTH', usages_a_day__parts.time) AS DATE) AS time,
    AVG(usages_a_day__parts.usages) AS usages_a_day,
    COUNT(*) AS usages_a_day__rows,
    COUNT(*) - COUNT(usages_a_day__parts.usages) AS usages_a_day__unknown
  FROM usages_a_day__parts
  WHERE
    NOT usages_a_day__parts.time IS NULL
  GROUP BY
    1,
    2
), regional_day__parts AS (
  WITH usage_by_region_and_day AS (
    SELECT
      usage.region AS region,
      CAST(usage.used_on AS DATE) AS time,
      SUM(usage.cost_usd) AS usage_cost
    FROM usage AS usage
    WHERE
      usage.used_on >= $p1 AND usage.used_on < $p2
    GROUP BY
      1,
      2
  ), periods AS (
    SELECT
      CAST(time AS DATE) AS time
    FROM (
      SELECT
        UNNEST(GENERATE_SERIES(CAST($p1 AS DATE), CAST($p3 AS DATE), INTERVAL '1' DAY)) AS time
    ) AS starts
  ), keys AS (
    SELECT
      found.region,
      periods.time
    FROM (
      SELECT
        region
      FROM usage_by_region_and_day
      GROUP BY
        1
    ) AS found
    CROSS JOIN periods
  )
  SELECT
    keys.region AS region,
    keys.time AS time,
    usage_by_region_and_day.usage_cost AS usage_cost
  FROM keys
  LEFT JOIN usage_by_region_and_day
    ON keys.region IS NOT DISTINCT FROM usage_by_region_and_day.region
    AND keys.time IS NOT DISTINCT FROM usage_by_region_and_day.time
), regional_day__each AS (
  SELECT
    regional_day__parts.region,
    CAST(DATE_TRUNC('MONTH', regional_day__parts.time) AS DATE) AS time,
    QUANTILE_CONT(regional_day__parts.usage_cost, 0.5) AS regional_day,
    COUNT(*) AS regional_day__rows,
    COUNT(*) - COUNT(regional_day__parts.usage_cost) AS regional_day__unknown
  FROM regional_day__parts
  WHERE
    NOT regional_day__parts.time IS NULL
  GROUP BY
    1,
    2
), keys AS (
  SELECT
    region,
    time
  FROM usages_a_day__each
  UNION
  SELECT
    region,
    time
  FROM regional_day__each
)
SELECT
  keys.region AS region,
  keys.time AS time,
  usages_a_day__each.usages_a_day AS usages_a_day,
  regional_day__each.regional_day AS regional_day
FROM keys
LEFT JOIN usages_a_day__each
  ON keys.region IS NOT DISTINCT FROM usages_a_day__each.region
  AND keys.time IS NOT DISTINCT FROM usages_a_day__each.time
LEFT JOIN regional_day__each
  ON keys.region IS NOT DISTINCT FROM regional_day__each.region
  AND keys.time IS NOT DISTINCT FROM regional_day__each.time
ORDER BY
  time ASC,
  region ASC

-- by hand
with asked as (select * from usage where used_on between '2026-02-01' and '2026-03-31'),
days as (select cast(d as date) as day from generate_series(timestamp '2026-02-01', timestamp '2026-03-31', interval 1 day) as s(d)),
cells as (
  select r.region, date_trunc('month', day) as month, day, count(usage_id) as n, sum(cost_usd) as usd
  from (select distinct region from asked) r cross join days
  left join asked on asked.region is not distinct from r.region and used_on = day
  group by all
)
select region, cast(month as date) as time, avg(n) as usages_a_day, median(usd) as regional_day
from cells
group by region, month
order by month, region nulls last
