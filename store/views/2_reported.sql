-- What was counted of calls together, each row for a time of its own. Of a counter that runs on, a row is what it grew
-- from its last reading of one UTC day to that of the next; where nobody read it for days, it is one row for all of them.
-- Two meters may have counted the same calls, as may a meter and the calls themselves: compare them, add them never.
CREATE OR REPLACE VIEW reported_periods AS
SELECT
    usage_id, source, reporter, provider,
    starts_at, -- UTC
    ends_at, -- exclusive
    model, -- NULL where the report is not cut by model
    member, -- what else it is cut by, in words
    split_part(member, ', ', 1) AS meter, -- rows of one reporter and one meter may be added, of several they may not
    requests,
    input_tokens, -- all of the prompts, where the report does not say what of them was cached
    uncached_input_tokens, cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens,
    output_tokens, -- reasoning included
    usd, -- the reporter's own estimate
    is_lower_bound
FROM reported_usage
WHERE counter IS NULL
UNION ALL BY NAME
SELECT
    usage_id, source, reporter, provider,
    coalesce(lag(ends_at) OVER run, starts_at) AS starts_at,
    ends_at, model, member,
    split_part(member, ', ', 1) AS meter,
    CASE WHEN requests IS NOT NULL THEN
        greatest(0, requests - coalesce(lag(requests IGNORE NULLS) OVER run, 0))
    END AS requests,
    CASE WHEN input_tokens IS NOT NULL THEN
        greatest(0, input_tokens - coalesce(lag(input_tokens IGNORE NULLS) OVER run, 0))
    END AS input_tokens,
    CASE WHEN uncached_input_tokens IS NOT NULL THEN
        greatest(0, uncached_input_tokens - coalesce(lag(uncached_input_tokens IGNORE NULLS) OVER run, 0))
    END AS uncached_input_tokens,
    CASE WHEN cache_read_tokens IS NOT NULL THEN
        greatest(0, cache_read_tokens - coalesce(lag(cache_read_tokens IGNORE NULLS) OVER run, 0))
    END AS cache_read_tokens,
    CASE WHEN cache_write_5m_tokens IS NOT NULL THEN
        greatest(0, cache_write_5m_tokens - coalesce(lag(cache_write_5m_tokens IGNORE NULLS) OVER run, 0))
    END AS cache_write_5m_tokens,
    CASE WHEN cache_write_1h_tokens IS NOT NULL THEN
        greatest(0, cache_write_1h_tokens - coalesce(lag(cache_write_1h_tokens IGNORE NULLS) OVER run, 0))
    END AS cache_write_1h_tokens,
    CASE WHEN output_tokens IS NOT NULL THEN
        greatest(0, output_tokens - coalesce(lag(output_tokens IGNORE NULLS) OVER run, 0))
    END AS output_tokens,
    CASE WHEN usd IS NOT NULL THEN
        greatest(0, usd - coalesce(lag(usd IGNORE NULLS) OVER run, 0))
    END AS usd,
    is_lower_bound
FROM reported_usage
WHERE counter IS NOT NULL
WINDOW run AS (PARTITION BY counter ORDER BY ends_at);
