-- Who saw a call, and who gave which field of its row.

-- Every key under which a call is known -> the call: one that is counted under its own key, or with another.
CREATE OR REPLACE VIEW call_keys AS
SELECT request_key, request_key AS call_key FROM requests WHERE scope = 'request'
UNION
SELECT request_key, call_key FROM sightings;

-- One row for each source and key under which it has the call.
CREATE OR REPLACE VIEW call_sightings AS
WITH seen AS (
    SELECT
        sighting.*,
        CASE
            WHEN sighting.request_key = sighting.call_key THEN 'KEY'
            WHEN sighting.named_key = call.named_key THEN 'IDENTITY'
            ELSE 'ALIKE'
        END AS rule
    FROM sightings AS sighting
    JOIN (SELECT DISTINCT request_key AS call_key, named_key FROM sightings WHERE request_key = call_key) AS call
        USING (call_key)
    UNION ALL BY NAME
    SELECT
        request.*,
        request.request_key AS call_key,
        'KEY' AS rule,
        [field FOR field IN [
            CASE WHEN session_id IS NOT NULL THEN 'session' END,
            CASE WHEN agent IS NOT NULL THEN 'agent' END,
            CASE WHEN model IS NOT NULL THEN 'model' END,
            CASE WHEN started_at IS NOT NULL THEN 'start' END,
            CASE WHEN output_tokens IS NOT NULL THEN 'tokens' END,
            CASE WHEN cost_usd IS NOT NULL THEN 'cost' END,
            'status'
        ] IF field IS NOT NULL] AS gave
    FROM requests AS request
    WHERE scope = 'request' AND request_key NOT IN (SELECT call_key FROM sightings)
)
SELECT
    seen.call_key AS request_key, -- the call, as request_facts has it
    seen.source,
    seen.request_key AS seen_as, -- the key that this source gives it
    seen.rule, -- KEY: its key is that of the call; IDENTITY: they share a name; ALIKE: nothing but them fits
    seen.identities, -- other names that it has here
    seen.gave, -- the fields of the call that are from here: session, agent, model, start, tokens, cost, status
    seen.session_id,
    seen.agent,
    seen.provider,
    seen.model,
    seen.started_at, -- UTC
    seen.ended_at, -- UTC
    seen.uncached_input_tokens,
    seen.cache_read_tokens,
    seen.cache_write_5m_tokens,
    seen.cache_write_1h_tokens,
    seen.output_tokens,
    seen.cost_usd, -- what this record alone would cost
    seen.cost_status,
    seen.status,
    loads.applied_at AS seen_since -- UTC; when its first load was stored
FROM seen
LEFT JOIN loads ON loads.load_id = seen.first_load_id;
