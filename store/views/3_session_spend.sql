-- One row a session that has counted requests: its own spend, and the model that it was mostly spent on.
CREATE OR REPLACE VIEW session_spend_now AS
WITH parts AS (
    SELECT
        session_id,
        model,
        provider,
        count(*) AS row_count,
        count(*) FILTER (WHERE scope = 'request') AS requests,
        count(*) FILTER (WHERE cost_usd IS NULL) AS unpriced_requests,
        coalesce(sum(cost_usd), 0) AS known_cost_usd,
        coalesce(sum(total_tokens), 0) AS tokens,
        bool_or(cache_read_tokens > 0) AS has_cache_read,
        bool_or(cache_read_tokens IS NULL) AS has_unknown_usage
    FROM request_facts
    WHERE session_id IS NOT NULL
    GROUP BY session_id, model, provider
),
spend AS (
    SELECT
        session_id,
        count(*) AS part_count,
        min(model) AS only_model,
        min(provider) AS only_provider,
        coalesce(min(model) <> max(model), FALSE) AS mixed_models,
        sum(row_count)::BIGINT AS row_count,
        sum(requests)::BIGINT AS requests,
        sum(unpriced_requests)::BIGINT AS unpriced_requests,
        sum(known_cost_usd) AS known_cost_usd,
        CASE WHEN bool_or(has_cache_read) THEN TRUE WHEN NOT bool_or(has_unknown_usage) THEN FALSE END AS reads_cache
    FROM parts
    GROUP BY session_id
),
-- Most sessions use one model of one provider; only the others need a ranking.
mixed AS (
    SELECT
        *,
        sum(known_cost_usd) OVER (PARTITION BY session_id, model) AS model_cost_usd,
        sum(tokens) OVER (PARTITION BY session_id, model) AS model_tokens
    FROM parts
    WHERE session_id IN (SELECT session_id FROM spend WHERE part_count > 1)
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
    CASE WHEN spend.part_count = 1 THEN spend.only_model ELSE ranked.model END AS model,
    CASE WHEN spend.part_count = 1 THEN spend.only_provider ELSE ranked.provider END AS provider,
    spend.mixed_models,
    spend.row_count,
    spend.requests,
    spend.unpriced_requests,
    spend.known_cost_usd,
    spend.reads_cache
FROM spend
LEFT JOIN ranked ON ranked.session_id = spend.session_id AND ranked.place = 1;
