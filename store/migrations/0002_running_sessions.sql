-- A session that goes on after it was seen to end is running again. What was stated of its end is kept beside what holds,
-- with the latest word on whether it runs: NULL where nothing says so.
ALTER TABLE sessions ADD COLUMN stated_termination VARCHAR;
ALTER TABLE sessions ADD COLUMN stated_ended_at TIMESTAMP;
ALTER TABLE sessions ADD COLUMN is_running BOOLEAN;
ALTER TABLE sessions ADD COLUMN state_observed_at TIMESTAMP;

UPDATE sessions SET
    stated_termination = termination,
    stated_ended_at = ended_at,
    is_running = CASE WHEN termination IS NOT NULL THEN FALSE END,
    state_observed_at = termination_observed_at;
