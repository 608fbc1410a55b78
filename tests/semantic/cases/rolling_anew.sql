-- The median and the distinct models of sixty days are taken of their rows: no sum over shorter stretches gives them.
-- metrics: [median_of_60_days, models_of_60_days]
-- by: [region]
-- grain: month
-- start: 2026-02-01
-- end: 2026-04-01

-- compiled
-- p1: 2025-12-31
-- p2: 2026-04-01
-- p3: 2026-02-01
-- p4: 2026-03-31
WITH periods AS (
  SELECT
    CAST(time AS DATE) AS time,
    LEAST(CAST(time + INTERVAL 1 MONTH AS DATE), CAST($p2 AS DATE)) AS ends_on
  FROM (
    SELECT
      UNNEST(GENERATE_SERIES(CAST($p3 AS DATE), CAST($p4 AS DATE), INTERVAL '1' MONTH)) AS time
  ) AS starts
), usage_rolling_60_days AS (
  SELECT
    usage.region AS region,
    periods.time AS time,
    QUANTILE_CONT(usage.cost_usd, 0.5) AS median_of_60_days,
    CAST(COUNT(DISTINCT usage.model) AS BIGINT) AS models_of_60_days
  FROM usage AS usage
  JOIN periods
    ON usage.used_on >= CAST(periods.ends_on + INTERVAL (-60) DAY AS DATE)
    AND usage.used_on < periods.ends_on
  WHERE
    usage.used_on >= $p1 AND usage.used_on < $p2
  GROUP BY
    1,
    2
)
SELECT
  usage_rolling_60_days.region AS region,
  usage_rolling_60_days.time AS time,
  usage_rolling_60_days.median_of_60_days AS median_of_60_days,
  usage_rolling_60_days.models_of_60_days AS models_of_60_days
FROM usage_rolling_60_days
ORDER BY
  time ASC,
  region ASC

-- by hand
select region, m as time, median(cost_usd) as median_of_60_days, count(distinct model) as models_of_60_days
from (values (date '2026-02-01', date '2026-03-01'), (date '2026-03-01', date '2026-04-01')) as months(m, next)
join usage on used_on >= next - 60 and used_on < next
group by region, m
order by m, region nulls last
