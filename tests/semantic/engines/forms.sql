-- a quotient of decimals is a double
SELECT id, usd / NULLIF(n, 0) FROM events AS e ORDER BY id;

-- a quotient of integers is a double
SELECT id, n / 2 FROM events AS e ORDER BY id;

-- nothing over 0 is unknown
SELECT id, CAST(usd AS DOUBLE) / NULLIF(CAST(n AS DOUBLE), 0) FROM events ORDER BY id;

-- sums are exact
SELECT team, SUM(usd), SUM(usd - 0.1), SUM(n) FROM events GROUP BY 1 ORDER BY team NULLS LAST;

-- a sum of nothing is unknown
SELECT SUM(n), SUM(usd), MIN(day), MAX(usd), AVG(n), COUNT(*), COUNT(n) FROM nothing;

-- a filtered sum of nothing is unknown
SELECT team, SUM(usd) FILTER(WHERE n > 6), COUNT(*) FILTER(WHERE n > 6), COUNT(DISTINCT n) FILTER(WHERE ok),
       CASE WHEN COUNT(*) FILTER(WHERE n > 6) = 0 THEN 0 ELSE SUM(usd) FILTER(WHERE n > 6) END
FROM events GROUP BY 1 ORDER BY team NULLS LAST;

-- means
SELECT team, AVG(usd), AVG(n) FROM events GROUP BY 1 ORDER BY team NULLS LAST;

-- percentiles are interpolated
SELECT team, PERCENTILE_CONT(usd, 0.95), PERCENTILE_CONT(n, 0.5), PERCENTILE_CONT(n, 0.25) FILTER(WHERE ok)
FROM events GROUP BY 1 ORDER BY team NULLS LAST;

-- discrete percentiles are values
SELECT team, PERCENTILE_DISC(usd, 0.95), PERCENTILE_DISC(n, 0.5), PERCENTILE_DISC(n, 0.05) FILTER(WHERE n > 6)
FROM events GROUP BY 1 ORDER BY team NULLS LAST;

-- percentiles of nothing
SELECT PERCENTILE_CONT(usd, 0.5), PERCENTILE_DISC(usd, 0.5), STDDEV_SAMP(n) FROM nothing;

-- the deviation of one value is unknown
SELECT team, STDDEV_SAMP(n), STDDEV_SAMP(usd) FILTER(WHERE ok) FROM events GROUP BY 1 ORDER BY team NULLS LAST;

-- days of a zone
SELECT id, CAST(seen_at AT TIME ZONE 'UTC' AT TIME ZONE 'Europe/Berlin' AS DATE),
       CAST(seen_at AT TIME ZONE 'UTC' AT TIME ZONE 'Australia/Lord_Howe' AS DATE)
FROM events WHERE seen_at >= CAST('2000-01-01' AS TIMESTAMP) ORDER BY id;

-- hours of a zone
SELECT id, TIMESTAMP_TRUNC(seen_at AT TIME ZONE 'UTC' AT TIME ZONE 'Australia/Lord_Howe', HOUR)
           - (seen_at AT TIME ZONE 'UTC' AT TIME ZONE 'Australia/Lord_Howe' - seen_at)
FROM events WHERE seen_at >= CAST('2000-01-01' AS TIMESTAMP) ORDER BY id;

-- months of a zone
SELECT id, CAST(TIMESTAMP_TRUNC(seen_at AT TIME ZONE 'UTC' AT TIME ZONE 'Asia/Kathmandu', MONTH) AS DATE)
FROM events WHERE seen_at >= CAST('2000-01-01' AS TIMESTAMP) ORDER BY id;

-- starts of periods
SELECT id, CAST(TIMESTAMP_TRUNC(day, WEEK) AS DATE), CAST(TIMESTAMP_TRUNC(day, MONTH) AS DATE),
       CAST(TIMESTAMP_TRUNC(day, QUARTER) AS DATE), CAST(TIMESTAMP_TRUNC(day, YEAR) AS DATE),
       CAST(TIMESTAMP_TRUNC(seen_at, WEEK) AS DATE), TIMESTAMP_TRUNC(seen_at, MINUTE)
FROM events ORDER BY id;

-- periods of two weeks
SELECT id, CAST(DATE_ADD(day, -((DATE_DIFF(day, CAST('1900-01-08' AS DATE), DAY)) % 14), DAY) AS DATE)
FROM events ORDER BY id;

