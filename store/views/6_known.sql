-- What was known at an instant, from when each load was stored. What was known once stays: corrections, late rows and
-- later prices add to it and change nothing before them.

-- The newest version of every price line, of those that had been loaded.
CREATE OR REPLACE MACRO prices_known_at(instant) AS TABLE
SELECT line.* EXCLUDE (load_id)
FROM prices AS line
JOIN loads ON loads.load_id = line.load_id AND loads.applied_at <= instant
QUALIFY row_number() OVER (PARTITION BY line.price_id ORDER BY line.known_at DESC) = 1;

-- Every change of a cost after its request was stored, with what it was before.
CREATE OR REPLACE VIEW cost_changes AS
SELECT
    request_key,
    restated_at AS changed_at, -- UTC
    load_id,
    1 AS place, -- within a load a cost is first found, then corrected
    old_cost_usd,
    old_cost_status,
    old_price_id
FROM restatements
UNION ALL
SELECT request_key, known_at, load_id, 0, NULL, old_cost_status, old_price_id FROM late_costs;

-- One row a request that was counted then, with the columns of request_facts and its cost as it was known. What else it
-- says (its session, agent, model) is as known today; is_changed_since tells of rows that a later load has touched.
-- A line that nobody could read is in no such row: which lines those were is not kept.
CREATE OR REPLACE MACRO requests_known_at(instant) AS TABLE
WITH known AS (
    SELECT request.request_key, request.session_id, request.source, request.scope, last.applied_at > instant AS is_changed
    FROM requests AS request
    JOIN loads AS first ON first.load_id = request.first_load_id AND first.applied_at <= instant
    JOIN loads AS last ON last.load_id = request.load_id
),
was AS (
    SELECT
        request_key,
        min({
            'load_id': load_id, 'place': place,
            'cost_usd': old_cost_usd, 'cost_status': old_cost_status, 'price_id': old_price_id
        }) AS earlier
    FROM cost_changes
    WHERE changed_at > instant
    GROUP BY request_key
),
-- Totals that single requests or turns have replaced since: they counted as long as nothing finer was known.
turns AS (
    SELECT session_id FROM known WHERE scope = 'session' AND source = 'openclaw'
    UNION
    SELECT run.parent_session_id
    FROM known AS turn
    JOIN sessions AS run ON run.session_id = turn.session_id
    WHERE turn.scope = 'session' AND turn.source = 'openclaw'
),
replaced AS (
    SELECT total.request_key
    FROM known AS total
    WHERE total.scope = 'session'
        AND NOT EXISTS (SELECT 1 FROM main.request_facts AS fact WHERE fact.request_key = total.request_key)
        AND NOT EXISTS (
            SELECT 1 FROM known AS part WHERE part.scope = 'request' AND part.session_id = total.session_id
        )
        AND (
            total.source = 'openclaw'
            OR NOT EXISTS (SELECT 1 FROM turns WHERE turns.session_id = total.session_id)
        )
),
counted AS (
    SELECT fact.* FROM main.request_facts AS fact SEMI JOIN known ON known.request_key = fact.request_key
    UNION ALL BY NAME
    SELECT
        request.request_key,
        request.scope,
        request.source,
        request.session_id,
        coalesce(request.agent, session.agent) AS agent,
        request.provider,
        request.model,
        request.started_at,
        request.ended_at,
        request.uncached_input_tokens,
        request.cache_read_tokens,
        request.cache_write_5m_tokens,
        request.cache_write_1h_tokens,
        request.output_tokens,
        request.status,
        request.cost_usd,
        request.cost_status,
        request.price_id,
        request.unpriced_part,
        0 AS request_count,
        CASE
            WHEN request.session_id IS NULL THEN 'NO_SESSION_ID'
            WHEN session.session_id IS NULL THEN 'UNKNOWN_SESSION'
            ELSE 'ATTRIBUTED'
        END AS attribution
    FROM requests AS request
    SEMI JOIN replaced ON replaced.request_key = request.request_key
    LEFT JOIN sessions AS session ON session.session_id = request.session_id
)
SELECT
    counted.* REPLACE (
        CASE WHEN was.earlier IS NULL THEN counted.cost_usd ELSE was.earlier.cost_usd END AS cost_usd,
        CASE WHEN was.earlier IS NULL THEN counted.cost_status ELSE was.earlier.cost_status END AS cost_status,
        CASE WHEN was.earlier IS NULL THEN counted.price_id ELSE was.earlier.price_id END AS price_id
    ),
    known.is_changed AS is_changed_since
FROM counted
JOIN known ON known.request_key = counted.request_key
LEFT JOIN was ON was.request_key = counted.request_key;
