-- One row a purchase whose credits have run out unused by the day until which facts have accrued: the rest is a cost of
-- its last day. Where purchases overlap or their use is not known in full, nothing can be said, and nothing is.
CREATE OR REPLACE VIEW expired_credits_now AS
SELECT
    bought.charge_id,
    bought.vendor,
    bought.ends_on - 1 AS day,
    bought.paid_usd - sum(usage.cost_usd) AS expired_usd
FROM credit_purchases AS bought
JOIN credit_facts AS usage
    ON usage.provider = bought.provider
    AND usage.used_at >= bought.starts_on::TIMESTAMP
    AND usage.used_at < bought.ends_on::TIMESTAMP
WHERE NOT bought.has_overlap AND bought.ends_on <= (SELECT until_on FROM accrual)
GROUP BY bought.charge_id, bought.vendor, bought.ends_on, bought.paid_usd
HAVING bool_and(usage.cost_usd IS NOT NULL AND usage.counted_as = 'credits')
    AND sum(usage.cost_usd) < bought.paid_usd;
