-- What the tokens of a request are worth at list price, whoever paid, and what the cache changed in that. NULL: unknown.
-- Requests that an earlier version stored stay NULL until they are priced again: by the next load of the price book, or
-- of the source that they come from.
ALTER TABLE requests ADD COLUMN list_usd DECIMAL(38, 12);
ALTER TABLE requests ADD COLUMN cache_read_usd DECIMAL(38, 12); -- the part of it that is cache reads
ALTER TABLE requests ADD COLUMN cache_read_saving_usd DECIMAL(38, 12);
ALTER TABLE requests ADD COLUMN cache_write_premium_usd DECIMAL(38, 12);

-- How infrastructure is laid on sessions: 'capacity', 'busy_time' or 'even'.
ALTER TABLE allocation ADD COLUMN policy VARCHAR;
UPDATE allocation SET policy = 'capacity';
