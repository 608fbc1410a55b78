-- The layer that burn reads: one row a UTC day, driver and whether the amount is known. Each dollar is in each of the two
-- columns at most once: `amount_usd` is what the day used (accrual), `cash_usd` what had to be paid on it.
-- Requests and provider bills for inference are two accounts of the same money, so bills of that category are left out
-- here and only reconciled: a call is paid for on the day it is made, unless credits of its provider are in force on it.
-- Of such a bill only what is for no token is here, its fees, where no other row has them; 4_bill_fees says which.
-- Flows are money of a third account: what is in a charge is not to be a flow as well. Funding is no part of burn.

-- The sums, of which a few days can be asked without computing the others.
CREATE OR REPLACE VIEW daily_sums AS
WITH prepaid AS (
    SELECT DISTINCT provider, starts_on + unnest(range(ends_on - starts_on))::INTEGER AS day FROM credit_purchases
),
parts AS (
    SELECT
        call.started_at::DATE AS day,
        'inference' AS kind,
        'inference' AS driver,
        FALSE AS is_recurring,
        call.cost_usd IS NOT NULL AS is_known,
        call.cost_usd AS amount_usd,
        CASE WHEN prepaid.provider IS NULL THEN call.cash_usd ELSE 0 END AS cash_usd,
        0 AS inflow_usd,
        1 AS row_count
    FROM request_facts AS call
    LEFT JOIN prepaid ON prepaid.provider = call.billing_provider AND prepaid.day = call.started_on
    UNION ALL
    SELECT day, CASE category WHEN 'subscription' THEN 'plans' ELSE 'charges' END, category, FALSE, TRUE, amount_usd, 0, 0, 1
    FROM charge_days
    WHERE category NOT IN ('inference', 'credits')
    UNION ALL
    -- What a bill asks for is paid on the first day that it covers.
    SELECT
        starts_on,
        CASE category WHEN 'subscription' THEN 'plans' ELSE 'charges' END,
        category,
        FALSE,
        TRUE,
        0,
        coalesce(billed_usd, amount_usd),
        0,
        0
    FROM charges
    WHERE category NOT IN ('inference', 'credits')
    UNION ALL
    SELECT charge.day, 'charges', 'fees', FALSE, fee.is_known, CASE WHEN fee.is_known THEN charge.amount_usd END, 0, 0, 1
    FROM fee_facts AS fee
    JOIN charge_days AS charge ON charge.charge_id = fee.charge_id
    WHERE fee.counted_as NOT IN ('CALLS', 'CREDITS')
    UNION ALL
    SELECT
        fee.starts_on,
        'charges',
        'fees',
        FALSE,
        fee.is_known,
        CASE WHEN fee.is_known THEN 0 END,
        CASE WHEN prepaid.provider IS NOT NULL THEN 0 WHEN fee.is_known THEN fee.paid_usd END,
        0,
        0
    FROM fee_facts AS fee
    LEFT JOIN prepaid ON prepaid.provider = fee.provider AND prepaid.day = fee.starts_on
    WHERE fee.counted_as NOT IN ('CALLS', 'CREDITS')
    UNION ALL
    SELECT used_at::DATE, 'credits', 'credits', FALSE, cost_usd IS NOT NULL, cost_usd, 0, 0, 1
    FROM credit_facts
    WHERE counted_as = 'credits'
    UNION ALL
    SELECT day, 'expired_credits', 'credits', FALSE, expired_usd IS NOT NULL, expired_usd, 0, 0, 1
    FROM expired_credits
    UNION ALL
    -- What became of credits is known by their use; where none of it is, neither is what they have cost by now.
    SELECT starts_on, 'credits', 'credits', FALSE, is_use_known, CASE WHEN is_use_known THEN 0 END, paid_usd, 0, 1
    FROM credit_purchases
    UNION ALL
    SELECT
        day,
        'flows',
        kind,
        is_recurring,
        TRUE,
        greatest(-amount_usd, 0),
        greatest(-amount_usd, 0),
        greatest(amount_usd, 0),
        1
    FROM flow_days
    WHERE kind <> 'funding'
)
SELECT
    day, -- UTC; NULL for spend whose time is unknown
    kind, -- inference, charges, plans, credits, expired_credits or flows
    driver, -- inference, the category of the charges, fees of bills, credits, or the kind of the flows
    is_recurring, -- flows that fall on a day of each month, which a forecast reads from the calendar
    is_known,
    sum(amount_usd) AS amount_usd, -- gross, by accrual; NULL in the row of what is unknown
    -- Gross, as it is paid; NULL where that of one call is unknown, beside whatever else is known to be 0.
    CASE WHEN count(cash_usd) = count(*) THEN sum(cash_usd) END AS cash_usd,
    sum(inflow_usd) AS inflow_usd, -- revenue, and other money that came in
    sum(row_count)::BIGINT AS row_count
FROM parts
GROUP BY day, kind, driver, is_recurring, is_known;

-- One row a UTC day, driver and whether the amount is known.
CREATE OR REPLACE VIEW daily_spend_now AS
WITH sums AS MATERIALIZED (FROM daily_sums)
SELECT
    *,
    -- The day in the history of burn, which begins with the first call or charge: one old flow must not stretch the
    -- days that burn is a mean of. NULL for flows before it; of flows alone it begins with the first of them.
    CASE WHEN kind <> 'flows' OR day >= coalesce((SELECT min(day) FROM sums WHERE kind <> 'flows'), day) THEN day END
        AS burn_on
FROM sums;
