-- $sessions sessions over 180 days, 15 requests in each but 1 % that have none, one to seven models a session, up to two
-- outcomes; 0.3 % of the requests belong to no session; five days without anything. Rows stand as they would arrive.
CREATE TEMP MACRO roll(sides, of, seed) AS (hash(of, seed) % sides)::BIGINT;

CREATE TABLE sessions AS
SELECT
    's' || i AS session_id,
    'agent-' || roll(12, i, 1) AS agent,
    ['human', 'cron', 'subagent', 'heartbeat'][1 + roll(4, i, 2)] AS "trigger",
    TIMESTAMP '2026-05-05' + to_microseconds(i * ((180 * 86400 - 600) * 1000000::BIGINT // $sessions)) AS started_at,
    i
FROM range($sessions) AS t(i)
WHERE started_at::DATE NOT IN ('2026-06-10', '2026-06-11', '2026-07-25', '2026-09-14', '2026-10-15');

CREATE TABLE requests AS
SELECT
    'r' || n AS request_id,
    CASE WHEN roll(1000, n, 3) >= 3 THEN session_id END AS session_id,
    'model-' || ((roll(8, i, 4) + roll(1 + roll(7, i, 5), n, 6)) % 8) AS model,
    started_at + to_seconds(j * 20) AS started_at,
    ((1 + roll(400000, n, 7) * (1 + roll(5, i, 8))) / 10000000)::DECIMAL(18, 9) AS cost_usd,
    (200 + roll(4000, n, 9) + CASE WHEN roll(50, n, 10) = 0 THEN 20000 ELSE 0 END)::INTEGER AS latency_ms
FROM (SELECT *, i * 15 + j AS n FROM sessions, range(15) AS t(j) WHERE roll(100, i, 11) > 0 ORDER BY n);

CREATE TABLE outcomes AS
SELECT
    'o' || n AS outcome_id,
    session_id,
    started_at AS session_started_at,
    ['noop', 'report', 'ticket', 'merge'][1 + roll(4, n, 12)] AS outcome_kind,
    (roll(3, n, 13) < 2)::INTEGER AS success
FROM (SELECT *, i * 2 + j AS n FROM sessions, range(2) AS t(j) WHERE j < roll(3, i, 14) ORDER BY n);

CREATE TABLE cash AS
SELECT
    ['main', 'reserve'][1 + j] AS account,
    DATE '2026-05-05' + i::INTEGER AS day,
    (900000 - 1200 * i + 70000 * j)::DECIMAL(18, 2) AS balance_usd
FROM range(180) AS t(i), range(2) AS u(j)
ORDER BY day, account;

-- What a load would write down: an outcome once for each model that its session used, since no many-to-one join leads
-- from an outcome to those models; and of each session whether anything but a noop came of it.
CREATE TABLE outcome_models AS
SELECT outcome_id, model, success, session_started_at
FROM outcomes JOIN (SELECT DISTINCT session_id, model FROM requests) USING (session_id)
ORDER BY session_started_at;

CREATE TABLE session_facts AS
SELECT session_id, agent, started_at, (session_id IN (SELECT session_id FROM outcomes WHERE outcome_kind <> 'noop')) AS is_productive
FROM sessions
ORDER BY i;

ALTER TABLE sessions DROP COLUMN i;
