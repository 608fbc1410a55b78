-- One row a session that has counted requests: its own spend, and the model that it was mostly spent on. `of` names the
-- sessions; NULL is all of them.
CREATE OR REPLACE MACRO session_spend_of(of) AS TABLE
WITH spend AS (
    SELECT
        session_id,
        min(model) AS only_model,
        min(provider) AS only_provider,
        coalesce(min(model) <> max(model), FALSE) AS mixed_models,
        mixed_models
            OR coalesce(min(provider) <> max(provider), FALSE)
            OR count(model) NOT IN (0, count(*))
            OR count(provider) NOT IN (0, count(*)) AS has_parts,
        count(*) AS row_count,
        count(*) FILTER (WHERE scope = 'request') AS requests,
        count(*) FILTER (WHERE cost_usd IS NULL) AS unpriced_requests,
        coalesce(sum(cost_usd), 0) AS known_cost_usd,
        CASE WHEN bool_or(cache_read_tokens > 0) THEN TRUE WHEN bool_and(cache_read_tokens IS NOT NULL) THEN FALSE END
            AS reads_cache
    FROM request_facts
    WHERE session_id IS NOT NULL AND (of IS NULL OR session_id IN (SELECT unnest(of::VARCHAR[])))
    GROUP BY session_id
),
-- Most sessions use one model of one provider; only the others need a ranking.
parts AS (
    SELECT
        session_id,
        model,
        provider,
        coalesce(sum(cost_usd), 0) AS known_cost_usd,
        coalesce(sum(total_tokens), 0) AS tokens
    FROM request_facts
    WHERE session_id IN (SELECT session_id FROM spend WHERE has_parts)
    GROUP BY session_id, model, provider
),
mixed AS (
    SELECT
        *,
        sum(known_cost_usd) OVER (PARTITION BY session_id, model) AS model_cost_usd,
        sum(tokens) OVER (PARTITION BY session_id, model) AS model_tokens
    FROM parts
),
ranked AS (
    SELECT
        session_id,
        model,
        provider,
        row_number() OVER (
            PARTITION BY session_id
            ORDER BY model IS NULL, model_cost_usd DESC, model_tokens DESC, model,
                known_cost_usd DESC, tokens DESC, provider
        ) AS place
    FROM mixed
)
SELECT
    spend.session_id,
    CASE WHEN spend.has_parts THEN ranked.model ELSE spend.only_model END AS model,
    CASE WHEN spend.has_parts THEN ranked.provider ELSE spend.only_provider END AS provider,
    spend.mixed_models,
    spend.row_count,
    spend.requests,
    spend.unpriced_requests,
    spend.known_cost_usd,
    spend.reads_cache
FROM spend
LEFT JOIN ranked ON ranked.session_id = spend.session_id AND ranked.place = 1;

CREATE OR REPLACE VIEW session_spend_now AS FROM session_spend_of(NULL);
