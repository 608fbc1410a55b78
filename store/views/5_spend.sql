-- One row a UTC day and kind: the layer that burn reads. Requests and provider bills for inference are two accounts of
-- the same money, so bills of that category are left out here and only reconciled.
CREATE OR REPLACE VIEW daily_spend AS
SELECT
    started_at::DATE AS day, -- UTC; NULL for spend whose time is unknown
    'inference' AS kind,
    coalesce(sum(cost_usd), 0) AS amount_usd, -- a lower bound where unknown_count > 0
    count(*) FILTER (WHERE cost_usd IS NULL) AS unknown_count -- rows whose cost is unknown
FROM counted_requests
GROUP BY started_at::DATE
UNION ALL
SELECT
    day,
    'charges' AS kind,
    sum(amount_usd) AS amount_usd,
    0 AS unknown_count
FROM charge_days
WHERE category <> 'inference'
GROUP BY day;
