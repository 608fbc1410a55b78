-- A meter may count prompts as a whole, and may run on: then a row is what it had come to at its last reading of a day.
ALTER TABLE reported_usage ADD COLUMN input_tokens BIGINT; -- all of the prompts, however they were cached
ALTER TABLE reported_usage ADD COLUMN counter VARCHAR; -- the one that runs on; NULL where a row stands for its own time
