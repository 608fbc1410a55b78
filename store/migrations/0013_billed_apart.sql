-- Usage that the provider's cost report leaves out. Before this it was known by the words of `member` alone.
ALTER TABLE reported_usage ADD COLUMN is_billed_apart BOOLEAN DEFAULT FALSE;
UPDATE reported_usage SET is_billed_apart = TRUE WHERE regexp_matches(member, ', priority(_on_demand)? tier$');
