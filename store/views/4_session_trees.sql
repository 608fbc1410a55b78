-- Sessions with what is above and below them.

-- One row a session that is below another, is above one, or does not know its parent; and where in its tree it is. Sums go
-- up by doubling: after a step, a session knows those that are fewer than 2 ^ step below it, and hands what it knows to its
-- ancestor that many above. `of` names whole families; NULL is all sessions.
CREATE OR REPLACE MACRO session_trees_of(of) AS TABLE
WITH RECURSIVE parents AS MATERIALIZED (FROM session_parents_of(of)),
broken AS MATERIALIZED (FROM broken_ancestries_of(of)),
jumps AS (
    SELECT
        parents.session_id,
        parents.parent_id AS ancestor_id,
        0 AS step,
        (coalesce(spend.known_cost_usd, 0) + coalesce(allocated.usd, 0))::DECIMAL(38, 12) AS known_usd,
        (coalesce(spend.unpriced_requests, 0) > 0)::BIGINT AS unknown,
        1::BIGINT AS sessions
    FROM parents
    LEFT JOIN session_spend AS spend ON spend.session_id = parents.session_id
    LEFT JOIN (
        SELECT session_id, sum(allocated_usd) AS usd
        FROM allocated_days
        WHERE of IS NULL OR session_id IN (SELECT unnest(of::VARCHAR[]))
        GROUP BY session_id
    ) AS allocated ON allocated.session_id = parents.session_id
    UNION ALL
    SELECT
        lower.session_id,
        upper.ancestor_id,
        lower.step + 1 AS step,
        lower.known_usd + coalesce(handed.known_usd, 0) AS known_usd,
        lower.unknown + coalesce(handed.unknown, 0) AS unknown,
        lower.sessions + coalesce(handed.sessions, 0) AS sessions
    FROM jumps AS lower
    JOIN jumps AS upper ON upper.session_id = lower.ancestor_id
    LEFT JOIN (
        SELECT
            ancestor_id,
            sum(known_usd)::DECIMAL(38, 12) AS known_usd,
            sum(unknown)::BIGINT AS unknown,
            sum(sessions)::BIGINT AS sessions
        FROM jumps
        GROUP BY ancestor_id
    ) AS handed ON handed.ancestor_id = lower.session_id
),
below AS (
    SELECT
        ancestor_id AS session_id,
        sum(known_usd)::DECIMAL(38, 12) AS known_usd,
        sum(unknown)::BIGINT AS unknown,
        sum(sessions)::BIGINT AS sessions
    FROM jumps
    GROUP BY ancestor_id
),
-- From the far end of its longest jump a session is fewer steps from its root than it has jumped.
longest AS MATERIALIZED (
    SELECT session_id, ancestor_id, 1::BIGINT << step AS length
    FROM jumps
    JOIN (SELECT session_id, max(step) AS step FROM jumps GROUP BY session_id) USING (session_id, step)
),
climbs AS (
    SELECT session_id, ancestor_id, length FROM longest
    UNION ALL
    SELECT climbs.session_id, longest.ancestor_id, climbs.length + longest.length AS length
    FROM climbs
    JOIN longest ON longest.session_id = climbs.ancestor_id
),
depths AS (
    SELECT climbs.session_id, climbs.ancestor_id AS root_id, climbs.length AS depth
    FROM climbs
    ANTI JOIN longest ON longest.session_id = climbs.ancestor_id
),
places AS (
    SELECT session_id FROM parents
    UNION
    SELECT session_id FROM below
    UNION
    SELECT session_id FROM broken
)
SELECT
    places.session_id,
    coalesce(depths.depth, 0) AS depth,
    root.session_id AS root_session_id,
    CASE WHEN broken_root.ancestry IS NULL THEN coalesce(root.trigger, 'unknown') ELSE 'unknown' END AS root_trigger,
    broken.ancestry,
    coalesce(below.sessions, 0) AS sessions_below,
    coalesce(below.known_usd, 0) AS known_usd_below,
    coalesce(below.unknown, 0) AS unknown_below
FROM places
LEFT JOIN depths ON depths.session_id = places.session_id
JOIN sessions AS root ON root.session_id = coalesce(depths.root_id, places.session_id)
LEFT JOIN below ON below.session_id = places.session_id
LEFT JOIN broken ON broken.session_id = places.session_id
LEFT JOIN broken AS broken_root ON broken_root.session_id = coalesce(depths.root_id, places.session_id);

CREATE OR REPLACE VIEW session_trees_now AS FROM session_trees_of(NULL);
