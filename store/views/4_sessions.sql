-- Sessions with what they cost, how they ended and what came of them.

-- One row a session that has outcomes: what they say together.
CREATE OR REPLACE VIEW session_outcomes AS
SELECT
    session_id,
    bool_or(is_achievement) AS has_success,
    bool_or(is_failure) AS has_failure,
    bool_or(is_work) AS has_work, -- done, its worth not yet decided
    bool_or(is_unknown) AS has_unknown,
    max({
        'weight': CASE
            WHEN is_achievement THEN 5
            WHEN is_work THEN 4
            WHEN is_failure THEN 3
            WHEN is_unknown THEN 2
            ELSE 1
        END,
        'occurred_at': coalesce(occurred_at, '-infinity'::TIMESTAMP),
        'kind': kind
    }).kind AS deciding_kind
FROM outcome_facts
GROUP BY session_id;

-- One row a session that somebody judged: the mean of what each scorer said last.
CREATE OR REPLACE VIEW session_scores AS
SELECT
    session_id,
    usd_of_pico((2 * pico_usd(sum(score)) + count(*)) // (2 * count(*))) AS score -- exact, as for money
FROM scores
GROUP BY session_id;

-- One row a session: what is its own.
CREATE OR REPLACE VIEW own_sessions AS
WITH allocated AS (
    SELECT
        session_id,
        sum(allocated_usd) AS infrastructure_usd,
        sum(allocated_capacity_usd) AS capacity_usd,
        sum(allocated_busy_usd) AS busy_usd,
        sum(allocated_even_usd) AS even_usd
    FROM allocated_days
    GROUP BY session_id
),
classified AS (
    SELECT
        session.*,
        outcome.deciding_kind,
        CASE
            WHEN session.termination IS NULL THEN 'pending'
            WHEN outcome.has_success OR outcome.has_work THEN 'productive'
            WHEN session.termination IN ('error', 'timeout', 'aborted', 'lost') OR outcome.has_failure THEN 'failed'
            WHEN outcome.has_unknown THEN 'pending'
            WHEN judged.source IS NULL THEN 'unknown'
            ELSE 'idle'
        END AS class,
        judged.source IS NOT NULL AS is_judged,
        words.* EXCLUDE (session_id),
        instant.as_of,
        session.started_at IS NULL OR session.started_at <= instant.as_of AS has_started,
        ended_for_good(session.started_at, session.ended_at, session.termination) AS known_end,
        epoch_us(known_end) + words.window_us AS decides_us
    FROM sessions AS session
    CROSS JOIN facts_instant AS instant
    LEFT JOIN task_words_at((SELECT as_of FROM facts_instant)) AS words ON words.session_id = session.session_id
    LEFT JOIN session_outcomes AS outcome ON outcome.session_id = session.session_id
    LEFT JOIN judged_sources AS judged ON judged.source = session.source
),
-- What has come of its task, as `task_results_at` says it. One that is to begin is as one that runs.
decided AS (
    SELECT
        *,
        CASE WHEN has_started THEN task_result(
            termination IS NULL OR coalesce(known_end > as_of, FALSE),
            has_success,
            has_failure,
            has_task,
            has_work,
            has_unknown,
            coalesce(decides_us <= epoch_us(as_of), FALSE),
            is_judged,
            termination
        ) ELSE 'running' END AS result
    FROM classified
)
SELECT
    session.session_id,
    session.source, -- the loader with the latest evidence
    session.agent,
    session.parent_session_id,
    coalesce(session.trigger, 'unknown') AS trigger, -- who or what started it
    session.trigger_rule, -- the rule that says so
    session.task_class,
    coalesce(spend.model, session.model) AS model, -- the one with the most of its cost; without requests, the one asked for
    coalesce(spend.mixed_models, FALSE) AS mixed_models, -- it used more than one
    spend.provider, -- of that model; NULL where unknown
    session.started_at, -- UTC
    session.ended_at, -- UTC
    session.termination, -- NULL while it runs
    session.class, -- 'productive', 'idle', 'failed'; 'pending' (in no rate); 'unknown' where its source has no outcomes
    CASE WHEN session.is_judged THEN (session.class = 'productive')::INTEGER END AS is_productive, -- NULL: not known
    CASE WHEN session.is_judged THEN (session.class = 'idle')::INTEGER END AS is_idle, -- NULL: not known
    session.deciding_kind AS outcome, -- the kind of the outcome that says most; NULL without one
    -- Of the task, where there was one, as of the instant at which the facts were written: 'success', 'failure',
    -- 'pending' (it runs, its window is open, or its source has still to say) or 'none'.
    CASE session.result WHEN 'running' THEN 'pending' ELSE session.result END AS task_result,
    CASE session.result WHEN 'success' THEN session.success_at END AS success_at, -- UTC; when the success came that holds
    -- UTC; since when the failure is known
    CASE session.result
        WHEN 'failure' THEN coalesce(session.failure_at, make_timestamp(session.decides_us), session.known_end)
    END AS failure_at,
    -- UTC; the end of its window; NULL where nothing that is known of it has one
    make_timestamp(CASE WHEN session.has_started AND session.result <> 'none' THEN session.decides_us END) AS decides_at,
    score.score, -- 0 to 1: the mean of its scorers; NULL where nobody judged it
    coalesce(spend.requests, 0) AS requests, -- calls; 0 where only a total is known
    coalesce(spend.unpriced_requests, 0) AS unpriced_requests, -- rows whose cost is unknown
    coalesce(spend.known_cost_usd, 0) AS known_cost_usd, -- a lower bound where unpriced_requests > 0
    CASE
        WHEN spend.session_id IS NULL THEN 0
        WHEN spend.unpriced_requests = 0 THEN spend.known_cost_usd
    END AS api_cost_usd, -- own requests; 0 without any, NULL where one is unknown
    CASE
        WHEN spend.session_id IS NULL THEN 'NO_REQUESTS'
        WHEN spend.unpriced_requests = 0 THEN 'COMPLETE'
        WHEN spend.unpriced_requests = spend.row_count THEN 'UNPRICED'
        ELSE 'PARTIALLY_PRICED'
    END AS cost_completeness,
    spend.reads_cache, -- NULL where it has no calls, or one of unknown usage and none that read the cache
    coalesce(allocated.infrastructure_usd, 0) AS allocated_usd, -- its part of the infrastructure, by the policy in force
    coalesce(allocated.capacity_usd, 0) AS allocated_capacity_usd, -- by its share of the machines' time
    coalesce(allocated.busy_usd, 0) AS allocated_busy_usd, -- by its share of the time that sessions were busy
    coalesce(allocated.even_usd, 0) AS allocated_even_usd, -- evenly, among the sessions of each day
    api_cost_usd + allocated_usd AS cost_usd, -- NULL where the own cost is unknown
    CASE is_idle WHEN 1 THEN cost_usd WHEN 0 THEN 0 END AS idle_cost_usd, -- NULL where either is unknown
    coalesce(
        epoch_us(busy_until(session.started_at, session.ended_at, session.observed_at, session.termination))
            - epoch_us(session.started_at),
        0
    ) * 0.000001 AS busy_seconds, -- from start to end; while it runs, until it was last seen
    CASE WHEN plan.session_id IS NULL THEN 0 ELSE plan.share_usd END AS plan_share_usd, -- NULL: no fee or list price known
    CASE WHEN credit.session_id IS NULL THEN 0 ELSE credit.worth_usd END AS credit_usd, -- NULL where a price is unknown
    cost_usd + plan_share_usd + credit_usd AS amortised_usd -- with its part of what was paid beforehand
FROM decided AS session
LEFT JOIN session_spend AS spend ON spend.session_id = session.session_id
LEFT JOIN allocated ON allocated.session_id = session.session_id
LEFT JOIN session_scores AS score ON score.session_id = session.session_id
LEFT JOIN session_plans AS plan ON plan.session_id = session.session_id
LEFT JOIN session_credits AS credit ON credit.session_id = session.session_id;
