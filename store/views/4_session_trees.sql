-- Sessions with what is above and below them.

-- One row a session that is below another, is above one, or does not know its parent; and where in its tree it is. Sums go
-- up by doubling: after a step, a session knows those that are fewer than 2 ^ step below it, and hands what it knows to its
-- ancestor that many above. `of` names whole families; NULL is all sessions.
CREATE OR REPLACE MACRO session_trees_of(of) AS TABLE
WITH RECURSIVE parents AS MATERIALIZED (FROM session_parents_of(of)),
broken AS MATERIALIZED (FROM broken_ancestries_of(of)),
jumps AS (
    SELECT
        parents.session_row,
        parents.parent_row AS ancestor_row,
        0 AS step,
        (coalesce(spend.known_cost_usd, 0) + coalesce(allocated.usd, 0))::DECIMAL(38, 12) AS known_usd,
        (coalesce(spend.unpriced_requests, 0) > 0)::BIGINT AS unknown,
        1::BIGINT AS sessions
    FROM parents
    JOIN sessions AS session ON session.rowid = parents.session_row
    LEFT JOIN session_spend AS spend ON spend.session_id = session.session_id
    LEFT JOIN (
        SELECT session_id, sum(allocated_usd) AS usd
        FROM allocated_days
        WHERE of IS NULL OR session_id IN (SELECT unnest(of::VARCHAR[]))
        GROUP BY session_id
    ) AS allocated ON allocated.session_id = session.session_id
    UNION ALL
    SELECT
        lower.session_row,
        upper.ancestor_row,
        lower.step + 1 AS step,
        lower.known_usd + coalesce(handed.known_usd, 0) AS known_usd,
        lower.unknown + coalesce(handed.unknown, 0) AS unknown,
        lower.sessions + coalesce(handed.sessions, 0) AS sessions
    FROM jumps AS lower
    JOIN jumps AS upper ON upper.session_row = lower.ancestor_row
    LEFT JOIN (
        SELECT
            ancestor_row,
            sum(known_usd)::DECIMAL(38, 12) AS known_usd,
            sum(unknown)::BIGINT AS unknown,
            sum(sessions)::BIGINT AS sessions
        FROM jumps
        GROUP BY ancestor_row
    ) AS handed ON handed.ancestor_row = lower.session_row
),
below AS (
    SELECT
        ancestor_row AS session_row,
        sum(known_usd)::DECIMAL(38, 12) AS known_usd,
        sum(unknown)::BIGINT AS unknown,
        sum(sessions)::BIGINT AS sessions
    FROM jumps
    GROUP BY ancestor_row
),
-- From the far end of its longest jump a session is fewer steps from its root than it has jumped.
longest AS MATERIALIZED (
    SELECT session_row, ancestor_row, 1::BIGINT << step AS length
    FROM jumps
    JOIN (SELECT session_row, max(step) AS step FROM jumps GROUP BY session_row) USING (session_row, step)
),
climbs AS (
    SELECT session_row, ancestor_row, length FROM longest
    UNION ALL
    SELECT climbs.session_row, longest.ancestor_row, climbs.length + longest.length AS length
    FROM climbs
    JOIN longest ON longest.session_row = climbs.ancestor_row
),
depths AS (
    SELECT climbs.session_row, climbs.ancestor_row AS root_row, climbs.length AS depth
    FROM climbs
    ANTI JOIN longest ON longest.session_row = climbs.ancestor_row
),
places AS (
    SELECT session_row FROM parents
    UNION
    SELECT session_row FROM below
    UNION
    SELECT session_row FROM broken
)
SELECT
    place.session_id,
    coalesce(depths.depth, 0) AS depth,
    root.session_id AS root_session_id,
    CASE WHEN broken_root.ancestry IS NULL THEN coalesce(root.trigger, 'unknown') ELSE 'unknown' END AS root_trigger,
    broken.ancestry,
    coalesce(below.sessions, 0) AS sessions_below,
    coalesce(below.known_usd, 0) AS known_usd_below,
    coalesce(below.unknown, 0) AS unknown_below
FROM places
JOIN sessions AS place ON place.rowid = places.session_row
LEFT JOIN depths ON depths.session_row = places.session_row
JOIN sessions AS root ON root.rowid = coalesce(depths.root_row, places.session_row)
LEFT JOIN below ON below.session_row = places.session_row
LEFT JOIN broken ON broken.session_row = places.session_row
LEFT JOIN broken AS broken_root ON broken_root.session_row = coalesce(depths.root_row, places.session_row);

CREATE OR REPLACE VIEW session_trees_now AS FROM session_trees_of(NULL);