-- periods of five months
SELECT id, CAST(DATE_ADD(CAST(TIMESTAMP_TRUNC(day, MONTH) AS DATE),
       -((EXTRACT(YEAR FROM day) * 12 + EXTRACT(MONTH FROM day) - 3) % 5), MONTH) AS DATE)
FROM events ORDER BY id;

-- dates move along the calendar
SELECT id, CAST(DATE_ADD(day, 1, MONTH) AS DATE), CAST(DATE_ADD(day, -12, MONTH) AS DATE),
       CAST(DATE_ADD(day, -30, DAY) AS DATE), CAST(DATE_ADD(day, CAST(n AS INT), DAY) AS DATE)
FROM events WHERE day < CAST('2199-01-01' AS DATE) ORDER BY id;

-- instants move by minutes
SELECT id, seen_at - INTERVAL '90' MINUTE, seen_at + INTERVAL '1' HOUR FROM events WHERE day > CAST('2000-01-01' AS DATE)
AND day < CAST('2100-01-01' AS DATE) ORDER BY id;

-- days apart
SELECT a.id AS a, b.id AS b, DATE_DIFF(a.day, b.day, DAY), DATE_DIFF(a.seen_at, b.seen_at, MICROSECOND) / 1000000
FROM events AS a CROSS JOIN events AS b WHERE a.day > CAST('2000-01-01' AS DATE) ORDER BY 1, 2;

-- parts of a time
SELECT id, EXTRACT(ISODOW FROM day), EXTRACT(DAY FROM day), EXTRACT(DOY FROM day), EXTRACT(WEEK FROM day),
       EXTRACT(MONTH FROM day), EXTRACT(QUARTER FROM day), EXTRACT(YEAR FROM day), EXTRACT(HOUR FROM seen_at)
FROM events ORDER BY id;

-- a series of days
SELECT CAST(time AS DATE) AS time FROM (SELECT EXPLODE(GENERATE_SERIES(
CAST('2026-02-27' AS DATE), CAST('2026-03-02' AS DATE), INTERVAL '1' DAY)) AS time) AS starts ORDER BY time;

-- a series of weeks
SELECT CAST(time AS DATE) AS time FROM (SELECT EXPLODE(GENERATE_SERIES(
CAST('2026-03-02' AS DATE), CAST('2026-03-22' AS DATE), INTERVAL '7' DAY)) AS time) AS starts ORDER BY time;

-- a series of quarters from the rows
SELECT CAST(time AS DATE) AS time FROM (SELECT EXPLODE(GENERATE_SERIES(
(SELECT CAST(TIMESTAMP_TRUNC(MIN(day), QUARTER) AS DATE) FROM balances), (SELECT MAX(day) FROM events),
INTERVAL '3' MONTH)) AS time) AS starts ORDER BY time;

-- a series of no rows
SELECT CAST(time AS DATE) AS time FROM (SELECT EXPLODE(GENERATE_SERIES(
(SELECT MIN(day) FROM nothing), (SELECT MAX(day) FROM nothing), INTERVAL '1' MONTH)) AS time) AS starts;

-- a series that ends before it starts
SELECT CAST(time AS DATE) AS time FROM (SELECT EXPLODE(GENERATE_SERIES(
CAST('2026-02-27' AS DATE), CAST('2026-02-20' AS DATE), INTERVAL '1' DAY)) AS time) AS starts;

-- a series of quarters of an hour
SELECT time FROM (SELECT EXPLODE(GENERATE_SERIES(CAST('2026-03-29 00:30:00' AS TIMESTAMP),
CAST('2026-03-29 01:29:59.999999' AS TIMESTAMP), INTERVAL '15' MINUTE)) AS time) AS starts ORDER BY time;

-- null keys are one key
WITH a AS (SELECT team, ok, SUM(n) AS n FROM events GROUP BY 1, 2),
     b AS (SELECT team, ok, COUNT(*) AS m FROM events GROUP BY 1, 2),
     k AS (SELECT team, ok FROM a UNION SELECT team, ok FROM b)
SELECT k.team, k.ok, a.n, b.m FROM k
LEFT JOIN a ON k.team <=> a.team AND k.ok <=> a.ok LEFT JOIN b ON k.team <=> b.team AND k.ok <=> b.ok
ORDER BY k.team NULLS LAST, k.ok NULLS LAST;

