-- What was counted of calls together, each row for a time of its own. Of a counter that runs on, a row is what it grew
-- from its last reading of one UTC day to that of the next; where nobody read it for days, it is one row for all of them.
-- Two meters may have counted the same calls, as may a meter and the calls themselves: compare them, add them never.
CREATE OR REPLACE MACRO grown(count, earlier) AS
    CASE WHEN count IS NOT NULL THEN greatest(0, count - coalesce(earlier, 0)) END;

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
    is_lower_bound,
    FALSE AS is_growth -- since the reading of an earlier day
FROM reported_usage
WHERE counter IS NULL
UNION ALL BY NAME
SELECT
    usage_id, source, reporter, provider,
    coalesce(lag(ends_at) OVER run, starts_at) AS starts_at,
    ends_at, model, member,
    split_part(member, ', ', 1) AS meter,
    grown(requests, lag(requests IGNORE NULLS) OVER run) AS requests,
    grown(input_tokens, lag(input_tokens IGNORE NULLS) OVER run) AS input_tokens,
    grown(uncached_input_tokens, lag(uncached_input_tokens IGNORE NULLS) OVER run) AS uncached_input_tokens,
    grown(cache_read_tokens, lag(cache_read_tokens IGNORE NULLS) OVER run) AS cache_read_tokens,
    grown(cache_write_5m_tokens, lag(cache_write_5m_tokens IGNORE NULLS) OVER run) AS cache_write_5m_tokens,
    grown(cache_write_1h_tokens, lag(cache_write_1h_tokens IGNORE NULLS) OVER run) AS cache_write_1h_tokens,
    grown(output_tokens, lag(output_tokens IGNORE NULLS) OVER run) AS output_tokens,
    grown(usd, lag(usd IGNORE NULLS) OVER run) AS usd,
    is_lower_bound,
    coalesce(lag(ends_at) OVER run > starts_at, FALSE) AS is_growth
FROM reported_usage
WHERE counter IS NOT NULL
WINDOW run AS (PARTITION BY counter ORDER BY ends_at);
