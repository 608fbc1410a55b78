-- Three months before the end of the month; asked on 31 March they begin with 31 December, which is where history does, too.
-- metrics: [quarter_kept, quarter_scaled, quarter_whole]
-- grain: month
-- start: 2026-01-01
-- as_of: 2026-03-31

-- compiled
-- p1: 2025-11-01
-- p2: 2026-04-01
-- p3: 2026-03-31
-- p4: 2026-01-01
WITH usage_each_day AS (
  SELECT
    usage.used_on AS on_day,
    SUM(usage.cost_usd) AS quarter_kept,
    SUM(usage.cost_usd) AS quarter_scaled,
    SUM(usage.cost_usd) AS quarter_whole
  FROM usage AS usage
  WHERE
    usage.used_on >= $p1 AND usage.used_on < $p2
  GROUP BY
    1
), usage_history AS (
  SELECT
    MIN(usage.used_on) AS first_day
  FROM usage AS usage
), periods AS (
  SELECT
    CAST(time AS DATE) AS time,
    LEAST(CAST(time + INTERVAL 1 MONTH AS DATE), CAST($p3 AS DATE)) AS ends_on
  FROM (
    SELECT
      UNNEST(
        GENERATE_SERIES(
          CAST($p4 AS DATE),
          (
            SELECT
              CAST(DATE_TRUNC('MONTH', MAX(usage_each_day.on_day)) AS DATE)
            FROM usage_each_day
          ),
          INTERVAL '1' MONTH
        )
      ) AS time
  ) AS starts
), usage_rolling_3_months_per_month_keep AS (
  SELECT
    periods.time AS time,
    CAST(SUM(usage_each_day.quarter_kept) AS DOUBLE) / NULLIF(3, 0) * 1 AS quarter_kept
  FROM periods
  LEFT JOIN usage_each_day
    ON usage_each_day.on_day >= CAST(periods.ends_on + INTERVAL (-3) MONTH AS DATE)
    AND usage_each_day.on_day < periods.ends_on
  GROUP BY
    1
), usage_rolling_3_months_per_month AS (
  SELECT
    periods.time AS time,
    CAST(SUM(usage_each_day.quarter_scaled) AS DOUBLE) / NULLIF(
      CAST(LEAST(
        3,
        GREATEST(
          1,
          (
            (
              EXTRACT(YEAR FROM MIN(periods.ends_on)) * 12 + EXTRACT(MONTH FROM MIN(periods.ends_on))
            ) - (
              EXTRACT(YEAR FROM MIN(usage_history.first_day)) * 12 + EXTRACT(MONTH FROM MIN(usage_history.first_day))
            )
          ) + CASE
            WHEN CAST(MIN(periods.ends_on) + INTERVAL (-(
              (
                EXTRACT(YEAR FROM MIN(periods.ends_on)) * 12 + EXTRACT(MONTH FROM MIN(periods.ends_on))
              ) - (
                EXTRACT(YEAR FROM MIN(usage_history.first_day)) * 12 + EXTRACT(MONTH FROM MIN(usage_history.first_day))
              )
            )) MONTH AS DATE) > MIN(usage_history.first_day)
            THEN 1
            ELSE 0
          END
        )
      ) AS DOUBLE),
      0
    ) * 1 AS quarter_scaled
  FROM periods
  LEFT JOIN usage_each_day
    ON usage_each_day.on_day >= CAST(periods.ends_on + INTERVAL (-3) MONTH AS DATE)
    AND usage_each_day.on_day < periods.ends_on
  CROSS JOIN usage_history
  GROUP BY
    1
), usage_rolling_3_months_null AS (
  SELECT
    periods.time AS time,
    SUM(usage_each_day.quarter_whole) AS quarter_whole
  FROM periods
  LEFT JOIN usage_each_day
    ON usage_each_day.on_day >= CAST(periods.ends_on + INTERVAL (-3) MONTH AS DATE)
    AND usage_each_day.on_day < periods.ends_on
  GROUP BY
    1
)
SELECT
  periods.time AS time,
  usage_rolling_3_months_per_month_keep.quarter_kept AS quarter_kept,
  CASE
    WHEN (
      SELECT
        usage_history.first_day
      FROM usage_history
    ) < LEAST(CAST(periods.time + INTERVAL 1 MONTH AS DATE), CAST($p3 AS DATE))
    THEN usage_rolling_3_months_per_month.quarter_scaled
  END AS quarter_scaled,
  CASE
    WHEN (
      SELECT
        usage_history.first_day
      FROM usage_history
    ) <= CAST(LEAST(CAST(periods.time + INTERVAL 1 MONTH AS DATE), CAST($p3 AS DATE)) + INTERVAL (-3) MONTH AS DATE)
    AND NOT periods.time IS NULL
    THEN usage_rolling_3_months_null.quarter_whole
  END AS quarter_whole
FROM periods
LEFT JOIN usage_rolling_3_months_per_month_keep
  ON periods.time IS NOT DISTINCT FROM usage_rolling_3_months_per_month_keep.time
LEFT JOIN usage_rolling_3_months_per_month
  ON periods.time IS NOT DISTINCT FROM usage_rolling_3_months_per_month.time
LEFT JOIN usage_rolling_3_months_null
  ON periods.time IS NOT DISTINCT FROM usage_rolling_3_months_null.time
ORDER BY
  time ASC

-- by hand
with months(m, since, until, months_known) as (
  values (date '2026-01-01', date '2025-11-01', date '2026-02-01', 2),  -- history begins on 2025-12-31
         (date '2026-02-01', date '2025-12-01', date '2026-03-01', 3),
         (date '2026-03-01', date '2025-12-31', date '2026-03-31', 3)
),
sums as (
  select *, (select cast(sum(cost_usd) as double) from usage where used_on >= since and used_on < until) as usd
  from months
)
select m as time, usd / 3 as quarter_kept, usd / months_known as quarter_scaled, case when since >= date '2025-12-31' then usd end as quarter_whole
from sums
order by m