-- what is missing beside a row is null
WITH k AS (SELECT DISTINCT team FROM events), b AS (SELECT account, SUM(usd) AS usd, 1 AS one FROM balances GROUP BY 1)
SELECT k.team, b.account, b.usd, b.one FROM k LEFT JOIN b ON k.team = b.account ORDER BY k.team NULLS LAST;

-- a window of days
WITH periods AS (SELECT DISTINCT day AS time FROM balances)
SELECT periods.time, SUM(b.usd), COUNT(b.day), SUM(b.usd) FILTER(WHERE b.day >= periods.time) FROM periods
LEFT JOIN balances AS b ON b.day >= CAST(DATE_ADD(periods.time, -30, DAY) AS DATE) AND b.day <= periods.time
GROUP BY 1 ORDER BY 1;

-- all days before
WITH periods AS (SELECT DISTINCT day AS time FROM balances)
SELECT periods.time, SUM(b.usd), COUNT(b.day) FROM periods LEFT JOIN balances AS b ON b.day < periods.time
GROUP BY 1 ORDER BY 1;

-- spans from row to row
WITH spans AS (
  SELECT account, day, usd, LEAD(day) OVER (PARTITION BY account ORDER BY day) AS until FROM balances)
SELECT account, day, usd, until FROM spans
WHERE day <= CAST('2026-03-31' AS DATE) AND (until IS NULL OR until > CAST('2026-03-31' AS DATE))
ORDER BY account NULLS LAST;

-- spans of rows that all have a day
WITH known AS (SELECT account, COALESCE(day, CAST('2000-01-01' AS DATE)) AS day FROM balances)
SELECT account, day, LEAD(day) OVER (PARTITION BY account ORDER BY day) AS until FROM known
ORDER BY account NULLS LAST, day;

-- the version in force
SELECT e.id, v.plan FROM events AS e LEFT JOIN (
  SELECT *, LEAD(since) OVER (PARTITION BY account ORDER BY since) AS next_since FROM plans) AS v
ON v.account = 'p' AND v.since <= e.day AND (v.next_since IS NULL OR v.next_since > e.day)
AND (v.until IS NULL OR v.until > e.day) ORDER BY e.id;

-- the version in force of an account
SELECT b.account, b.day, v.plan FROM balances AS b LEFT JOIN (
  SELECT *, LEAD(since) OVER (PARTITION BY account ORDER BY since) AS next_since FROM plans) AS v
ON b.account = v.account AND v.since <= b.day AND (v.next_since IS NULL OR v.next_since > b.day)
ORDER BY b.account NULLS LAST, b.day;

-- the first and the last of each
SELECT account, usd FROM (SELECT account, usd, ROW_NUMBER() OVER (PARTITION BY account ORDER BY day DESC, usd) AS place
FROM balances WHERE usd IS NOT NULL) AS placed WHERE place = 1 ORDER BY account NULLS LAST;

-- first and last values of a window
SELECT account, day, FIRST_VALUE(usd) OVER (PARTITION BY account ORDER BY day DESC) AS newest,
       SUM(usd) OVER (PARTITION BY account ORDER BY day) AS so_far
FROM balances ORDER BY account NULLS LAST, day;

-- shares
WITH t AS (SELECT team, SUM(usd) AS usd FROM events GROUP BY 1)
SELECT team, usd / NULLIF(SUM(usd) OVER (), 0), SUM(usd) OVER (PARTITION BY team) FROM t ORDER BY team NULLS LAST;

-- places
SELECT id, n, CASE WHEN n IS NULL THEN NULL ELSE RANK() OVER (PARTITION BY ok ORDER BY n DESC NULLS LAST) END AS place
FROM events ORDER BY id;

-- conversions
WITH starts AS (SELECT id, team, seen_at FROM events WHERE ok),
     steps AS (SELECT s.id, MIN(e.seen_at) AS seen_at FROM starts AS s JOIN events AS e
               ON e.team = s.team AND e.seen_at >= s.seen_at AND e.seen_at < s.seen_at + INTERVAL '300' DAY AND e.n > 0 GROUP BY 1)
SELECT s.id, steps.seen_at, CAST(DATE_DIFF(steps.seen_at, s.seen_at, MICROSECOND) AS DOUBLE) / 1000000
FROM starts AS s LEFT JOIN steps ON s.id = steps.id ORDER BY s.id;

