-- What had come of the tasks of sessions at any instant.

-- Sessions of a source of which some outcome is known: only there does a session without one have achieved nothing.
CREATE OR REPLACE VIEW judged_sources AS
SELECT DISTINCT session.source FROM sessions AS session SEMI JOIN outcomes USING (session_id);

-- One row a session that has outcomes: what they said together of its task at `as_of` (UTC).
CREATE OR REPLACE MACRO task_words_at(as_of) AS TABLE
WITH asked AS (SELECT as_of::TIMESTAMP AS instant),
words_then AS (
    SELECT
        fact.*,
        asked.instant,
        is_in_time
            AND coalesce(success_at <= asked.instant, TRUE)
            AND (NOT is_reversed OR coalesce(reversed_at > asked.instant, FALSE)) AS is_holding,
        is_failure AND coalesce(failure_at <= asked.instant, TRUE) AS is_failing
    FROM outcome_facts AS fact, asked
)
SELECT
    session_id,
    min(success_at) FILTER (WHERE is_holding) AS success_at,
    bool_or(is_holding) AS has_success,
    min(failure_at) FILTER (WHERE is_failing) AS failure_at,
    bool_or(is_failing) AS has_failure,
    max(window_us) AS window_us,
    bool_or(
        is_awaiting
        OR window_us IS NOT NULL AND is_success IS NOT NULL
        OR is_success IS NOT NULL AND coalesce(occurred_at > instant, FALSE)
    ) AS has_task,
    bool_or(is_work AND coalesce(occurred_at <= instant, TRUE)) AS has_work,
    bool_or(is_unknown AND coalesce(occurred_at <= instant, TRUE)) AS has_unknown
FROM words_then
GROUP BY session_id;

-- What had come of a task at an instant, from what its outcomes say; `is_closed`: no window of theirs is open.
CREATE OR REPLACE MACRO task_result(
    is_running, has_success, has_failure, has_task, has_work, has_unknown, is_closed, is_judged, termination
) AS
    CASE
        WHEN is_running THEN 'running'
        WHEN has_success THEN 'success'
        WHEN has_failure THEN 'failure'
        WHEN has_task AND is_closed THEN 'failure'
        WHEN has_task OR has_work THEN 'pending'
        WHEN is_judged AND termination IN ('error', 'timeout', 'aborted', 'lost') THEN 'failure'
        WHEN has_unknown OR NOT is_judged THEN 'pending'
        ELSE 'none'
    END;

-- One row a session that had started by `as_of` (UTC), with what had come of its task by then. Outcomes after it do not
-- exist, but for one thing: a session that was to get an outcome of a kind with a window had a task all along.
-- result: 'success', 'failure', 'pending' (its window is open, or its source has still to say), 'running' (not ended),
--     'none' (no task)
-- ended_at: the end from which its window runs; NULL while it runs
-- success_at: when the success came that holds; failure_at: since when the failure is known
-- decides_at: the end of its longest window; NULL where none of its outcomes has one
-- is_mature: it has ended and nothing that comes now can change the result, but a reversal
-- us_to_success, days_to_success: from its end, 0 where the success came before; NULL without one
CREATE OR REPLACE MACRO task_results_at(as_of) AS TABLE
WITH asked AS (SELECT as_of::TIMESTAMP AS instant),
sessions_then AS (
    SELECT
        session.session_id,
        session.source,
        session.termination,
        ended_for_good(session.started_at, session.ended_at, session.termination) AS known_end,
        session.termination IS NULL OR coalesce(known_end > asked.instant, FALSE) AS is_running,
        words.* EXCLUDE (session_id),
        epoch_us(known_end) + words.window_us AS decides_us,
        coalesce(decides_us <= epoch_us(asked.instant), FALSE) AS is_closed
    FROM sessions AS session
    CROSS JOIN asked
    LEFT JOIN task_words_at(as_of) AS words ON words.session_id = session.session_id
    WHERE session.started_at IS NULL OR session.started_at <= asked.instant
),
judged AS (
    SELECT
        session.*,
        judged.source IS NOT NULL AS is_judged,
        task_result(
            session.is_running,
            session.has_success,
            session.has_failure,
            session.has_task,
            session.has_work,
            session.has_unknown,
            session.is_closed,
            is_judged,
            session.termination
        ) AS result
    FROM sessions_then AS session
    LEFT JOIN judged_sources AS judged ON judged.source = session.source
)
SELECT
    session_id,
    result,
    CASE WHEN NOT is_running THEN known_end END AS ended_at,
    CASE result WHEN 'success' THEN success_at END AS success_at,
    CASE result WHEN 'failure' THEN coalesce(failure_at, make_timestamp(decides_us), known_end) END AS failure_at,
    make_timestamp(CASE WHEN result <> 'none' THEN decides_us END) AS decides_at,
    result IN ('success', 'failure', 'pending')
        AND CASE WHEN decides_us IS NULL THEN result <> 'pending' ELSE is_closed END AS is_mature,
    CASE result WHEN 'success' THEN greatest(0, epoch_us(success_at) - epoch_us(known_end)) END AS us_to_success,
    us_to_success / 86400000000 AS days_to_success
FROM judged;
