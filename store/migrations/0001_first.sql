-- Instants are TIMESTAMP holding UTC, money is DECIMAL(38,12) in USD, days are DATE. No table has a primary key index:
-- it more than doubles the file and buys nothing, because the set-based write keeps keys unique and asserts it.
-- load_id is the load that last changed the row.

CREATE TABLE data_version (version BIGINT NOT NULL, changed_at TIMESTAMP);
INSERT INTO data_version VALUES (0, NULL);

-- How many sessions the machines can run at once: the denominator of the allocation of infrastructure.
CREATE TABLE allocation (capacity_slots INTEGER NOT NULL);
INSERT INTO allocation VALUES (1);

CREATE TABLE loads (
    load_id BIGINT NOT NULL,
    source VARCHAR NOT NULL,
    location VARCHAR NOT NULL,
    cursor VARCHAR, -- where the next load of this source goes on; NULL where the source is read from the start
    applied_at TIMESTAMP NOT NULL,
    data_version BIGINT NOT NULL,
    read BIGINT NOT NULL, -- = stored + unchanged + ignored + rejected
    stored BIGINT NOT NULL,
    unchanged BIGINT NOT NULL,
    ignored BIGINT NOT NULL,
    rejected BIGINT NOT NULL
);

CREATE TABLE ignored_items (load_id BIGINT NOT NULL, rule VARCHAR NOT NULL, items BIGINT NOT NULL);

CREATE TABLE rejected_rows (
    load_id BIGINT NOT NULL,
    location VARCHAR NOT NULL,
    reason VARCHAR NOT NULL,
    raw VARCHAR NOT NULL
);

CREATE TABLE requests (
    request_key VARCHAR NOT NULL,
    source VARCHAR NOT NULL,
    scope VARCHAR NOT NULL,
    session_id VARCHAR,
    agent VARCHAR,
    provider VARCHAR,
    model VARCHAR,
    started_at TIMESTAMP,
    ended_at TIMESTAMP,
    uncached_input_tokens BIGINT,
    cache_read_tokens BIGINT,
    cache_write_5m_tokens BIGINT,
    cache_write_1h_tokens BIGINT,
    output_tokens BIGINT,
    billed_usd DECIMAL(38, 12),
    reported_usd DECIMAL(38, 12),
    estimated_usd DECIMAL(38, 12),
    is_included BOOLEAN NOT NULL,
    status VARCHAR NOT NULL,
    owner_started_at TIMESTAMP,
    cost_usd DECIMAL(38, 12), -- NULL: unknown, which is not zero
    cost_status VARCHAR NOT NULL,
    price_id VARCHAR,
    first_load_id BIGINT NOT NULL, -- the load that brought the request in, so that a past report can leave it out
    load_id BIGINT NOT NULL
);

-- A field of a session is decided by the evidence that states it, so each keeps the instant of its own evidence.
CREATE TABLE sessions (
    session_id VARCHAR NOT NULL,
    source VARCHAR NOT NULL,
    observed_at TIMESTAMP,
    agent VARCHAR,
    agent_observed_at TIMESTAMP,
    parent_session_id VARCHAR,
    parent_observed_at TIMESTAMP,
    trigger VARCHAR,
    trigger_rule VARCHAR,
    trigger_confidence BIGINT NOT NULL,
    trigger_observed_at TIMESTAMP,
    task_class VARCHAR,
    task_class_observed_at TIMESTAMP,
    model VARCHAR,
    model_observed_at TIMESTAMP,
    started_at TIMESTAMP,
    ended_at TIMESTAMP,
    termination VARCHAR,
    termination_rule VARCHAR,
    termination_confidence BIGINT NOT NULL,
    termination_observed_at TIMESTAMP,
    load_id BIGINT NOT NULL
);

CREATE TABLE outcomes (
    outcome_id VARCHAR NOT NULL,
    source VARCHAR NOT NULL,
    session_id VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    is_success BOOLEAN,
    occurred_at TIMESTAMP,
    load_id BIGINT NOT NULL
);

CREATE TABLE charges (
    charge_id VARCHAR NOT NULL,
    source VARCHAR NOT NULL,
    category VARCHAR NOT NULL,
    amount_usd DECIMAL(38, 12) NOT NULL,
    starts_on DATE NOT NULL,
    ends_on DATE NOT NULL, -- the first day that is not charged
    vendor VARCHAR,
    description VARCHAR,
    load_id BIGINT NOT NULL
);

CREATE TABLE cash_balances (
    account VARCHAR NOT NULL,
    as_of_on DATE NOT NULL,
    balance_usd DECIMAL(38, 12) NOT NULL,
    source VARCHAR NOT NULL,
    load_id BIGINT NOT NULL
);

-- Append-only: a line with other content is a new row with a later known_at.
CREATE TABLE prices (
    price_id VARCHAR NOT NULL,
    source VARCHAR NOT NULL,
    provider VARCHAR NOT NULL,
    model VARCHAR NOT NULL,
    effective_from TIMESTAMP NOT NULL,
    effective_to TIMESTAMP,
    input DECIMAL(38, 12),
    cache_read DECIMAL(38, 12),
    cache_write_5m DECIMAL(38, 12),
    cache_write_1h DECIMAL(38, 12),
    output DECIMAL(38, 12),
    tier_over BIGINT,
    tier_input DECIMAL(38, 12),
    tier_cache_read DECIMAL(38, 12),
    tier_cache_write_5m DECIMAL(38, 12),
    tier_cache_write_1h DECIMAL(38, 12),
    tier_output DECIMAL(38, 12),
    per_call_fee DECIMAL(38, 12) NOT NULL,
    known_at TIMESTAMP NOT NULL,
    load_id BIGINT NOT NULL
);

-- Append-only: every change of a cost that was known.
CREATE TABLE restatements (
    request_key VARCHAR NOT NULL,
    restated_at TIMESTAMP NOT NULL,
    load_id BIGINT NOT NULL,
    old_cost_usd DECIMAL(38, 12) NOT NULL,
    old_cost_status VARCHAR NOT NULL,
    old_price_id VARCHAR,
    new_cost_usd DECIMAL(38, 12),
    new_cost_status VARCHAR NOT NULL,
    new_price_id VARCHAR,
    reason VARCHAR NOT NULL
);
