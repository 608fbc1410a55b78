-- What was paid beforehand: purchases of credits, and the parts of sessions in plans and credits.

-- One row a purchase of credits.
CREATE OR REPLACE VIEW credit_purchases AS
WITH bought AS (
    SELECT *, billing_name(vendor) AS provider, coalesce(billed_usd, amount_usd) AS paid_usd
    FROM charges
    WHERE category = 'credits'
)
SELECT
    bought.charge_id,
    bought.vendor,
    bought.provider,
    bought.starts_on,
    bought.ends_on, -- the first day on which they can no longer be used
    bought.paid_usd,
    bought.credits,
    EXISTS (SELECT 1 FROM credit_facts AS usage WHERE usage.provider = bought.provider)
        OR EXISTS (
            SELECT 1 FROM request_facts AS call
            WHERE call.billing_provider = bought.provider AND call.cost_status <> 'INCLUDED'
        ) AS is_use_known, -- FALSE: nothing says what became of them
    EXISTS (
        SELECT 1 FROM bought AS other
        WHERE other.provider = bought.provider
            AND other.charge_id <> bought.charge_id
            AND other.starts_on < bought.ends_on
            AND bought.starts_on < other.ends_on
    ) AS has_overlap -- with another purchase, so that nobody can say which of them was used
FROM bought;

-- One row a purchase whose credits have run out unused by the day until which facts have accrued: the rest is a cost of
-- its last day. Where purchases overlap, where calls may have used them, or where their use is not known in full, nothing
-- can be said, and nothing is. Where their vendor's use is known and none is of these days, all of it has run out.
CREATE OR REPLACE VIEW expired_credits AS
SELECT
    bought.charge_id,
    bought.vendor,
    bought.ends_on - 1 AS day,
    bought.paid_usd - coalesce(sum(usage.cost_usd), 0) AS expired_usd
FROM credit_purchases AS bought
LEFT JOIN credit_facts AS usage
    ON usage.provider = bought.provider
    AND usage.used_at >= bought.starts_on::TIMESTAMP
    AND usage.used_at < bought.ends_on::TIMESTAMP
WHERE bought.is_use_known
    AND NOT bought.has_overlap
    AND bought.ends_on <= (SELECT until_on FROM accrual)
    AND NOT EXISTS (
        SELECT 1 FROM request_facts AS call
        WHERE call.billing_provider = bought.provider
            AND call.cost_status <> 'INCLUDED'
            AND coalesce(call.started_on BETWEEN bought.starts_on AND bought.ends_on - 1, TRUE)
    )
GROUP BY bought.charge_id, bought.vendor, bought.ends_on, bought.paid_usd
HAVING count(usage.usage_id) = count(usage.cost_usd) FILTER (usage.counted_as = 'credits')
    AND coalesce(sum(usage.cost_usd), 0) < bought.paid_usd;

-- One row a session that used credits.
CREATE OR REPLACE VIEW session_credits AS
SELECT
    session_id,
    CASE WHEN bool_and(cost_usd IS NOT NULL) THEN sum(cost_usd) END AS worth_usd -- NULL where a price is not known
FROM credit_facts
WHERE session_id IS NOT NULL AND counted_as = 'credits'
GROUP BY session_id;

-- One row a session with calls under a plan: its part of the fees.
CREATE OR REPLACE VIEW session_plans AS
WITH included AS (
    SELECT
        call.session_id,
        bool_or(call.list_usd IS NULL) AS has_unpriced,
        bool_or(NOT EXISTS (
            SELECT 1 FROM plan_periods AS period
            WHERE period.provider = call.billing_provider
                AND period.starts_on <= call.started_on
                AND call.started_on < period.ends_on
        )) AS has_no_fee
    FROM request_facts AS call
    WHERE call.cost_status = 'INCLUDED' AND call.session_id IS NOT NULL
    GROUP BY call.session_id
),
shares AS (
    SELECT session_id, sum(share_usd) AS share_usd FROM plan_shares WHERE kind = 'SESSION' GROUP BY session_id
)
SELECT
    included.session_id,
    CASE WHEN NOT (included.has_no_fee OR included.has_unpriced) THEN coalesce(shares.share_usd, 0) END AS share_usd
FROM included
LEFT JOIN shares USING (session_id);
