-- The last balance of each account at the end of the month; an unknown balance adds nothing and is counted as unknown.
-- metrics: [cash]
-- grain: month
-- start: 2026-01-01
-- end: 2026-05-01
-- evidence: true

-- compiled
-- p1: 2026-05-01
-- p2: 2026-01-01
-- p3: 2026-04-30
WITH balances_spans_per_account AS (
  SELECT
    balances.as_of_on AS from_day,
    LEAD(balances.as_of_on) OVER (PARTITION BY balances.account ORDER BY balances.as_of_on) AS until_day,
    balances.balance_usd AS cash
  FROM balances AS balances
  WHERE
    balances.as_of_on < $p1
), periods AS (
  SELECT
    CAST(time AS DATE) AS time,
    LEAST(
      CAST(CAST(time + INTERVAL 1 MONTH AS DATE) + INTERVAL (-1) DAY AS DATE),
      CAST($p3 AS DATE)
    ) AS known_on
  FROM (
    SELECT
      UNNEST(GENERATE_SERIES(CAST($p2 AS DATE), CAST($p3 AS DATE), INTERVAL '1' MONTH)) AS time
  ) AS starts
), balances_last_per_account AS (
  SELECT
    periods.time AS time,
    SUM(balances_spans_per_account.cash) AS cash,
    COUNT(balances_spans_per_account.from_day) AS cash__rows,
    COUNT(balances_spans_per_account.from_day) - COUNT(balances_spans_per_account.cash) AS cash__unknown
  FROM periods
  LEFT JOIN balances_spans_per_account
    ON balances_spans_per_account.from_day <= periods.known_on
    AND (
      balances_spans_per_account.until_day IS NULL
      OR balances_spans_per_account.until_day > periods.known_on
    )
  GROUP BY
    1
)
SELECT
  periods.time AS time,
  balances_last_per_account.cash AS cash,
  COALESCE(balances_last_per_account.cash__rows, 0) AS cash__rows,
  COALESCE(balances_last_per_account.cash__unknown, 0) AS cash__unknown
FROM periods
LEFT JOIN balances_last_per_account
  ON periods.time IS NOT DISTINCT FROM balances_last_per_account.time
ORDER BY
  time ASC

-- by hand
with months(m, last) as (
  values (date '2026-01-01', date '2026-01-31'), (date '2026-02-01', date '2026-02-28'),
         (date '2026-03-01', date '2026-03-31'), (date '2026-04-01', date '2026-04-30')
),
latest as (
  select m, account, max_by(struct_pack(usd := balance_usd), as_of_on).usd as usd
  from months join balances on as_of_on <= last
  group by m, account
)
select m as time, sum(usd) as cash, count(account) as cash__rows, count(account) - count(usd) as cash__unknown
from months left join latest using (m)
group by m
order by m
