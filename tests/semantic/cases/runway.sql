-- Cash over burn, and the day on which it is gone: 600 at 120 in 30 days is 150 days after 2026-04-01.
-- metrics: [cash, burn, runway, dry_on]
-- as_of: 2026-04-01

-- compiled
-- p1: 2026-04-02
-- p2: 2026-04-01
WITH balances_spans_per_account AS (
  SELECT
    balances.as_of_on AS from_day,
    LEAD(balances.as_of_on) OVER (PARTITION BY balances.account ORDER BY balances.as_of_on) AS until_day,
    balances.balance_usd AS cash
  FROM balances AS balances
  WHERE
    (
      balances.as_of_on < $p1 OR balances.as_of_on IS NULL
    )
), bills_each_day AS (
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
    CAST($p2 AS DATE) AS ends_on,
    CAST($p2 AS DATE) AS known_on
), balances_carried_per_account AS (
  SELECT
    SUM(balances_spans_per_account.cash) AS cash
  FROM periods
  LEFT JOIN balances_spans_per_account
    ON balances_spans_per_account.from_day <= periods.known_on
    AND (
      balances_spans_per_account.until_day IS NULL
      OR balances_spans_per_account.until_day > periods.known_on
    )
), bills_rolling AS (
  SELECT
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
)
SELECT
  balances_carried_per_account.cash AS cash,
  bills_rolling.burn AS burn,
  CASE
    WHEN balances_carried_per_account.cash <= 0
    THEN 0
    WHEN bills_rolling.burn > 0
    THEN CAST(balances_carried_per_account.cash AS DOUBLE) / NULLIF(CAST(bills_rolling.burn AS DOUBLE), 0)
  END AS runway,
  CASE
    WHEN ABS(
      CEIL(
        ROUND(
          CAST(CASE
            WHEN balances_carried_per_account.cash <= 0
            THEN 0
            WHEN bills_rolling.burn > 0
            THEN CAST(balances_carried_per_account.cash AS DOUBLE) / NULLIF(CAST(bills_rolling.burn AS DOUBLE), 0)
          END AS DOUBLE) * 30.4375,
          9
        )
      )
    ) <= 36525
    THEN CAST(periods.ends_on + INTERVAL (CAST(CEIL(
      ROUND(
        CAST(CASE
          WHEN balances_carried_per_account.cash <= 0
          THEN 0
          WHEN bills_rolling.burn > 0
          THEN CAST(balances_carried_per_account.cash AS DOUBLE) / NULLIF(CAST(bills_rolling.burn AS DOUBLE), 0)
        END AS DOUBLE) * 30.4375,
        9
      )
    ) AS INT)) DAY AS DATE)
  END AS dry_on
FROM balances_carried_per_account
CROSS JOIN bills_rolling
CROSS JOIN periods

-- by hand
with facts as (
  select
    (select sum(balance_usd) from balances where (account, as_of_on) in (('ops', date '2026-03-20'), ('pay', date '2026-03-05'))) as cash,
    (select cast(sum(amount_usd) as double) from bills where paid_on between '2026-03-02' and '2026-03-31') / 30 * 30.4375 as burn
)
select cash, burn, cash / burn as runway, date '2026-08-29' as dry_on
from facts
