-- Credits (characters, searches, prepaid dollars): what their use is worth, and where that money is counted. Money is paid
-- when credits are bought and costs something when they are used; to add the two would count it twice.

-- One row a use of credits.
CREATE OR REPLACE VIEW credit_facts_now AS
WITH named AS (
    SELECT *, billing_name(vendor) AS provider, used_at::DATE AS used_on FROM credit_usage
),
bought AS (
    SELECT billing_name(vendor) AS provider, starts_on, ends_on, coalesce(billed_usd, amount_usd) AS paid_usd, credits
    FROM charges
    WHERE category = 'credits' AND credits IS NOT NULL
),
priced AS (
    SELECT
        usage.usage_id,
        sum(bought.paid_usd) AS paid_usd,
        sum(bought.credits) AS bought_credits
    FROM named AS usage
    JOIN bought
        ON bought.provider = usage.provider AND bought.starts_on <= usage.used_on AND usage.used_on < bought.ends_on
    WHERE usage.usd IS NULL
    GROUP BY usage.usage_id
)
SELECT
    usage.usage_id, -- one use, or a day of use
    usage.vendor,
    usage.provider, -- the vendor as bills and calls of it are found
    coalesce(usage.agent, session.agent) AS agent,
    usage.session_id, -- NULL where nobody says
    CASE
        WHEN usage.session_id IS NULL THEN 'NO_SESSION_ID'
        WHEN session.session_id IS NULL THEN 'UNKNOWN_SESSION'
        ELSE 'ATTRIBUTED'
    END AS attribution,
    usage.used_at, -- UTC
    usage.credits,
    coalesce(
        usage.usd, usd_of_pico(share_of(pico_usd(priced.paid_usd), pico_usd(usage.credits), pico_usd(priced.bought_credits)))
    ) AS cost_usd, -- NULL where no price is known, which is not zero
    coalesce(usage.usd_rule, CASE WHEN priced.usage_id IS NOT NULL THEN 'purchase price' END) AS price_rule,
    CASE
        WHEN EXISTS (
            SELECT 1 FROM request_facts AS call
            WHERE call.billing_provider = usage.provider
                AND call.started_on = usage.used_on
                AND call.cost_status <> 'INCLUDED'
        ) THEN 'requests'
        WHEN EXISTS (
            SELECT 1 FROM charges AS charge
            WHERE billing_name(charge.vendor) = usage.provider
                AND charge.category IN ('software', 'subscription', 'other')
                AND charge.starts_on <= usage.used_on
                AND usage.used_on < charge.ends_on
        ) THEN 'charges'
        ELSE 'credits'
    END AS counted_as -- where sums of spend have this money: as this use, or already as calls or a charge of the vendor
FROM named AS usage
LEFT JOIN priced USING (usage_id)
LEFT JOIN sessions AS session ON session.session_id = usage.session_id;
