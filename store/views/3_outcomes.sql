-- What outcomes say of a session's task, and since when: a success within its window that nothing took back, a failure,
-- or that something is still to come. docs/outcomes.md has the definitions.

-- The end from which windows run: of a session that ended at an unknown instant, its start.
CREATE OR REPLACE MACRO ended_for_good(started_at, ended_at, termination) AS
    CASE WHEN termination IS NOT NULL THEN greatest(started_at, ended_at) END;

-- One row an outcome, with what its kind means.
CREATE OR REPLACE VIEW outcome_facts_now AS
WITH told AS (
    SELECT
        outcome.*,
        coalesce(rule.is_idle, outcome.kind = 'IDLE_EXIT' AND outcome.is_success IS NULL) AS is_idle,
        coalesce(rule.is_awaiting, FALSE) AS is_awaiting,
        rule.window_us,
        rule.within_us,
        coalesce(rule.reverses, []) AS reverses,
        CASE WHEN NOT coalesce(rule.is_idle, FALSE) THEN coalesce(rule.is_success, outcome.is_success) END AS verdict,
        session.started_at,
        ended_for_good(session.started_at, session.ended_at, session.termination) AS session_ended_at
    FROM outcomes AS outcome
    LEFT JOIN outcome_rules AS rule ON rule.kind = outcome.kind
    LEFT JOIN sessions AS session ON session.session_id = outcome.session_id
),
-- Every reversal takes back the successes of its kinds that came before it, in its time.
taken_back AS (
    SELECT
        good.outcome_id,
        min(coalesce(back.occurred_at, good.occurred_at, good.session_ended_at)) AS off_at
    FROM (SELECT session_id, occurred_at, within_us, unnest(reverses) AS reversed_kind FROM told) AS back
    JOIN told AS good
        ON good.session_id = back.session_id
        AND good.kind = back.reversed_kind
        AND coalesce(good.occurred_at <= back.occurred_at, TRUE)
        AND coalesce(epoch_us(back.occurred_at) - epoch_us(good.occurred_at) <= back.within_us, TRUE)
    WHERE good.verdict
    GROUP BY good.outcome_id
),
dated AS (
    SELECT
        told.*,
        -- A reversal that replaced the success stands for it, too.
        CASE
            WHEN told.verdict THEN coalesce(told.occurred_at, told.session_ended_at)
            ELSE told.undone_success_at
        END AS good_at,
        CASE
            WHEN told.verdict THEN taken_back.off_at
            WHEN told.undone_success_at IS NULL THEN NULL
            WHEN epoch_us(told.occurred_at) - epoch_us(told.undone_success_at) > told.within_us THEN NULL
            ELSE coalesce(told.occurred_at, told.undone_success_at)
        END AS reversed_at,
        told.verdict IS TRUE OR told.undone_success_at IS NOT NULL AS is_good,
        CASE WHEN told.verdict THEN taken_back.outcome_id ELSE reversed_at::VARCHAR END IS NOT NULL AS is_reversed
    FROM told
    LEFT JOIN taken_back ON taken_back.outcome_id = told.outcome_id
)
SELECT
    outcome_id,
    session_id,
    source,
    kind,
    occurred_at, -- UTC; NULL counts as the end of the session
    window_us, -- in which it had to come, from the end of the session; NULL: none
    is_idle,
    -- Something was done or is to be done, whose worth is not decided by this outcome.
    verdict IS NULL AND NOT is_idle AND kind <> 'UNKNOWN' AS is_work,
    verdict IS NULL AND kind = 'UNKNOWN' AS is_unknown,
    is_awaiting AND verdict IS NULL AS is_awaiting, -- another outcome is to follow in the window
    verdict AS is_success, -- NULL: it decides nothing
    is_good AND NOT is_reversed AS is_achievement, -- in time or not
    -- One that came after its success could no longer be taken back is none.
    CASE WHEN is_good THEN is_reversed ELSE verdict IS FALSE END AS is_failure,
    coalesce(epoch_us(good_at) - epoch_us(session_ended_at) > window_us, FALSE) AS is_late,
    is_good AND NOT is_late AS is_in_time, -- a success that came in its window
    CASE WHEN NOT is_late THEN good_at END AS success_at, -- UTC; when it came; NULL where that is not known
    is_reversed,
    reversed_at, -- UTC; from then on it is no success; NULL where that is not known
    CASE WHEN is_failure THEN coalesce(reversed_at, occurred_at, session_ended_at) END AS failure_at, -- UTC
    coalesce(occurred_at < started_at, FALSE) AS is_before_start
FROM dated;
