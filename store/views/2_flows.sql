-- One row a flow and day on which it happened or is planned. One that recurs without an end is written down to 2100.
CREATE OR REPLACE VIEW flow_days_now AS
WITH months AS (
    SELECT
        *,
        unnest(
            generate_series(
                date_trunc('month', starts_on)::DATE, coalesce(ends_on, DATE '2100-01-01'), INTERVAL 1 MONTH
            )
        )::DATE AS month_on
    FROM cash_flows
    WHERE day_of_month IS NOT NULL
),
dated AS (
    SELECT *, occurred_on AS day FROM cash_flows WHERE occurred_on IS NOT NULL
    UNION ALL BY NAME
    SELECT
        * EXCLUDE (month_on),
        least(month_on + (day_of_month - 1)::INTEGER, last_day(month_on)) AS day
    FROM months
)
SELECT
    flow_id,
    day, -- of the books, in no zone
    kind, -- revenue, funding, expense or other
    amount_usd, -- positive: money in
    day_of_month IS NOT NULL AS is_recurring,
    account,
    source
FROM dated
WHERE day_of_month IS NULL OR (day >= starts_on AND (ends_on IS NULL OR day < ends_on));
