-- Money in and out that neither requests nor charges say: on one day, or each month.
CREATE TABLE cash_flows (
    flow_id VARCHAR NOT NULL,
    source VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    amount_usd DECIMAL(38, 12) NOT NULL, -- positive: money in
    occurred_on DATE,
    day_of_month BIGINT,
    starts_on DATE,
    ends_on DATE, -- the first day on which it is no longer due
    account VARCHAR,
    description VARCHAR,
    part VARCHAR, -- what its source states as a whole each time
    load_id BIGINT NOT NULL
);
