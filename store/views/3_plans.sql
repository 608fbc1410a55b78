-- Plans (subscriptions) and the calls that they cover. The fee of a plan accrues by day; what has accrued is shared over
-- the calls it covers by what they would have cost at list prices. What nobody used stays a row of its own.

-- One row a provider and period for which plans were paid: two seats of one period are one pool.
CREATE OR REPLACE VIEW plan_periods AS
SELECT
    billing_name(vendor) AS provider,
    starts_on,
    ends_on, -- exclusive
    left(string_agg(DISTINCT coalesce(description, charge_id), ', ' ORDER BY coalesce(description, charge_id)), 200) AS plan,
    count(*) AS charges,
    sum(amount_usd) AS fee_usd
FROM charges
WHERE category = 'subscription'
GROUP BY billing_name(vendor), starts_on, ends_on;

-- What has accrued of a fee: the days of its period that have begun before an instant / all its days.
CREATE OR REPLACE MACRO accrued_of(fee_usd, starts_on, ends_on, as_of) AS
    usd_of_pico(share_of(
        pico_usd(fee_usd),
        greatest(0, least(
            ends_on - starts_on, (as_of + INTERVAL 1 DAY - INTERVAL 1 MICROSECOND)::DATE - starts_on
        ))::HUGEINT,
        (ends_on - starts_on)::HUGEINT
    ));

-- One row a period and what caused calls in it: a session, calls of no session that is known, or nothing at all. `as_of`
-- is an instant; the days that have begun before it have accrued, and the calls before it count.
CREATE OR REPLACE MACRO plan_shares_at(as_of) AS TABLE
WITH accrued AS (
    SELECT
        billing_name(charge.vendor) AS provider,
        charge.starts_on,
        charge.ends_on,
        sum(accrued_of(charge.amount_usd, charge.starts_on, charge.ends_on, as_of)) AS accrued_usd
    FROM charges AS charge
    WHERE charge.category = 'subscription'
    GROUP BY billing_name(charge.vendor), charge.starts_on, charge.ends_on
),
used AS (
    SELECT
        accrued.provider,
        accrued.starts_on,
        accrued.ends_on,
        call.session_id,
        call.attribution = 'ATTRIBUTED' AS is_attributed,
        count(*) AS calls,
        count(*) FILTER (WHERE call.list_usd IS NULL) AS unpriced_calls,
        coalesce(sum(call.list_usd), 0) AS list_usd
    FROM accrued
    JOIN request_facts AS call
        ON call.billing_provider = accrued.provider
        AND call.started_at >= accrued.starts_on::TIMESTAMP
        AND call.started_at < accrued.ends_on::TIMESTAMP
    WHERE call.cost_status = 'INCLUDED' AND call.started_at < as_of
    GROUP BY accrued.provider, accrued.starts_on, accrued.ends_on, call.session_id, call.attribution = 'ATTRIBUTED'
),
counted AS (
    SELECT
        *,
        pico_usd(sum(list_usd) OVER (PARTITION BY provider, starts_on, ends_on)) AS total_pico,
        pico_usd(sum(list_usd) OVER (
            PARTITION BY provider, starts_on, ends_on ORDER BY session_id NULLS LAST, is_attributed
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        )) AS through_pico
    FROM used
)
SELECT
    accrued.provider,
    accrued.starts_on,
    accrued.ends_on, -- exclusive
    counted.session_id,
    CASE WHEN counted.is_attributed THEN 'SESSION' ELSE 'UNATTRIBUTED' END AS kind, -- who has the share
    counted.calls,
    counted.unpriced_calls, -- calls without a list price, which have no share
    counted.list_usd, -- what the calls would have cost; a lower bound where some have no list price
    CASE
        WHEN counted.total_pico = 0 THEN 0
        WHEN counted.list_usd = 0 AND counted.unpriced_calls > 0 THEN NULL
        ELSE usd_of_pico(
            share_of(pico_usd(accrued.accrued_usd), counted.through_pico, counted.total_pico)
            - share_of(
                pico_usd(accrued.accrued_usd), counted.through_pico - pico_usd(counted.list_usd), counted.total_pico
            )
        )
    END AS share_usd -- of what has accrued of the fee
FROM counted
JOIN accrued USING (provider, starts_on, ends_on)
UNION ALL
SELECT provider, starts_on, ends_on, NULL, 'UNALLOCATED', 0, 0, 0, accrued_usd
FROM accrued
WHERE NOT EXISTS (
    SELECT 1 FROM counted
    WHERE counted.provider = accrued.provider
        AND counted.starts_on = accrued.starts_on
        AND counted.ends_on = accrued.ends_on
        AND counted.total_pico > 0
);

-- As of the last load, which is when the newest calls are known, too.
CREATE OR REPLACE VIEW plan_shares_now AS
SELECT * FROM plan_shares_at((SELECT until_on::TIMESTAMP FROM accrual));
