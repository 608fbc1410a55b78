-- The instant as of which the facts are written: what comes of a task changes with time, without any load.
CREATE TABLE facts_instant (as_of TIMESTAMP);
INSERT INTO facts_instant SELECT max(applied_at) FROM loads;

-- What each kind of outcome means, as metrics.yaml says it. A kind without a row is as its source says.
CREATE TABLE outcome_rules (
    kind VARCHAR NOT NULL,
    is_success BOOLEAN, -- NULL: as the source says
    is_idle BOOLEAN NOT NULL, -- no task was there
    is_awaiting BOOLEAN NOT NULL, -- another kind is to follow
    window_us BIGINT, -- from the end of the session; NULL: no end
    reverses VARCHAR[] NOT NULL, -- the kinds that it takes back
    within_us BIGINT -- of what it takes back
);

-- Of an outcome that replaced the success that it took back: when that success had come.
ALTER TABLE outcomes ADD COLUMN undone_success_at TIMESTAMP;

CREATE TABLE scores (
    session_id VARCHAR NOT NULL,
    scorer VARCHAR NOT NULL,
    score DECIMAL(38, 12) NOT NULL, -- 0 to 1
    observed_at TIMESTAMP NOT NULL,
    source VARCHAR NOT NULL,
    load_id BIGINT NOT NULL
);
