-- Append-only: costs that became known, or whose reason to be unknown changed, after their request was stored. With
-- `restatements` it is what a cost was known to be at every instant since.
CREATE TABLE late_costs (
    request_key VARCHAR NOT NULL,
    known_at TIMESTAMP NOT NULL,
    load_id BIGINT NOT NULL,
    old_cost_status VARCHAR NOT NULL, -- why it was unknown until then
    old_price_id VARCHAR
);
