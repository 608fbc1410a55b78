-- What the lines of a provider's bill are for, each beside the comparison that it is part of.

-- One row a line of a bill, beside the period that it is part of.
CREATE OR REPLACE VIEW bill_lines AS
WITH parts AS (
    SELECT
        period.provider,
        period.starts_on,
        period.ends_on,
        billing_model(line.model) AS model,
        line.line_item,
        line.source,
        line.part,
        line.starts_on AS line_starts_on,
        line.ends_on AS line_ends_on,
        sum(line.amount_usd) AS part_usd
    FROM charges AS line
    JOIN billed_periods AS period
        ON billing_name(line.vendor) IS NOT DISTINCT FROM period.provider
        AND period.starts_on <= line.starts_on AND line.ends_on <= period.ends_on
    WHERE line.category = 'inference'
    GROUP BY ALL
),
compared AS (
    -- Each row is of another part, so as much for the same is told by two of them.
    SELECT
        *,
        part_usd <> 0 AND count(part) OVER (
            PARTITION BY provider, source, line_starts_on, line_ends_on, model, line_item, part_usd
        ) > 1 AS is_repeated
    FROM parts
)
SELECT
    provider,
    starts_on,
    ends_on,
    model,
    line_item,
    source,
    sum(part_usd) AS amount_usd,
    bool_or(is_repeated) AS is_repeated -- two parts of one source, such as two names of one account, bill the same
FROM compared
GROUP BY ALL;

-- One row a period whose lines may be of one bill, told twice.
CREATE OR REPLACE VIEW bills_told_twice AS
SELECT provider, starts_on, ends_on
FROM bill_lines
GROUP BY provider, starts_on, ends_on
HAVING count(DISTINCT source) > 1 OR bool_or(is_repeated);

-- One row a line of a bill that is for no token: a search, a run of code, a seat.
CREATE OR REPLACE VIEW billed_fees_now AS
SELECT
    line.charge_id,
    line.source,
    period.provider,
    line.starts_on,
    line.ends_on, -- exclusive
    line.amount_usd,
    coalesce(line.billed_usd, line.amount_usd) AS paid_usd,
    period.starts_on AS period_starts_on, -- of the comparison that the line is part of
    period.ends_on AS period_ends_on,
    twice.starts_on IS NOT NULL AS is_told_twice -- the bill may have been loaded from two sources, or under two names
FROM charges AS line
JOIN billed_periods AS period
    ON billing_name(line.vendor) IS NOT DISTINCT FROM period.provider
    AND period.starts_on <= line.starts_on AND line.ends_on <= period.ends_on
LEFT JOIN bills_told_twice AS twice
    ON twice.provider IS NOT DISTINCT FROM period.provider AND twice.starts_on = period.starts_on
WHERE line.category = 'inference' AND line.line_item = 'fee';
