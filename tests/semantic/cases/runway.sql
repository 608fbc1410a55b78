-- Cash over burn, and the day on which it is gone: 600 at 120 in 30 days is 150 days after 2026-04-01.
-- metrics: [cash, burn, runway, dry_on]
-- as_of: 2026-04-01

-- compiled
-- p1: 2026-04-02
-- p2: 2026-03-02
-- p3: 2026-04-01
WITH balances_spans_per_account AS (
  SELECT
    balances.as_of_on AS from_day,
    LEAD(balances.as_of_on) OVER (PARTITION BY balances.account ORDER BY balances.as_of_on) AS until_day,
    balances.as_of_on AS from_time,
    balances.balance_usd AS cash
  FROM balances AS balances
  WHERE
    balances.as_of_on < $p1
), bills_in_all_rolling_30_days_per_month AS (
  SELECT
    CASE WHEN COUNT(*) = 0 THEN 0 ELSE SUM(bills.amount_usd) END AS burn
  FROM bills AS bills
  WHERE
    bills.paid_on >= $p2 AND bills.paid_on < $p3
), bills_history AS (
  SELECT
    MIN(bills.paid_on) AS first_day
  FROM bills AS bills
), whole_range AS (
  SELECT
    CAST($p3 AS DATE) AS ends_on,
    CAST($p3 AS DATE) AS known_on
), balances_last_per_account AS (
  SELECT
    SUM(balances_spans_per_account.cash) AS cash
  FROM whole_range
  LEFT JOIN balances_spans_per_account
    ON balances_spans_per_account.from_day <= whole_range.known_on
    AND (
      balances_spans_per_account.until_day IS NULL
      OR balances_spans_per_account.until_day > whole_range.known_on
    )
), bills_in_all_rolling_30_days_per_month_per_unit AS (
  SELECT
    CAST(bills_in_all_rolling_30_days_per_month.burn AS DOUBLE) / NULLIF(
      CAST(LEAST(30, DATE_DIFF('DAY', bills_history.first_day, whole_range.ends_on)) AS DOUBLE),
      0
    ) * 30.4375 AS burn
  FROM bills_in_all_rolling_30_days_per_month
  CROSS JOIN bills_history
  CROSS JOIN whole_range
)
SELECT
  balances_last_per_account.cash AS cash,
  CASE
    WHEN (
      SELECT
        bills_history.first_day
      FROM bills_history
    ) < CAST($p3 AS DATE)
    THEN bills_in_all_rolling_30_days_per_month_per_unit.burn
    ELSE 0
  END AS burn,
  CASE
    WHEN balances_last_per_account.cash <= 0
    THEN 0
    WHEN CASE
      WHEN (
        SELECT
          bills_history.first_day
        FROM bills_history
      ) < CAST($p3 AS DATE)
      THEN bills_in_all_rolling_30_days_per_month_per_unit.burn
      ELSE 0
    END > 0
    THEN CAST(balances_last_per_account.cash AS DOUBLE) / NULLIF(
      CAST(CASE
        WHEN (
          SELECT
            bills_history.first_day
          FROM bills_history
        ) < CAST($p3 AS DATE)
        THEN bills_in_all_rolling_30_days_per_month_per_unit.burn
        ELSE 0
      END AS DOUBLE),
      0
    )
  END AS runway,
  CASE
    WHEN ABS(
      CEIL(
        ROUND(
          CAST(CASE
            WHEN balances_last_per_account.cash <= 0
            THEN 0
            WHEN CASE
              WHEN (
                SELECT
                  bills_history.first_day
                FROM bills_history
              ) < CAST($p3 AS DATE)
              THEN bills_in_all_rolling_30_days_per_month_per_unit.burn
              ELSE 0
            END > 0
            THEN CAST(balances_last_per_account.cash AS DOUBLE) / NULLIF(
              CAST(CASE
                WHEN (
                  SELECT
                    bills_history.first_day
                  FROM bills_history
                ) < CAST($p3 AS DATE)
                THEN bills_in_all_rolling_30_days_per_month_per_unit.burn
                ELSE 0
              END AS DOUBLE),
              0
            )
          END AS DOUBLE) * 30.4375,
          9
        )
      )
    ) <= 36525
    THEN CAST(whole_range.ends_on + INTERVAL (CAST(CEIL(
      ROUND(
        CAST(CASE
          WHEN balances_last_per_account.cash <= 0
          THEN 0
          WHEN CASE
            WHEN (
              SELECT
                bills_history.first_day
              FROM bills_history
            ) < CAST($p3 AS DATE)
            THEN bills_in_all_rolling_30_days_per_month_per_unit.burn
            ELSE 0
          END > 0
          THEN CAST(balances_last_per_account.cash AS DOUBLE) / NULLIF(
            CAST(CASE
              WHEN (
                SELECT
                  bills_history.first_day
                FROM bills_history
              ) < CAST($p3 AS DATE)
              THEN bills_in_all_rolling_30_days_per_month_per_unit.burn
              ELSE 0
            END AS DOUBLE),
            0
          )
        END AS DOUBLE) * 30.4375,
        9
      )
    ) AS INT)) DAY AS DATE)
  END AS dry_on
FROM balances_last_per_account
CROSS JOIN bills_in_all_rolling_30_days_per_month_per_unit
CROSS JOIN whole_range

-- by hand
with facts as (
  select
    (select sum(balance_usd) from balances where (account, as_of_on) in (('ops', date '2026-03-20'), ('pay', date '2026-03-05'))) as cash,
    (select cast(sum(amount_usd) as double) from bills where paid_on between '2026-03-02' and '2026-03-31') / 30 * 30.4375 as burn
)
select cash, burn, cash / burn as runway, date '2026-08-29' as dry_on
from facts
