-- Other names of a call, so that what the proxy, a span and a transcript say of it is found to be of one call.
ALTER TABLE requests ADD COLUMN identities VARCHAR[] DEFAULT [];

-- What providers, gateways and meters counted of calls together: compared with the calls, never added to them.
CREATE TABLE reported_usage (
    usage_id VARCHAR NOT NULL,
    source VARCHAR NOT NULL,
    reporter VARCHAR NOT NULL,
    provider VARCHAR NOT NULL,
    starts_at TIMESTAMP NOT NULL,
    ends_at TIMESTAMP NOT NULL, -- exclusive
    model VARCHAR,
    member VARCHAR,
    requests BIGINT,
    uncached_input_tokens BIGINT,
    cache_read_tokens BIGINT,
    cache_write_5m_tokens BIGINT,
    cache_write_1h_tokens BIGINT,
    output_tokens BIGINT,
    usd DECIMAL(38, 12), -- the reporter's own estimate
    is_lower_bound BOOLEAN NOT NULL,
    part VARCHAR,
    load_id BIGINT NOT NULL
);
