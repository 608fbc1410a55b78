-- One row a purchase whose credits have run out unused by the day until which facts have accrued: the rest is a cost of
-- its last day. Where purchases overlap, where calls may have used them, or where their use is not known in full, nothing
-- can be said, and nothing is. Where their vendor's use is known and none is of these days, all of it has run out.
CREATE OR REPLACE VIEW expired_credits_now AS
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
