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
    1 AS place, -- in older stores a load could first find a cost and then correct it; now it changes one once
    old_cost_usd,
    old_cost_status,
    old_price_id
FROM restatements
UNION ALL
SELECT request_key, known_at, load_id, 0, NULL, old_cost_status, old_price_id FROM late_costs;

-- One row a request that was counted then, also if it has been found to be of another call since, with the columns of request_facts and its cost as it was known. What else it
-- says (its session, agent, model) is as known today; is_changed_since tells of rows that a later load has touched.
-- A line that nobody could read is in no such row: which lines those were is not kept.
CREATE OR REPLACE MACRO requests_known_at(instant) AS TABLE
WITH known AS (
    SELECT
        request.request_key, request.session_id, request.source, request.scope,
        last.applied_at > instant AS is_changed, NULL::BIGINT AS left_load_id
    FROM requests AS request
    JOIN loads AS first ON first.load_id = request.first_load_id AND first.applied_at <= instant
    JOIN loads AS last ON last.load_id = request.load_id
    UNION ALL
    -- What has been found to be of another call since: it was counted by itself.
    SELECT former.request_key, former.session_id, former.source, former.scope, TRUE, former.left_load_id
    FROM former_calls AS former
    JOIN loads AS first ON first.load_id = former.first_load_id AND first.applied_at <= instant
    JOIN loads AS gone ON gone.load_id = former.left_load_id AND gone.applied_at > instant
),
was AS (
    SELECT
        change.request_key,
        min({
            'load_id': change.load_id, 'place': change.place,
            'cost_usd': change.old_cost_usd, 'cost_status': change.old_cost_status, 'price_id': change.old_price_id
        }) AS earlier
    FROM cost_changes AS change
    JOIN known ON known.request_key = change.request_key
    WHERE change.changed_at > instant AND change.load_id <= coalesce(known.left_load_id, change.load_id)
    GROUP BY change.request_key
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
    SELECT fact.* FROM main.request_facts AS fact
    SEMI JOIN known ON known.request_key = fact.request_key AND known.left_load_id IS NULL
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
        CASE request.scope WHEN 'request' THEN 1 ELSE 0 END AS request_count,
        coalesce(names.provider, lower(trim(request.provider))) AS billing_provider,
        request.started_at::DATE AS started_on,
        CASE
            WHEN request.session_id IS NULL THEN 'NO_SESSION_ID'
            WHEN session.session_id IS NULL THEN 'UNKNOWN_SESSION'
            ELSE 'ATTRIBUTED'
        END AS attribution
    FROM (
        SELECT * FROM requests WHERE request_key IN (SELECT request_key FROM replaced)
        UNION ALL BY NAME
        SELECT former.* EXCLUDE (left_load_id, call_key)
        FROM former_calls AS former
        JOIN known ON known.request_key = former.request_key AND known.left_load_id = former.left_load_id
    ) AS request
    LEFT JOIN vendor_names AS names ON names.alias = lower(trim(request.provider))
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
