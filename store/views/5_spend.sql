-- One row a UTC day, driver and whether the amount is known: the layer that burn reads. Requests and provider bills for
-- inference are two accounts of the same money, so bills of that category are left out here and only reconciled.
-- Flows are money of a third account: what is in a charge is not to be a flow as well. Funding is no part of burn.
CREATE OR REPLACE VIEW daily_spend_now AS
WITH parts AS (
    SELECT
        started_at::DATE AS day,
        'inference' AS kind,
        'inference' AS driver,
        FALSE AS is_recurring,
        cost_usd IS NOT NULL AS is_known,
        cost_usd AS amount_usd,
        cash_usd,
        0 AS inflow_usd,
        1 AS row_count
    FROM request_facts
    UNION ALL
    SELECT day, 'charges', category, FALSE, TRUE, amount_usd, 0, 0, 1 FROM charge_days WHERE category <> 'inference'
    UNION ALL
    -- What a bill asks for is paid on the first day that it covers.
    SELECT starts_on, 'charges', category, FALSE, TRUE, 0, coalesce(billed_usd, amount_usd), 0, 0
    FROM charges
    WHERE category <> 'inference'
    UNION ALL
    SELECT
        day,
        'flows',
        kind,
        is_recurring,
        TRUE,
        greatest(-amount_usd, 0),
        greatest(-amount_usd, 0),
        greatest(amount_usd, 0),
        1
    FROM flow_days
    WHERE kind <> 'funding'
)
SELECT
    day, -- UTC; NULL for spend whose time is unknown
    kind, -- 'inference', 'charges' or 'flows'
    driver, -- inference, the category of the charges, or the kind of the flows
    is_recurring, -- flows that fall on a day of each month, which a forecast reads from the calendar
    is_known,
    sum(amount_usd) AS amount_usd, -- gross, charges spread over their days; NULL for requests of unknown cost
    sum(cash_usd) AS cash_usd, -- gross, charges as they are billed
    sum(inflow_usd) AS inflow_usd, -- revenue, and other money that came in
    sum(row_count)::BIGINT AS row_count
FROM parts
GROUP BY day, kind, driver, is_recurring, is_known;
