-- One row a UTC day, kind and whether the amount is known: the layer that burn reads. Requests and provider bills for
-- inference are two accounts of the same money, so bills of that category are left out here and only reconciled.
CREATE OR REPLACE VIEW daily_spend_now AS
SELECT
    started_at::DATE AS day, -- UTC; NULL for spend whose time is unknown
    'inference' AS kind,
    cost_usd IS NOT NULL AS is_known,
    sum(cost_usd) AS amount_usd, -- NULL in the row of the requests whose cost is unknown
    count(*) AS row_count
FROM request_facts
GROUP BY started_at::DATE, cost_usd IS NOT NULL
UNION ALL
SELECT
    day,
    'charges' AS kind,
    TRUE AS is_known,
    sum(amount_usd) AS amount_usd,
    count(*) AS row_count
FROM charge_days
WHERE category <> 'inference'
GROUP BY day;
