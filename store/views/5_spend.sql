-- One row a UTC day, kind and whether the amount is known: the layer that burn reads. Each dollar is in each of the two
-- columns at most once: `amount_usd` is what the day used (accrual), `cash_usd` what had to be paid on it.
-- Requests and provider bills for inference are two accounts of the same money, so bills of that category are left out
-- here and only reconciled: a call is paid for on the day it is made, unless credits of its provider were bought before.
CREATE OR REPLACE VIEW daily_spend_now AS
WITH prepaid AS (
    SELECT provider, min(starts_on) AS since_on FROM credit_purchases GROUP BY provider
),
parts AS (
    SELECT
        call.started_at::DATE AS day, -- UTC; NULL for spend whose time is unknown
        'inference' AS kind,
        call.cost_usd IS NOT NULL AS is_known,
        call.cost_usd AS amount_usd, -- NULL where the cost is unknown
        CASE WHEN prepaid.provider IS NULL THEN call.cost_usd ELSE 0 END AS cash_usd
    FROM request_facts AS call
    LEFT JOIN prepaid ON prepaid.provider = call.billing_provider AND prepaid.since_on <= call.started_at::DATE
    UNION ALL
    SELECT day, CASE category WHEN 'subscription' THEN 'plans' ELSE 'charges' END, TRUE, amount_usd, 0
    FROM charge_days
    WHERE category NOT IN ('inference', 'credits')
    UNION ALL
    SELECT used_at::DATE, 'credits', cost_usd IS NOT NULL, cost_usd, 0
    FROM credit_facts
    WHERE counted_as = 'credits'
    UNION ALL
    SELECT day, 'expired_credits', TRUE, expired_usd, 0
    FROM expired_credits
    UNION ALL
    -- What became of credits is known by their use; where none of it is, neither is what they have cost by now.
    SELECT starts_on, 'credits', is_use_known, CASE WHEN is_use_known THEN 0 END, paid_usd
    FROM credit_purchases
),
paid AS (
    SELECT
        starts_on AS day, -- a bill is paid on the first day that it is for
        CASE category WHEN 'subscription' THEN 'plans' ELSE 'charges' END AS kind,
        sum(coalesce(billed_usd, amount_usd)) AS cash_usd
    FROM charges
    WHERE category NOT IN ('inference', 'credits')
    GROUP BY ALL
),
accrued AS (
    SELECT
        day, kind, is_known, sum(amount_usd) AS amount_usd, sum(cash_usd) AS cash_usd, count(*) AS row_count
    FROM parts
    GROUP BY day, kind, is_known
)
SELECT
    accrued.day,
    accrued.kind, -- inference, charges, plans, credits or expired_credits
    accrued.is_known,
    accrued.amount_usd, -- accrual; NULL in the row of what is unknown
    accrued.cash_usd + coalesce(paid.cash_usd, 0) AS cash_usd, -- NULL where a call's cost is unknown
    accrued.row_count
FROM accrued
LEFT JOIN paid ON paid.day = accrued.day AND paid.kind = accrued.kind;
