-- What a load did beside adding rows, and loads that failed: they have an error and changed nothing.
ALTER TABLE loads ADD COLUMN started_at TIMESTAMP;
ALTER TABLE loads ADD COLUMN cursor_before VARCHAR;
ALTER TABLE loads ADD COLUMN removed BIGINT DEFAULT 0; -- rows of a part that its source states without them
ALTER TABLE loads ADD COLUMN conflicts BIGINT DEFAULT 0;
ALTER TABLE loads ADD COLUMN error VARCHAR; -- NULL where the load was stored
UPDATE loads SET removed = 0, conflicts = 0;

-- Where a line may have been a call of a session: its cost is not known while nobody can read the line.
ALTER TABLE rejected_rows ADD COLUMN session_id VARCHAR;

-- Two records of one request that cannot both be true: which one counts, and what the other says.
CREATE TABLE conflicts (
    load_id BIGINT NOT NULL,
    request_key VARCHAR NOT NULL,
    kept VARCHAR NOT NULL,
    other VARCHAR NOT NULL
);

ALTER TABLE requests ADD COLUMN unpriced_part VARCHAR; -- what of the call has a price that no price line states
ALTER TABLE requests ADD COLUMN unbilled_status VARCHAR; -- of the copy that has the usage, where another has the bill
ALTER TABLE prices ADD COLUMN reason VARCHAR; -- why the line says other than what was known before

ALTER TABLE charges ADD COLUMN billed_usd DECIMAL(38, 12); -- NULL: the source has one view of the money
ALTER TABLE charges ADD COLUMN part VARCHAR; -- what its source states as a whole each time

CREATE TABLE credit_usage (
    usage_id VARCHAR NOT NULL,
    source VARCHAR NOT NULL,
    vendor VARCHAR NOT NULL,
    used_at TIMESTAMP NOT NULL,
    credits DECIMAL(38, 12) NOT NULL,
    usd DECIMAL(38, 12), -- NULL: no price is known, which is not zero
    usd_rule VARCHAR,
    session_id VARCHAR,
    agent VARCHAR,
    description VARCHAR,
    observed_at TIMESTAMP, -- when a count that still grows was read; NULL for a statement
    load_id BIGINT NOT NULL
);

CREATE TABLE credit_quotas (
    vendor VARCHAR NOT NULL,
    plan VARCHAR NOT NULL,
    observed_at TIMESTAMP NOT NULL,
    source VARCHAR NOT NULL,
    used_credits DECIMAL(38, 12) NOT NULL,
    limit_credits DECIMAL(38, 12), -- NULL: no end
    starts_on DATE,
    resets_at TIMESTAMP,
    fee_usd DECIMAL(38, 12), -- of one period
    load_id BIGINT NOT NULL
);

CREATE TABLE budgets (
    budget_id VARCHAR NOT NULL,
    source VARCHAR NOT NULL,
    limit_usd DECIMAL(38, 12) NOT NULL,
    scope VARCHAR NOT NULL,
    member VARCHAR,
    period VARCHAR NOT NULL,
    zone VARCHAR NOT NULL,
    thresholds DECIMAL(38, 12)[] NOT NULL,
    action VARCHAR NOT NULL,
    exempt_triggers VARCHAR[] NOT NULL,
    unpriced_denied VARCHAR[] NOT NULL,
    part VARCHAR, -- the file that states it with all its others
    load_id BIGINT NOT NULL
);
