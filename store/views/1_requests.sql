-- Requests as they are counted. A line that totals a session is counted only where the session has no single requests.
-- Where another program ran a session's turns, OpenClaw's transcript totals them one by one, as totals of the program's
-- session. Another loader's total of either session is of the same calls, and is not counted beside them.

-- Sessions with lines that the last load of their source could not read: each may have been a call.
CREATE OR REPLACE VIEW unread_sessions AS
SELECT rejected.session_id, loads.source, count(*) AS lines
FROM rejected_rows AS rejected
JOIN loads USING (load_id)
WHERE rejected.session_id IS NOT NULL
    AND (
        loads.location = 'intake' -- was sent, and is not read anew
        OR load_id IN (SELECT max(load_id) FROM loads WHERE error IS NULL GROUP BY source, location)
    )
GROUP BY rejected.session_id, loads.source;

-- `of` names sessions, and `calls` keys of calls without one; NULL is all of them.
CREATE OR REPLACE MACRO counted_requests_of(of, calls) AS TABLE
WITH told AS (
    SELECT * FROM requests WHERE of IS NULL OR session_id IN (SELECT unnest(of::VARCHAR[]))
    UNION ALL
    SELECT * FROM requests
    WHERE of IS NOT NULL AND session_id IS NULL AND request_key IN (SELECT unnest(calls::VARCHAR[]))
),
turns AS (
    SELECT session_id FROM requests WHERE scope = 'session' AND source = 'openclaw'
    UNION
    SELECT run.parent_session_id
    FROM requests AS turn
    JOIN sessions AS run ON run.session_id = turn.session_id
    WHERE turn.scope = 'session' AND turn.source = 'openclaw'
)
SELECT * FROM told WHERE scope = 'request'
UNION ALL
SELECT total.*
FROM told AS total
WHERE total.scope = 'session'
    AND NOT EXISTS (
        SELECT 1 FROM requests AS part
        WHERE part.scope = 'request' AND part.session_id = total.session_id
    )
    AND (
        total.source = 'openclaw' OR NOT EXISTS (
            SELECT 1 FROM turns WHERE turns.session_id = total.session_id
        )
    )
UNION ALL BY NAME
-- What was not read is a row of unknown cost, so that every sum that it may belong to is a lower bound.
SELECT
    'unread:' || unread.session_id AS request_key,
    unread.source,
    'session' AS scope,
    unread.session_id,
    session.started_at,
    FALSE AS is_included,
    'ok' AS status,
    'MISSING_USAGE' AS cost_status
FROM unread_sessions AS unread
LEFT JOIN sessions AS session ON session.session_id = unread.session_id
WHERE of IS NULL OR unread.session_id IN (SELECT unnest(of::VARCHAR[]));

-- The version of each price line that is in force: costs are priced anew with every version.
CREATE OR REPLACE VIEW newest_prices AS
SELECT price.*
FROM prices AS price
JOIN (SELECT price_id, max(known_at) AS known_at FROM prices GROUP BY price_id) USING (price_id, known_at);

-- One row a counted request.
CREATE OR REPLACE MACRO request_facts_of(of, calls) AS TABLE
SELECT
    request.request_key, -- one call, however often it was written down
    request.scope, -- 'request', or 'session' for a line that totals a whole session
    request.source, -- the loader that gave the usage
    request.session_id, -- the session that made the call; NULL where the source does not say
    coalesce(request.agent, session.agent) AS agent, -- the agent that made it
    request.provider, -- NULL where unknown
    request.model,
    request.started_at, -- UTC
    request.ended_at, -- UTC
    request.uncached_input_tokens, -- disjoint from the cache buckets; all five are NULL where the source has no usage
    request.cache_read_tokens,
    request.cache_write_5m_tokens,
    request.cache_write_1h_tokens,
    request.output_tokens, -- reasoning included
    request.uncached_input_tokens + request.cache_read_tokens + request.cache_write_5m_tokens
        + request.cache_write_1h_tokens + request.output_tokens AS total_tokens,
    request.status, -- 'ok', 'error' or 'aborted'
    request.cost_usd, -- the cost in force today; NULL where unknown
    request.cost_status, -- BILLED, REPORTED, INCLUDED, PRICED, UNPRICED or MISSING_USAGE
    CASE request.cost_status WHEN 'PRICED' THEN request.cache_read_usd END AS cache_read_cost_usd, -- the part of a PRICED cost that is cache reads; NULL where others say what a call cost
    request.cost_usd AS cash_usd, -- what one more such call costs in cash: 0 under a plan, whose fee is a charge
    request.list_usd, -- what its tokens cost at list price, whoever paid; NULL where unknown
    request.cache_read_saving_usd, -- how much more its cache reads would have cost as uncached input; NULL where unknown
    request.cache_write_premium_usd, -- how much less its cache writes would have cost as uncached input
    request.price_id, -- the line of the price book, where one was used
    request.estimated_usd, -- the source's own estimate, for comparison only
    request.unpriced_part, -- what of the call has a price that no price line states
    CASE request.scope WHEN 'request' THEN 1 ELSE 0 END AS request_count, -- 0 where a total hides how many there were
    CASE
        WHEN request.session_id IS NULL THEN 'NO_SESSION_ID'
        WHEN session.session_id IS NULL THEN 'UNKNOWN_SESSION'
        ELSE 'ATTRIBUTED'
    END AS attribution, -- whether the spend can be laid on a session that is known
    coalesce(names.provider, lower(trim(request.provider))) AS billing_provider, -- as bills of it are found
    request.started_at::DATE AS started_on -- the UTC day on which a bill has it
FROM counted_requests_of(of, calls) AS request
LEFT JOIN sessions AS session ON session.session_id = request.session_id
LEFT JOIN vendor_names AS names ON names.alias = lower(trim(request.provider));

CREATE OR REPLACE VIEW request_facts_now AS FROM request_facts_of(NULL, NULL);
