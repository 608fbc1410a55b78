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
    COUNT(*) AS burn__rows,
    COUNT(*) FILTER(WHERE
      bills.amount_usd IS NULL) AS burn__unknown
  FROM bills AS bills
  WHERE
    (
      bills.paid_on < $p1 OR bills.paid_on IS NULL
    )
  GROUP BY
    1
), bills_history AS (
  SELECT
    MIN(bills.paid_on) AS first_day
  FROM bills AS bills
), periods AS (
  SELECT
    CAST(time AS DATE) AS time,
    LEAST(CAST(time + INTERVAL '1' MONTH AS DATE), CAST($p2 AS DATE)) AS ends_on,
    LEAST(
      CAST(CAST(time + INTERVAL '1' MONTH AS DATE) + INTERVAL (-1) DAY AS DATE),
      CAST($p2 AS DATE)
    ) AS known_on
  FROM (
    SELECT
      UNNEST(
        GENERATE_SERIES(
          (
            SELECT
              MIN(day)
            FROM (
              SELECT
                MIN(CAST(DATE_TRUNC('MONTH', CAST(bills_each_day.on_day AS DATE)) AS DATE)) AS day
              FROM bills_each_day
            ) AS bounds
          ),
          (
            SELECT
              MAX(day)
            FROM (
              SELECT
                MAX(CAST(DATE_TRUNC('MONTH', CAST(bills_each_day.on_day AS DATE)) AS DATE)) AS day
              FROM bills_each_day
            ) AS bounds
          ),
          INTERVAL '1' MONTH
        )
      ) AS time
  ) AS starts
), bills_rolling AS (
  SELECT
    periods.time AS time,
    CASE
      WHEN COALESCE(SUM(bills_each_day.burn__rows), 0) = 0
      THEN 0
      ELSE CAST(SUM(bills_each_day.burn) AS DOUBLE) / NULLIF(
        CAST(LEAST(30, DATE_DIFF('DAY', MIN(bills_history.first_day), MIN(periods.ends_on))) AS DOUBLE),
        0
      ) * 30.4375
    END AS burn,
    CAST(SUM(bills_each_day.burn__rows) AS BIGINT) AS burn__rows,
    CAST(SUM(bills_each_day.burn__unknown) AS BIGINT) AS burn__unknown
  FROM periods
  LEFT JOIN bills_each_day
    ON bills_each_day.on_day >= CAST(periods.ends_on + INTERVAL (-30) DAY AS DATE)
    AND bills_each_day.on_day < periods.ends_on
  CROSS JOIN bills_history
  GROUP BY
    1
), keys AS (
  SELECT
    time
  FROM periods
  UNION
  SELECT
    time
  FROM bills_rolling
)
SELECT
  keys.time AS time,
  CASE WHEN bills_rolling.burn__rows IS NULL THEN 0 ELSE bills_rolling.burn END AS burn
FROM keys
LEFT JOIN bills_rolling
  ON keys.time IS NOT DISTINCT FROM bills_rolling.time
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
