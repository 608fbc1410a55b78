-- One row a pool of credits that has run out with a rest, by the day until which facts have accrued: the rest is a cost of
-- its last day. A pool is one purchase, or those of a vendor whose days overlap, for nobody can say which of them was
-- used. Where calls or fees may have used it, or its use is not known in full, nothing can be said: of one purchase
-- nothing is, of several the rest is NULL. Where their vendor's use is known and none is of these days, all of it has run out.
CREATE OR REPLACE VIEW expired_credits_now AS
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
        ) AND NOT EXISTS (
            SELECT 1 FROM fee_facts AS fee
            WHERE fee.provider = judged.provider
                AND fee.counted_as <> 'CREDITS'
                AND fee.starts_on < judged.ends_on AND judged.starts_on < fee.ends_on
        ) AS is_told
    FROM judged
)
SELECT
    vendor,
    ends_on - 1 AS day,
    CASE WHEN is_told THEN paid_usd - used_usd END AS expired_usd -- NULL where nobody can say
FROM decided
WHERE CASE WHEN is_told THEN used_usd < paid_usd ELSE has_overlap END;
