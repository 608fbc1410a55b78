-- Who started whom. Parents are followed by doubling: each step reaches twice as far as the one before, so that a chain of
-- a hundred thousand sessions takes seventeen steps. Sessions are named by their row, which joins faster than their text.
-- `of` names sessions with all that hang together with them by what is stated; NULL is all sessions.

-- One row a session whose parent is known.
CREATE OR REPLACE MACRO stated_parents_of(of) AS TABLE
SELECT child.rowid AS session_row, parent.rowid AS parent_row
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
    SELECT session_row, parent_row AS ancestor_row, 0 AS step FROM stated_parents_of(of)
    UNION ALL
    SELECT lower.session_row, upper.ancestor_row, lower.step + 1 AS step
    FROM jumps AS lower
    JOIN jumps AS upper ON upper.session_row = lower.ancestor_row
    WHERE lower.step < (SELECT step FROM far)
)
SELECT DISTINCT ancestor_row AS session_row FROM jumps WHERE step = (SELECT step FROM far);

-- One row a session that is below another one. A member of a cycle is below none.
CREATE OR REPLACE MACRO session_parents_of(of) AS TABLE
SELECT session_row, parent_row FROM stated_parents_of(of) ANTI JOIN cycle_sessions_of(of) USING (session_row);

-- Sessions whose parent says nothing of where they come from: it is not known, or it is a descendant of theirs.
CREATE OR REPLACE MACRO broken_ancestries_of(of) AS TABLE
SELECT session_row, 'CYCLE' AS ancestry FROM cycle_sessions_of(of)
UNION ALL
SELECT sessions.rowid AS session_row, 'ORPHAN' AS ancestry
FROM sessions
ANTI JOIN stated_parents_of(of) AS stated ON stated.session_row = sessions.rowid
WHERE parent_session_id IS NOT NULL AND (of IS NULL OR session_id IN (SELECT unnest(of::VARCHAR[])));
