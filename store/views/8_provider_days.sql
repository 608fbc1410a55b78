-- What joins a call with the comparison that it is part of, so that every cut of spend can say how much of it is reconciled.
-- One row a provider and UTC day on which calls were made: how what they cost compares with the bill for that day.
CREATE OR REPLACE VIEW provider_days_now AS
SELECT
    days.provider,
    days.day, -- UTC
    compared.status,
    compared.status = 'MATCH' AS is_reconciled
FROM (SELECT DISTINCT provider, day FROM computed_days WHERE provider IS NOT NULL) AS days
JOIN reconciliation_days AS compared
    ON compared.provider = days.provider AND compared.starts_on <= days.day AND days.day < compared.ends_on
    AND compared.calls > 0;