-- some values compare
SELECT id, team IN ('a', 'b'), NOT team IN ('a'), n BETWEEN 1 AND 5, team <=> 'a', NOT ok, COALESCE(ok, FALSE)
FROM events ORDER BY id;

-- two-valued negation
SELECT id FROM events WHERE NOT COALESCE(team = 'a' OR n > 6, FALSE) ORDER BY id;

-- text
SELECT id, STR_POSITION(team, 'y') > 0, STARTS_WITH(team, 'x\\'), team LIKE 'x\\y%', team LIKE '%\\_%', LOWER(team),
UPPER(team), team = 'x\\y_%''z' FROM events ORDER BY id;

-- the lowest of the known
SELECT id, COALESCE(LEAST(n, 2), 9), GREATEST(usd, 1) FROM events ORDER BY id;

-- halves
SELECT id, ROUND(usd), ROUND(usd, 2), ROUND(CAST(usd AS DOUBLE)), ROUND(CAST(usd AS DOUBLE), 2), CEIL(usd), FLOOR(usd),
CEIL(ROUND(CAST(usd AS DOUBLE) * 30.4375, 9)), ROUND(n) FROM events ORDER BY id;

-- casts that drop digits
SELECT id, CAST(usd AS BIGINT), CAST(CAST(n AS DOUBLE) / 2 AS INT), CAST(usd AS DECIMAL(18, 2)) FROM events ORDER BY id;

-- doubles beside decimals
WITH t AS (SELECT id, usd / 3 AS third, usd, n FROM events)
SELECT id, COALESCE(third, usd, 0), CASE WHEN n > 1 THEN third WHEN n > 0 THEN usd ELSE 0 END, GREATEST(third, 0.5),
       CASE WHEN n = 7 THEN usd ELSE 0.5 END, COALESCE(usd, 1)
FROM t ORDER BY id;

-- names that are words
WITH "keys" AS (SELECT team AS "order", n AS "end", day AS "time" FROM events AS "group")
SELECT "keys"."order" AS "select", SUM("keys"."end") AS "case" FROM "keys" GROUP BY 1 ORDER BY "select" NULLS LAST;

-- names that hide columns
SELECT UPPER(team) AS team, SUM(n) AS n, COUNT(*) FILTER(WHERE team = 'a') AS ones, MAX(n) AS most
FROM events GROUP BY 1 ORDER BY n NULLS LAST, team NULLS LAST;

-- nulls are last
SELECT id, n FROM events ORDER BY n DESC NULLS LAST, id LIMIT 4;

-- exact literals
SELECT id FROM events WHERE usd = 0.1 OR usd > 12345678.89 OR usd = 0.000000000001 ORDER BY id;

-- many distinct
SELECT COUNT(DISTINCT team), COUNT(DISTINCT n) FROM events;

-- a series of pairs of days that ends before it starts
SELECT CAST(time AS DATE) AS time FROM (SELECT EXPLODE(GENERATE_SERIES(
CAST('2026-02-27' AS DATE), CAST('2026-02-26' AS DATE), INTERVAL '2' DAY)) AS time) AS starts;

-- the earliest and latest known value
SELECT account, ARG_MIN(usd, (day, account)) FILTER(WHERE NOT usd IS NULL AND NOT day IS NULL) AS first,
       ARG_MAX(usd, (day, account)) FILTER(WHERE NOT usd IS NULL AND NOT day IS NULL) AS last
FROM balances WHERE NOT account IS NULL GROUP BY 1 ORDER BY account;

-- columns of the same name
WITH both AS (SELECT e.id, e.day FROM events AS e LEFT JOIN balances AS b ON e.day = b.day)
SELECT id, day FROM both ORDER BY id;

-- lists of fractions
SELECT id, n IN (2, 0.5), usd IN (0.1, 2.5), NOT n IN (7, 0.5) FROM events ORDER BY id;

-- tables inside of tables
WITH a AS (WITH k AS (SELECT team, n FROM events WHERE n > 1), l AS (SELECT team, SUM(n) AS n FROM k GROUP BY 1)
           SELECT l.team, l.n FROM l),
     k AS (SELECT DISTINCT team FROM events)
SELECT k.team, a.n FROM k LEFT JOIN a ON k.team <=> a.team ORDER BY k.team NULLS LAST;
