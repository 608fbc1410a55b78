-- Fees on providers' bills are spend of their own: no call's tokens cover a search or a container. What may have the same
-- money already is told here, once, for burn and for the comparison of the bill.

-- One row a fee on a bill.
CREATE OR REPLACE VIEW fee_facts_now AS
WITH prices_with_fees AS (
    SELECT price_id FROM newest_prices WHERE per_call_fee <> 0
),
-- Bills that nobody names may be of anybody, and so may calls.
beside AS (
    SELECT
        fee.charge_id,
        coalesce(days.provider = fee.provider, fee.provider IS NULL) AS is_its_own,
        days.calls - days.included_calls AS calls,
        days.billed_calls,
        days.computed_usd,
        days.billed_calls + days.reported_calls
            + CASE WHEN days.price_id IN (FROM prices_with_fees) THEN days.priced_calls ELSE 0 END AS stated_calls
    FROM billed_fees AS fee
    JOIN computed_days AS days
        ON coalesce(days.provider = fee.provider, TRUE)
        AND fee.period_starts_on <= days.day AND days.day < fee.period_ends_on
),
made AS (
    SELECT
        charge_id,
        coalesce(sum(calls) FILTER (WHERE is_its_own), 0) AS calls,
        coalesce(sum(billed_calls) FILTER (WHERE is_its_own), 0) AS billed_calls,
        coalesce(sum(computed_usd) FILTER (WHERE is_its_own), 0) AS calls_usd,
        coalesce(sum(stated_calls) FILTER (WHERE is_its_own), 0) AS stated_calls,
        coalesce(sum(stated_calls) FILTER (WHERE NOT is_its_own), 0) AS unnamed_calls
    FROM beside
    GROUP BY charge_id
),
-- A call without a day may be of any.
undated AS (
    SELECT DISTINCT fee.charge_id
    FROM billed_fees AS fee
    JOIN request_facts AS call ON coalesce(call.billing_provider = fee.provider, TRUE)
    WHERE call.started_on IS NULL
        AND (
            call.cost_status IN ('BILLED', 'REPORTED')
            OR (call.cost_status = 'PRICED' AND call.price_id IN (FROM prices_with_fees))
        )
),
-- What has the money of fees is at least as much as all the fees that it may be of.
together AS (
    SELECT
        fee.charge_id,
        sum(greatest(other.amount_usd, 0)) AS period_usd,
        sum(greatest(other.amount_usd, 0)) FILTER (
            WHERE other.starts_on < fee.ends_on AND fee.starts_on < other.ends_on
        ) AS usd
    FROM billed_fees AS fee
    JOIN billed_fees AS other
        ON other.provider IS NOT DISTINCT FROM fee.provider AND other.period_starts_on = fee.period_starts_on
    GROUP BY fee.charge_id
),
drawn AS (
    SELECT
        fee.charge_id,
        count(DISTINCT usage.used_at::DATE) AS days,
        CASE WHEN count(usage.cost_usd) = count(*) THEN sum(usage.cost_usd) END AS usd
    FROM billed_fees AS fee
    JOIN credit_facts AS usage
        ON usage.provider = fee.provider
        AND usage.counted_as = 'credits'
        AND fee.starts_on <= usage.used_at::DATE AND usage.used_at::DATE < fee.ends_on
    GROUP BY fee.charge_id
),
-- Somebody may have stated the fee himself, before bills had it. A subscription is for something else.
stated AS (
    SELECT DISTINCT fee.charge_id
    FROM billed_fees AS fee
    JOIN charges AS charge
        ON charge.category IN ('software', 'other')
        AND billing_name(charge.vendor) = fee.provider
        AND charge.starts_on < fee.ends_on AND fee.starts_on < charge.ends_on
)
SELECT
    fee.charge_id,
    fee.provider, -- as bills of it are found; NULL where the bill names nobody
    fee.starts_on, -- UTC
    fee.ends_on, -- exclusive
    fee.amount_usd, -- what its days cost
    fee.paid_usd, -- what the bill asks for
    fee.period_starts_on,
    fee.period_ends_on,
    CASE
        WHEN fee.is_told_twice THEN 'ONE_BILL'
        WHEN drawn.days = fee.ends_on - fee.starts_on AND drawn.usd >= together.usd THEN 'CREDITS'
        WHEN drawn.days > 0 THEN 'FEES_IN_CREDITS'
        -- OpenRouter's fee is for the use of a key of one's own, and what it charged for such a call has that fee in it.
        -- A line of its activity may also be for calls without such a key, so beside calls that the price book prices it
        -- may count them twice.
        WHEN fee.source = 'openrouter' AND made.calls > 0 AND made.billed_calls = made.calls
            AND made.calls_usd >= together.period_usd THEN 'CALLS'
        WHEN made.stated_calls > 0 OR (fee.source = 'openrouter' AND made.calls > 0) THEN 'FEES_IN_CALLS'
        WHEN made.unnamed_calls > 0 OR undated.charge_id IS NOT NULL THEN 'UNNAMED_CALLS'
        WHEN stated.charge_id IS NOT NULL THEN 'FEES_IN_CHARGES'
        ELSE 'FEES'
    END AS counted_as, -- where sums of spend have it: FEES, CALLS or CREDITS; any other is why nobody can say
    counted_as IN ('FEES', 'CALLS', 'CREDITS') AS is_known
FROM billed_fees AS fee
LEFT JOIN made ON made.charge_id = fee.charge_id
LEFT JOIN together ON together.charge_id = fee.charge_id
LEFT JOIN undated ON undated.charge_id = fee.charge_id
LEFT JOIN drawn ON drawn.charge_id = fee.charge_id
LEFT JOIN stated ON stated.charge_id = fee.charge_id;
