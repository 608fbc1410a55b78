-- A month with a row has its own value, known or not; one without has that of the last month with rows, also from before the range.
-- metrics: [small_cost_carried]
-- by: [region]
-- grain: month
-- start: 2026-02-01
-- end: 2026-06-01

-- compiled
-- p1: 2026-06-01
-- p2: 2026-02-01
-- p3: 2026-05-31
WITH usage_each_month AS (
  SELECT
    usage.region AS region,
    CAST(DATE_TRUNC('MONTH', usage.used_on) AS DATE) AS time,
    SUM(usage.cost_usd) FILTER(WHERE
      usage.model = 'small') AS small_cost_carried,
    COUNT(*) FILTER(WHERE
      usage.model = 'small') AS small_cost_carried__rows
  FROM usage AS usage
  WHERE
    usage.used_on < $p1
  GROUP BY
    1,
    2
), usage_small_cost_carried_carried_spans AS (
  SELECT
    region,
    time,
    small_cost_carried,
    small_cost_carried__rows,
    LEAD(time) OVER (PARTITION BY region ORDER BY time) AS next_time
  FROM usage_each_month
  WHERE
    NOT time IS NULL AND small_cost_carried__rows > 0
), periods AS (
  SELECT
    CAST(time AS DATE) AS time
  FROM (
    SELECT
      UNNEST(GENERATE_SERIES(CAST($p2 AS DATE), CAST($p3 AS DATE), INTERVAL '1' MONTH)) AS time
  ) AS starts
), usage_small_cost_carried_carried AS (
  SELECT
    usage_small_cost_carried_carried_spans.region AS region,
    periods.time AS time,
    usage_small_cost_carried_carried_spans.small_cost_carried AS small_cost_carried,
    CAST(COALESCE(usage_small_cost_carried_carried_spans.small_cost_carried__rows, 0) AS BIGINT) AS small_cost_carried__rows
  FROM periods
  JOIN usage_small_cost_carried_carried_spans
    ON usage_small_cost_carried_carried_spans.time <= periods.time
    AND (
      usage_small_cost_carried_carried_spans.next_time IS NULL
      OR usage_small_cost_carried_carried_spans.next_time > periods.time
    )
)
SELECT
  usage_small_cost_carried_carried.region AS region,
  usage_small_cost_carried_carried.time AS time,
  usage_small_cost_carried_carried.small_cost_carried AS small_cost_carried
FROM usage_small_cost_carried_carried
ORDER BY
  time ASC,
  region ASC

-- by hand
with costs as (
  select region, date_trunc('month', used_on) as month, sum(cost_usd) as usd
  from usage
  where model = 'small' and used_on is not null
  group by all
)
select region, m as time, max_by(struct_pack(usd := usd), month).usd as small_cost_carried
from (values (date '2026-02-01'), (date '2026-03-01'), (date '2026-04-01'), (date '2026-05-01')) as months(m)
join costs on month <= m
group by region, m
order by m, region nulls last
