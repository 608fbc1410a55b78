-- Bills by day, and cash. Money is split in whole 10^-12 USD, as integers: dividing decimals would give a binary float.

CREATE OR REPLACE MACRO pico_usd(amount) AS
    trunc(amount)::HUGEINT * 1000000000000 + ((amount % 1)::DECIMAL(13, 12) * 1000000000000)::HUGEINT;

CREATE OR REPLACE MACRO usd_of_pico(pico) AS
    (pico // 1000000000000)::DECIMAL(38, 12) + (pico % 1000000000000)::DECIMAL(12, 0) * 0.000000000001::DECIMAL(12, 12);

CREATE OR REPLACE MACRO ratio_unit(pool, whole) AS
    greatest(1::HUGEINT, ceil(abs(pool)::DOUBLE * whole::DOUBLE / 1e38)::HUGEINT);

-- The part of a pool in the ratio part / whole, both counted in the same unit; parts that follow each other add up to
-- the pool where each takes the difference to the one before. Where the product would not fit, the ratio is rounded.
CREATE OR REPLACE MACRO share_of(pool, part, whole) AS
    pool * (part // ratio_unit(pool, whole)) // (whole // ratio_unit(pool, whole));

-- One row a charge and UTC day. The days of a charge add up to it to the last digit: the last day takes the remainder.
CREATE OR REPLACE VIEW charge_days_now AS
WITH days AS (
    SELECT
        *,
        -- Credits are paid for on the day they are bought; what they cost later is told by their use.
        CASE WHEN category = 'credits' THEN 1 ELSE ends_on - starts_on END AS day_count,
        unnest(range(CASE WHEN category = 'credits' THEN 1 ELSE ends_on - starts_on END)) AS day_number
    FROM charges
)
SELECT
    charge_id,
    starts_on + day_number::INTEGER AS day, -- UTC
    category, -- compute, storage, network, software, people, inference, subscription, credits or other
    vendor,
    source,
    usd_of_pico(
        CASE
            WHEN day_number < day_count - 1 THEN pico_usd(amount_usd) // day_count
            ELSE pico_usd(amount_usd) - (day_count - 1) * (pico_usd(amount_usd) // day_count)
        END
    ) AS amount_usd, -- this day's part of the charge
    category IN ('compute', 'storage', 'network', 'software') AS is_infrastructure -- allocated to sessions
FROM days;

-- One row a balance that was read from an account.
CREATE OR REPLACE VIEW cash_days_now AS
SELECT
    account,
    as_of_on, -- the day at whose close the balance was read
    balance_usd,
    lead(as_of_on) OVER (PARTITION BY account ORDER BY as_of_on) AS valid_until_on -- exclusive; NULL for the newest
FROM cash_balances;
