-- One row a session, with what is its own and what is below it.
CREATE OR REPLACE VIEW session_facts_now AS
SELECT
    own.*,
    coalesce(tree.depth, 0) = 0 AS is_root, -- no known session started it; members of a cycle count as roots, too
    tree.ancestry, -- 'ORPHAN' where the parent is not known, 'CYCLE' where it is a descendant; NULL where all is well
    coalesce(tree.depth, 0) AS depth, -- how many sessions are above it
    coalesce(tree.root_session_id, own.session_id) AS root_session_id, -- the one at the top
    coalesce(tree.root_trigger, own.trigger) AS root_trigger, -- of the one at the top; unknown where more may be above
    1 + coalesce(tree.sessions_below, 0) AS subtree_sessions, -- itself and all below it
    own.known_cost_usd + own.allocated_usd + coalesce(tree.known_usd_below, 0) AS subtree_known_cost_usd, -- a lower bound
    CASE
        WHEN own.cost_usd IS NOT NULL AND coalesce(tree.unknown_below, 0) = 0 THEN subtree_known_cost_usd
    END AS subtree_cost_usd -- its own cost and that of all below it; NULL where one is unknown
FROM own_sessions AS own
LEFT JOIN session_trees AS tree ON tree.session_id = own.session_id;
