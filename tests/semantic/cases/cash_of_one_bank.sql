-- An account that has moved to another bank is no longer with the old one, whether one cuts by bank or asks for one.
-- metrics: [cash]
-- by: [account]
-- where: bank = 'old'

-- compiled
-- p1: 2026-05-02
-- p2: old
-- p3: 2026-05-01
WITH balances_spans_per_account AS (
  SELECT
    account,
    from_day,
    until_day,
    cash
  FROM (
    SELECT
      balances.account AS account,
      balances.as_of_on AS from_day,
      LEAD(balances.as_of_on) OVER (PARTITION BY balances.account ORDER BY balances.as_of_on) AS until_day,
      balances.balance_usd AS cash,
      balances.bank = $p2 AS is_asked
    FROM balances AS balances
    WHERE
      (
        balances.as_of_on < $p1 OR balances.as_of_on IS NULL
      )
  ) AS every_span
  WHERE
    is_asked
), periods AS (
  SELECT
    CAST($p3 AS DATE) AS ends_on,
    CAST($p3 AS DATE) AS known_on
), balances_carried_per_account AS (
  SELECT
    balances_spans_per_account.account AS account,
    SUM(balances_spans_per_account.cash) AS cash
  FROM periods
  JOIN balances_spans_per_account
    ON balances_spans_per_account.from_day <= periods.known_on
    AND (
      balances_spans_per_account.until_day IS NULL
      OR balances_spans_per_account.until_day > periods.known_on
    )
  GROUP BY
    1
)
SELECT
  balances_carried_per_account.account AS account,
  balances_carried_per_account.cash AS cash
FROM balances_carried_per_account
ORDER BY
  account ASC

-- by hand
select account, balance_usd as cash
from balances b
where bank = 'old' and not exists (select * from balances n where n.account = b.account and n.as_of_on > b.as_of_on)
order by account
