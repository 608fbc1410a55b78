-- Computed against billed. What calls cost and what providers bill for them are two accounts of the same money: they are
-- compared here, and added nowhere. A bill is compared over its own days; bills of one provider whose days overlap are
-- one comparison, so that no call is compared twice.

-- One row a provider and period: the days of its bills, or one day that no bill covers.
CREATE OR REPLACE VIEW reconciliation_days_now AS
WITH placed AS (
    SELECT
        days.*,
        coalesce(billed.starts_on, days.day) AS starts_on,
        coalesce(billed.ends_on, days.day + 1) AS ends_on
    FROM computed_days AS days
    LEFT JOIN billed_periods AS billed
        ON billed.provider = days.provider AND billed.starts_on <= days.day AND days.day < billed.ends_on
),
models AS (
    SELECT
        provider,
        starts_on,
        ends_on,
        sum(calls) AS calls,
        sum(computed_usd) AS computed_usd,
        sum(unpriced_calls) AS unpriced_calls,
        sum(unmeasured_calls) AS unmeasured_calls,
        sum(included_calls) AS included_calls,
        sum(included_list_usd) AS included_list_usd,
        greatest(count(DISTINCT price_id) - 1, 0) AS price_changes
    FROM placed
    GROUP BY provider, starts_on, ends_on, model
),
computed AS (
    SELECT
        provider,
        starts_on,
        ends_on,
        sum(calls)::BIGINT AS calls,
        sum(computed_usd) AS computed_usd,
        sum(unpriced_calls)::BIGINT AS unpriced_calls,
        sum(unmeasured_calls)::BIGINT AS unmeasured_calls,
        sum(included_calls)::BIGINT AS included_calls,
        sum(included_list_usd) AS included_list_usd,
        sum(price_changes)::BIGINT AS price_changes
    FROM models
    GROUP BY provider, starts_on, ends_on
),
compared AS (
    SELECT
        coalesce(computed.provider, billed.provider) AS provider,
        coalesce(billed.starts_on, computed.starts_on) AS starts_on,
        coalesce(billed.ends_on, computed.ends_on) AS ends_on,
        billed.vendor,
        coalesce(billed.bills, 0) AS bills,
        coalesce(computed.calls, 0) AS calls,
        computed.computed_usd,
        billed.billed_usd,
        billed.billed_usd - coalesce(computed.computed_usd, 0) AS drift_usd,
        coalesce(computed.unpriced_calls, 0) AS unpriced_calls,
        coalesce(computed.unmeasured_calls, 0) AS unmeasured_calls,
        coalesce(computed.included_calls, 0) AS included_calls,
        computed.included_list_usd,
        coalesce(computed.price_changes, 0) AS price_changes
    FROM computed
    FULL JOIN billed_periods AS billed
        ON billed.provider = computed.provider
        AND billed.starts_on = computed.starts_on
        AND billed.ends_on = computed.ends_on
)
SELECT
    provider, -- as bills of it are found; NULL where a call or a bill does not say
    starts_on, -- UTC
    ends_on, -- exclusive
    vendor, -- as the bill names it; NULL without one
    bills,
    calls,
    computed_usd, -- NULL without calls or where all costs are unknown; a lower bound where one is
    billed_usd, -- NULL while no bill covers the day
    drift_usd, -- billed less computed; NULL without a bill
    unpriced_calls,
    unmeasured_calls, -- calls without usage
    included_calls, -- calls under a plan, computed with 0
    included_list_usd, -- what those would have cost
    price_changes, -- how often the price of a model changed inside the period
    CASE
        WHEN billed_usd IS NULL AND calls = included_calls THEN 'INCLUDED'
        WHEN billed_usd IS NULL THEN 'PENDING'
        WHEN calls = 0 THEN 'UNTRACKED'
        WHEN abs(drift_usd) <= tolerance.absolute_usd
            OR abs(pico_usd(drift_usd)) * 1000000
                <= (tolerance.share * 1000000)::HUGEINT * abs(pico_usd(billed_usd)) THEN 'MATCH'
        WHEN drift_usd > 0 THEN 'UNDER_COMPUTED'
        ELSE 'OVER_COMPUTED'
    END AS status
FROM compared
CROSS JOIN tolerance;
