-- A contract is found by workspace and plan together; a plan that is null is no plan that a contract could be of.
-- metrics: [logins]
-- by: [currency]

-- compiled
WITH logins_by_currency AS (
  SELECT
    contract.currency AS currency,
    COUNT(*) AS logins
  FROM logins AS logins
  LEFT JOIN contracts AS contract
    ON logins.workspace = contract.workspace AND logins.plan = contract.plan
  GROUP BY
    1
)
SELECT
  logins_by_currency.currency AS currency,
  logins_by_currency.logins AS logins
FROM logins_by_currency
ORDER BY
  currency ASC

-- by hand
select (select currency from contracts c where c.workspace = l.workspace and c.plan = l.plan) as currency, count(*) as logins
from logins l
group by 1
order by 1 nulls last
