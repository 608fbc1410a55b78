-- Infrastructure laid on sessions by capacity: a session pays for the share of the machines' time that it was busy, and
-- what nobody used stays visible as idle.

-- A running session is busy until it was last seen; one that ended at an unknown instant counts with no time.
CREATE OR REPLACE MACRO busy_until(started_at, ended_at, observed_at, termination) AS
    CASE
        WHEN termination IS NULL THEN greatest(started_at, ended_at, observed_at)
        ELSE greatest(started_at, ended_at)
    END;

-- One row a session and UTC day on which it was busy.
CREATE OR REPLACE VIEW busy_days AS
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
    WHERE busy_until > started_at
)
SELECT
    session_id,
    day, -- UTC
    epoch_us(least(busy_until, (day + 1)::TIMESTAMP)) - epoch_us(greatest(started_at, day::TIMESTAMP)) AS busy_us
FROM days
WHERE busy_until > day::TIMESTAMP;

-- One row a session and UTC day on which it was busy and infrastructure was charged.
CREATE OR REPLACE VIEW allocated_days AS
WITH pools AS (
    SELECT day, pico_usd(sum(amount_usd)) AS pool_pico
    FROM charge_days
    WHERE is_infrastructure
    GROUP BY day
),
use AS (
    SELECT
        day,
        sum(busy_us) AS used_us,
        greatest(used_us, (SELECT capacity_slots FROM allocation)::HUGEINT * 86400000000) AS capacity_us
    FROM busy_days
    GROUP BY day
),
days AS (
    SELECT
        pools.day,
        pools.pool_pico,
        use.capacity_us,
        -- Shares are rounded to the nearest 10^-12 USD; on a day with nothing idle downwards, never above the pool.
        CASE WHEN use.used_us < use.capacity_us THEN use.capacity_us // 2 ELSE 0 END AS rounding
    FROM pools
    JOIN use ON use.day = pools.day
)
SELECT
    busy.session_id,
    busy.day, -- UTC
    usd_of_pico((days.pool_pico * busy.busy_us + days.rounding) // days.capacity_us) AS allocated_usd
FROM busy_days AS busy
JOIN days ON days.day = busy.day;

-- One row a session and UTC day on which it was busy.
CREATE OR REPLACE VIEW session_days AS
SELECT
    busy.session_id,
    busy.day, -- UTC
    (busy.busy_us * 0.000001)::DECIMAL(20, 6) AS busy_seconds,
    coalesce(allocated.allocated_usd, 0) AS allocated_usd -- the session's part of the day's infrastructure
FROM busy_days AS busy
LEFT JOIN allocated_days AS allocated ON allocated.session_id = busy.session_id AND allocated.day = busy.day;

-- One row a UTC day on which infrastructure was charged.
CREATE OR REPLACE VIEW compute_days_now AS
WITH pools AS (
    SELECT day, sum(amount_usd) AS pool_usd FROM charge_days WHERE is_infrastructure GROUP BY day
),
used AS (
    SELECT day, sum(allocated_usd) AS allocated_usd FROM allocated_days GROUP BY day
)
SELECT
    pools.day, -- UTC
    pools.pool_usd, -- what the infrastructure of the day cost
    coalesce(used.allocated_usd, 0) AS allocated_usd, -- what sessions used of it
    pools.pool_usd - coalesce(used.allocated_usd, 0) AS idle_usd -- what nobody used; the two add up to the pool
FROM pools
LEFT JOIN used ON used.day = pools.day;
