-- Infrastructure laid on sessions, by three policies: by capacity, where a session pays for the share of the machines' time
-- that it was busy, and what nobody used stays visible as idle; by busy time, and evenly, where the sessions of a day share
-- all of it. Whatever the policy, the sessions and what is on none of them add up to the pool of the day.

-- A running session is busy until it was last seen; one that ended at an unknown instant counts with no time.
CREATE OR REPLACE MACRO busy_until(started_at, ended_at, observed_at, termination) AS
    CASE
        WHEN termination IS NULL THEN greatest(started_at, ended_at, observed_at)
        ELSE greatest(started_at, ended_at)
    END;

-- One row a session and UTC day on which it was there, with no time where it only began and ended.
CREATE OR REPLACE VIEW present_days AS
WITH spans AS (
    SELECT session_id, started_at, busy_until(started_at, ended_at, observed_at, termination) AS busy_until
    FROM sessions
    WHERE started_at IS NOT NULL
),
days AS (
    SELECT
        *,
        started_at::DATE + unnest(range(busy_until::DATE - started_at::DATE + 1))::INTEGER AS day
    FROM spans
)
SELECT
    session_id,
    day, -- UTC
    epoch_us(least(busy_until, (day + 1)::TIMESTAMP)) - epoch_us(greatest(started_at, day::TIMESTAMP)) AS busy_us
FROM days
WHERE busy_until > day::TIMESTAMP OR day = started_at::DATE;

-- One row a UTC day on which infrastructure was charged.
CREATE OR REPLACE VIEW compute_pools AS
SELECT day, sum(amount_usd) AS pool_usd, pico_usd(pool_usd) AS pool_pico
FROM charge_days
WHERE is_infrastructure
GROUP BY day;

-- A part of a pool in whole micro-USD, with the part of a micro-USD that was cut off, in whichever unit `whole` is.
CREATE OR REPLACE MACRO whole_micro(pool_pico, part, whole) AS abs(pool_pico) * part // (whole * 1000000);
CREATE OR REPLACE MACRO cut_off(pool_pico, part, whole) AS abs(pool_pico) * part % (whole * 1000000);

-- What a session gets of a pool that is shared to the last digit: whole micro-USD, and what is left over goes by one
-- micro-USD to those with the largest remainders. The next in line takes what is less than one.
CREATE OR REPLACE MACRO with_remainder(pool_pico, micro, shared_micro, place) AS
    sign(pool_pico)::HUGEINT * (
        micro * 1000000 + greatest(0, least(1000000, abs(pool_pico) - shared_micro * 1000000 - (place - 1) * 1000000))
    );

-- One row a session and UTC day on which it was there and infrastructure was charged. `of` names the days; NULL is all.
CREATE OR REPLACE MACRO allocated_days_of(of) AS TABLE
WITH pools AS (
    FROM compute_pools WHERE of IS NULL OR day IN (SELECT unnest(of::DATE[]))
),
used AS (
    SELECT day, sum(busy_us) AS used_us, count(*) AS sessions
    FROM present_days
    SEMI JOIN pools USING (day)
    GROUP BY day
),
days AS (
    SELECT
        used.day,
        pools.pool_pico,
        used.used_us,
        used.sessions,
        allocation.policy,
        greatest(used.used_us, 1) AS shared_us,
        greatest(used.used_us, allocation.capacity_slots::HUGEINT * 86400000000) AS capacity_us,
        -- By capacity to the nearest 10^-12 USD; on a day with nothing idle downwards, never above the pool.
        CASE WHEN used.used_us < capacity_us THEN capacity_us // 2 ELSE 0 END AS rounding,
        whole_micro(pools.pool_pico, 1, used.sessions) AS even_micro
    FROM used
    JOIN pools USING (day)
    CROSS JOIN allocation
),
cut AS (
    SELECT
        present.session_id,
        present.busy_us,
        days.*,
        whole_micro(days.pool_pico, present.busy_us, days.shared_us) AS busy_micro,
        cut_off(days.pool_pico, present.busy_us, days.shared_us) AS busy_cut
    FROM present_days AS present
    JOIN days ON days.day = present.day
),
shared AS (
    SELECT day, sum(busy_micro) AS shared_micro FROM cut GROUP BY day
),
placed AS (
    SELECT
        cut.*,
        shared.shared_micro,
        row_number() OVER (PARTITION BY cut.day ORDER BY busy_cut DESC, session_id) AS busy_place,
        row_number() OVER (PARTITION BY cut.day ORDER BY session_id) AS even_place
    FROM cut
    JOIN shared ON shared.day = cut.day
)
SELECT
    session_id,
    day, -- UTC
    usd_of_pico((pool_pico * busy_us + rounding) // capacity_us) AS allocated_capacity_usd,
    CASE
        WHEN used_us = 0 THEN 0
        ELSE usd_of_pico(with_remainder(pool_pico, busy_micro, shared_micro, busy_place))
    END AS allocated_busy_usd,
    usd_of_pico(with_remainder(pool_pico, even_micro, even_micro * sessions, even_place)) AS allocated_even_usd,
    CASE policy
        WHEN 'even' THEN allocated_even_usd
        WHEN 'busy_time' THEN allocated_busy_usd
        ELSE allocated_capacity_usd
    END AS allocated_usd
FROM placed;

CREATE OR REPLACE VIEW allocated_days_now AS FROM allocated_days_of(NULL);
