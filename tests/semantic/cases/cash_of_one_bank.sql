-- An account that has moved to another bank is no longer with the old one, whether one cuts by bank or asks for one.
-- metrics: [cash]
-- by: [account]
-- where: bank = 'old'

-- compiled
-- p1: old
-- p2: 2026-05-02
-- p3: 2026-05-01
WITH balances_spans_per_account AS (
  SELECT
    account,
    from_day,
    until_day,
    from_time,
    cash
  FROM (
    SELECT
      balances.account AS account,
      balances.as_of_on AS from_day,
      LEAD(balances.as_of_on) OVER (PARTITION BY balances.account ORDER BY balances.as_of_on) AS until_day,
      balances.as_of_on AS from_time,
      balances.balance_usd AS cash,
      balances.bank = $p1 AS is_asked_0
    FROM balances AS balances
    WHERE
      balances.as_of_on < $p2
  ) AS every_span
  WHERE
    is_asked_0
), whole_range AS (
  SELECT
    CAST($p3 AS DATE) AS known_on
), balances_last_per_account AS (
  SELECT
    balances_spans_per_account.account AS account,
    SUM(balances_spans_per_account.cash) AS cash
  FROM whole_range
  JOIN balances_spans_per_account
    ON balances_spans_per_account.from_day <= whole_range.known_on
    AND (
      balances_spans_per_account.until_day IS NULL
      OR balances_spans_per_account.until_day > whole_range.known_on
    )
  GROUP BY
    1
)
SELECT
  balances_last_per_account.account AS account,
  balances_last_per_account.cash AS cash
FROM balances_last_per_account
ORDER BY
  account ASC

-- by hand
select account, balance_usd as cash
from balances b
where bank = 'old' and not exists (select * from balances n where n.account = b.account and n.as_of_on > b.as_of_on)
order by account
