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

-- One row a pool of credits that has run out with a rest, by the day until which facts have accrued: the rest is a cost of
-- its last day. A pool is one purchase, or those of a vendor whose days overlap, for nobody can say which of them was
-- used. Where calls may have used it, or its use is not known in full, nothing can be said: of one purchase nothing is,
-- of several the rest is NULL. Where their vendor's use is known and none is of these days, all of it has run out.
CREATE OR REPLACE VIEW expired_credits AS
WITH placed AS (
    SELECT
        *,
        starts_on >= coalesce(max(ends_on) OVER (
            PARTITION BY provider
            ORDER BY starts_on, ends_on, charge_id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ), starts_on) AS is_first
    FROM credit_purchases
    WHERE provider IS NOT NULL
),
numbered AS (
    SELECT
        *,
        count(*) FILTER (WHERE is_first) OVER (
            PARTITION BY provider
            ORDER BY starts_on, ends_on, charge_id ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS pool
    FROM placed
),
pools AS (
    SELECT
        provider,
        min(vendor) AS vendor,
        min(starts_on) AS starts_on,
        max(ends_on) AS ends_on,
        sum(paid_usd) AS paid_usd,
        count(*) > 1 AS has_overlap,
        bool_and(is_use_known) AS is_use_known
    FROM numbered
    GROUP BY provider, pool
),
judged AS (
    SELECT
        pools.*,
        coalesce(sum(usage.cost_usd), 0) AS used_usd,
        count(usage.usage_id) = count(usage.cost_usd) FILTER (usage.counted_as = 'credits') AS is_use_told
    FROM pools
    LEFT JOIN credit_facts AS usage
        ON usage.provider = pools.provider
        AND usage.used_at >= pools.starts_on::TIMESTAMP
        AND usage.used_at < pools.ends_on::TIMESTAMP
    WHERE pools.ends_on <= (SELECT until_on FROM accrual)
    GROUP BY ALL
),
decided AS (
    SELECT
        *,
        is_use_known AND is_use_told AND NOT EXISTS (
            SELECT 1 FROM request_facts AS call
            WHERE call.billing_provider = judged.provider
                AND call.cost_status <> 'INCLUDED'
                AND coalesce(call.started_on BETWEEN judged.starts_on AND judged.ends_on - 1, TRUE)
        ) AS is_told
    FROM judged
)
SELECT
    vendor,
    ends_on - 1 AS day,
    CASE WHEN is_told THEN paid_usd - used_usd END AS expired_usd -- NULL where nobody can say
FROM decided
WHERE CASE WHEN is_told THEN used_usd < paid_usd ELSE has_overlap END;

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
