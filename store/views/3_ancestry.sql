-- Who started whom. Parents are followed by doubling: each step reaches twice as far as the one before, so that a chain of
-- a hundred thousand sessions takes seventeen steps.
-- `of` names sessions with all that hang together with them by what is stated; NULL is all sessions.

-- One row a session whose parent is known.
CREATE OR REPLACE MACRO stated_parents_of(of) AS TABLE
SELECT child.session_id, child.parent_session_id AS parent_id
FROM sessions AS child
JOIN sessions AS parent ON parent.session_id = child.parent_session_id
WHERE child.parent_session_id IS NOT NULL AND (of IS NULL OR child.session_id IN (SELECT unnest(of::VARCHAR[])));

-- The sessions that are their own ancestors. Who goes up further than there are parents is in a cycle, and from a cycle
-- every member of it is reached by such a way.
CREATE OR REPLACE MACRO cycle_sessions_of(of) AS TABLE
WITH RECURSIVE far AS (
    SELECT ceil(log2(count(*) + 1))::INTEGER AS step FROM stated_parents_of(of) -- 2 ^ step is more than there are parents
),
jumps AS (
    SELECT session_id, parent_id AS ancestor_id, 0 AS step FROM stated_parents_of(of)
    UNION ALL
    SELECT lower.session_id, upper.ancestor_id, lower.step + 1 AS step
    FROM jumps AS lower
    JOIN jumps AS upper ON upper.session_id = lower.ancestor_id
    WHERE lower.step < (SELECT step FROM far)
)
SELECT DISTINCT ancestor_id AS session_id FROM jumps WHERE step = (SELECT step FROM far);

-- One row a session that is below another one. A member of a cycle is below none.
CREATE OR REPLACE MACRO session_parents_of(of) AS TABLE
SELECT session_id, parent_id FROM stated_parents_of(of) ANTI JOIN cycle_sessions_of(of) USING (session_id);

-- Sessions whose parent says nothing of where they come from: it is not known, or it is a descendant of theirs.
CREATE OR REPLACE MACRO broken_ancestries_of(of) AS TABLE
SELECT session_id, 'CYCLE' AS ancestry FROM cycle_sessions_of(of)
UNION ALL
SELECT session_id, 'ORPHAN' AS ancestry
FROM sessions
ANTI JOIN stated_parents_of(of) USING (session_id)
WHERE parent_session_id IS NOT NULL AND (of IS NULL OR session_id IN (SELECT unnest(of::VARCHAR[])));
