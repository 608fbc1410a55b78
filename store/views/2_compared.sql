-- What is compared in a reconciliation, each side alone: what providers bill, and what the calls of a day cost.
-- What joins the two is in 4_bill_fees and 7_reconciliation.

-- One row a provider and period that it billed.
CREATE OR REPLACE VIEW billed_periods_now AS
WITH bills AS (
    SELECT charge_id, billing_name(vendor) AS provider, vendor, starts_on, ends_on, amount_usd
    FROM charges
    WHERE category = 'inference'
),
-- Lines of one day are in the same order both times: another would put one of them into the period before.
placed AS (
    SELECT
        *,
        starts_on >= coalesce(max(ends_on) OVER (
            PARTITION BY provider ORDER BY starts_on, ends_on, charge_id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ), starts_on) AS is_first
    FROM bills
),
numbered AS (
    SELECT
        *,
        count(*) FILTER (WHERE is_first) OVER (
            PARTITION BY provider ORDER BY starts_on, ends_on, charge_id ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS period
    FROM placed
)
SELECT
    provider,
    min(starts_on) AS starts_on,
    max(ends_on) AS ends_on, -- exclusive
    sum(amount_usd) AS billed_usd,
    count(*) AS bills,
    min(vendor) AS vendor
FROM numbered
GROUP BY provider, period;

-- One row a provider, UTC day, model and price line on which calls were made.
CREATE OR REPLACE VIEW computed_days_now AS
SELECT
    billing_provider AS provider,
    started_on AS day,
    model,
    price_id,
    count(*) AS calls,
    sum(cost_usd) AS computed_usd, -- NULL where no cost is known
    count(*) FILTER (WHERE cost_status = 'UNPRICED') AS unpriced_calls,
    count(*) FILTER (WHERE cost_status = 'MISSING_USAGE') AS unmeasured_calls,
    count(*) FILTER (WHERE cost_status = 'INCLUDED') AS included_calls,
    count(*) FILTER (WHERE cost_status = 'BILLED') AS billed_calls,
    count(*) FILTER (WHERE cost_status = 'REPORTED') AS reported_calls,
    count(*) FILTER (WHERE cost_status = 'PRICED') AS priced_calls,
    sum(list_usd) FILTER (WHERE cost_status = 'INCLUDED') AS included_list_usd
FROM request_facts
WHERE started_on IS NOT NULL
GROUP BY billing_provider, started_on, model, price_id;
