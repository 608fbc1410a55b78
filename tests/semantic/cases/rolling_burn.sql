-- The 30 days before the end of each month, or of the days that bills go back, where those are fewer.
-- metrics: [burn]
-- grain: month
-- as_of: 2026-04-03

-- compiled
-- p1: 2026-04-04
-- p2: 2026-04-03
WITH bills_each_day AS (
  SELECT
    bills.paid_on AS on_day,
    SUM(bills.amount_usd) AS burn,
    COUNT(*) AS burn__rows
  FROM bills AS bills
  WHERE
    bills.paid_on < $p1
  GROUP BY
    1
), bills_history AS (
  SELECT
    MIN(bills.paid_on) AS first_day
  FROM bills AS bills
), periods AS (
  SELECT
    CAST(time AS DATE) AS time,
    LEAST(CAST(time + INTERVAL 1 MONTH AS DATE), CAST($p2 AS DATE)) AS ends_on
  FROM (
    SELECT
      UNNEST(
        GENERATE_SERIES(
          (
            SELECT
              CAST(DATE_TRUNC('MONTH', MIN(bills_each_day.on_day)) AS DATE)
            FROM bills_each_day
          ),
          (
            SELECT
              CAST(DATE_TRUNC('MONTH', MAX(bills_each_day.on_day)) AS DATE)
            FROM bills_each_day
          ),
          INTERVAL '1' MONTH
        )
      ) AS time
  ) AS starts
), bills_rolling_30_days_per_month AS (
  SELECT
    periods.time AS time,
    CAST(CASE
      WHEN COALESCE(SUM(bills_each_day.burn__rows), 0) = 0
      THEN 0
      ELSE SUM(bills_each_day.burn)
    END AS DOUBLE) / NULLIF(
      CAST(LEAST(30, DATE_DIFF('DAY', MIN(bills_history.first_day), MIN(periods.ends_on))) AS DOUBLE),
      0
    ) * 30.4375 AS burn,
    CAST(COALESCE(SUM(bills_each_day.burn__rows), 0) AS BIGINT) AS burn__rows
  FROM periods
  LEFT JOIN bills_each_day
    ON bills_each_day.on_day >= CAST(periods.ends_on + INTERVAL (-30) DAY AS DATE)
    AND bills_each_day.on_day < periods.ends_on
  CROSS JOIN bills_history
  GROUP BY
    1
)
SELECT
  bills_rolling_30_days_per_month.time AS time,
  CASE
    WHEN (
      SELECT
        bills_history.first_day
      FROM bills_history
    ) < LEAST(
      CAST(bills_rolling_30_days_per_month.time + INTERVAL 1 MONTH AS DATE),
      CAST($p2 AS DATE)
    )
    THEN bills_rolling_30_days_per_month.burn
    ELSE 0
  END AS burn
FROM bills_rolling_30_days_per_month
ORDER BY
  time ASC

-- by hand
with months(m, ends_on, days) as (
  values (date '2026-02-01', date '2026-03-01', 9),   -- bills begin on 02-20: nine days
         (date '2026-03-01', date '2026-04-01', 30),
         (date '2026-04-01', date '2026-04-03', 30)   -- asked on 04-03: that day is not over
)
select m as time,
  (select cast(sum(amount_usd) as double) from bills where paid_on >= ends_on - 30 and paid_on < ends_on) / days * 30.4375 as burn
from months
order by m
