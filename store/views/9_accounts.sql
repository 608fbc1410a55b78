-- The accounts of a period that a residual is explained from: what was recorded, what was counted, what was billed, each
-- by model. Tokens are in four kinds: a report often knows for how long a cache write is kept, a transcript seldom.

-- One row a provider, UTC day and model, as calls name it, of which calls were recorded.
CREATE OR REPLACE VIEW recorded_days AS
WITH calls AS (
    SELECT
        *,
        cache_write_5m_tokens + cache_write_1h_tokens AS cache_write_tokens,
        CASE
            WHEN output_tokens IS NULL AND (cost_status = 'INCLUDED' OR cost_usd IS NOT NULL) THEN 'untold'
            WHEN output_tokens IS NULL THEN 'unmeasured'
            WHEN cost_status = 'INCLUDED' THEN 'included'
            WHEN cost_usd IS NULL THEN 'unpriced'
            ELSE 'priced'
        END AS kind
    FROM request_facts
    WHERE started_on IS NOT NULL
),
days AS (
    SELECT
        billing_provider AS provider,
        started_on AS day,
        min(provider) AS priced_provider, -- as the price book is asked
        model AS priced_model,
        count(*) AS calls,
        bool_or(scope = 'session') AS hides_calls,
        coalesce(sum(cost_usd) FILTER (WHERE cost_status <> 'INCLUDED'), 0) AS computed_usd,
        count(*) FILTER (WHERE kind = 'unpriced') AS unpriced_calls,
        count(*) FILTER (WHERE cost_status = 'INCLUDED') AS included_calls,
        count(*) FILTER (WHERE kind = 'unmeasured') AS unmeasured_calls,
        count(*) FILTER (WHERE kind = 'untold') AS untold_calls,
        coalesce(sum(uncached_input_tokens) FILTER (WHERE kind = 'priced'), 0)::BIGINT AS priced_uncached_input,
        coalesce(sum(cache_read_tokens) FILTER (WHERE kind = 'priced'), 0)::BIGINT AS priced_cache_read,
        coalesce(sum(cache_write_tokens) FILTER (WHERE kind = 'priced'), 0)::BIGINT AS priced_cache_write,
        coalesce(sum(output_tokens) FILTER (WHERE kind = 'priced'), 0)::BIGINT AS priced_output,
        coalesce(sum(uncached_input_tokens) FILTER (WHERE kind = 'unpriced'), 0)::BIGINT AS unpriced_uncached_input,
        coalesce(sum(cache_read_tokens) FILTER (WHERE kind = 'unpriced'), 0)::BIGINT AS unpriced_cache_read,
        coalesce(sum(cache_write_tokens) FILTER (WHERE kind = 'unpriced'), 0)::BIGINT AS unpriced_cache_write,
        coalesce(sum(output_tokens) FILTER (WHERE kind = 'unpriced'), 0)::BIGINT AS unpriced_output,
        coalesce(sum(uncached_input_tokens) FILTER (WHERE kind = 'included'), 0)::BIGINT AS included_uncached_input,
        coalesce(sum(cache_read_tokens) FILTER (WHERE kind = 'included'), 0)::BIGINT AS included_cache_read,
        coalesce(sum(cache_write_tokens) FILTER (WHERE kind = 'included'), 0)::BIGINT AS included_cache_write,
        coalesce(sum(output_tokens) FILTER (WHERE kind = 'included'), 0)::BIGINT AS included_output
    FROM calls
    GROUP BY billing_provider, started_on, model
)
SELECT *, billing_model(priced_model) AS model FROM days;

-- One row a count of somebody, with the days (UTC) that it is for. What a counter that runs on grew from its last reading
-- of one day to that of the next is of the days between: but for the minutes after that reading, all of it is.
CREATE OR REPLACE VIEW usage_reports AS
WITH newest AS (
    SELECT source, location, max(applied_at) AS read_at FROM loads WHERE error IS NULL GROUP BY source, location
),
counts AS (
    SELECT
        period.*,
        stored.is_billed_apart,
        (period.ends_at - INTERVAL 1 MICROSECOND)::DATE AS last_on,
        newest.read_at
    FROM reported_periods AS period
    JOIN reported_usage AS stored USING (usage_id)
    LEFT JOIN loads USING (load_id)
    LEFT JOIN newest ON newest.source = loads.source AND newest.location = loads.location
)
SELECT
    billing_name(provider) AS provider,
    billing_model(model) AS model,
    reporter,
    source,
    CASE WHEN reporter = 'meter' THEN coalesce(meter, '') ELSE '' END AS meter, -- of several, each alone
    is_lower_bound,
    is_billed_apart,
    CASE WHEN is_growth THEN least(starts_at::DATE + 1, last_on) ELSE starts_at::DATE END AS starts_on,
    last_on + 1 AS ends_on, -- exclusive
    requests,
    input_tokens AS prompt, -- however it was cached; of some meters
    uncached_input_tokens AS uncached_input,
    cache_read_tokens AS cache_read,
    -- What a report does not have is unknown; of the two times, one that it does not have is none.
    CASE
        WHEN cache_write_5m_tokens IS NULL THEN cache_write_1h_tokens
        ELSE cache_write_5m_tokens + coalesce(cache_write_1h_tokens, 0)
    END AS cache_write,
    output_tokens AS output,
    read_at -- when its source was last read
FROM counts;
