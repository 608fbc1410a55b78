-- What was bought beforehand, and until when fees have accrued in the facts.
ALTER TABLE charges ADD COLUMN credits DECIMAL(38, 12); -- how many credits a purchase bought; NULL where the bill does not say

CREATE TABLE accrual (until_on DATE); -- the first UTC day of which no fee has accrued; NULL before the first load
INSERT INTO accrual SELECT (changed_at + INTERVAL 1 DAY - INTERVAL 1 MICROSECOND)::DATE FROM data_version;

-- How far a computed cost may be from the bill and still match: by either of the two.
CREATE TABLE tolerance (
    absolute_usd DECIMAL(38, 12) NOT NULL,
    share DECIMAL(7, 6) NOT NULL
);
INSERT INTO tolerance VALUES (0.01, 0.005);
