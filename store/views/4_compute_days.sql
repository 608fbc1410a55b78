-- What the days of sessions and of machines cost, by the policies of allocation.

-- One row a session and UTC day on which it was there.
CREATE OR REPLACE VIEW session_days AS
SELECT
    present.session_id,
    present.day, -- UTC
    (present.busy_us * 0.000001)::DECIMAL(20, 6) AS busy_seconds,
    coalesce(allocated.allocated_usd, 0) AS allocated_usd, -- its part of the day's infrastructure, by the policy in force
    coalesce(allocated.allocated_capacity_usd, 0) AS allocated_capacity_usd,
    coalesce(allocated.allocated_busy_usd, 0) AS allocated_busy_usd,
    coalesce(allocated.allocated_even_usd, 0) AS allocated_even_usd
FROM present_days AS present
LEFT JOIN allocated_days AS allocated ON allocated.session_id = present.session_id AND allocated.day = present.day;

-- One row a UTC day on which infrastructure was charged. What is on sessions and what is on none add up to the pool.
CREATE OR REPLACE VIEW compute_days_now AS
WITH used AS (
    SELECT
        day,
        sum(allocated_usd) AS usd,
        sum(allocated_capacity_usd) AS capacity_usd,
        sum(allocated_busy_usd) AS busy_usd,
        sum(allocated_even_usd) AS even_usd
    FROM allocated_days
    GROUP BY day
)
SELECT
    pools.day, -- UTC
    pools.pool_usd, -- what the infrastructure of the day cost
    coalesce(used.usd, 0) AS allocated_usd, -- on sessions, by the policy in force
    pools.pool_usd - coalesce(used.usd, 0) AS unallocated_usd, -- on none of them
    coalesce(used.capacity_usd, 0) AS allocated_capacity_usd, -- what sessions used of it
    pools.pool_usd - coalesce(used.capacity_usd, 0) AS idle_usd, -- what nobody used, whatever the policy
    coalesce(used.busy_usd, 0) AS allocated_busy_usd,
    pools.pool_usd - coalesce(used.busy_usd, 0) AS unallocated_busy_usd,
    coalesce(used.even_usd, 0) AS allocated_even_usd,
    pools.pool_usd - coalesce(used.even_usd, 0) AS unallocated_even_usd
FROM compute_pools AS pools
LEFT JOIN used ON used.day = pools.day;
