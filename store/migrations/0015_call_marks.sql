-- A number for each other name of each call, so that the calls with a name are found without reading all names. Several
-- names may have one number: what is found is compared by name.
CREATE TABLE call_marks (request_key VARCHAR NOT NULL, mark UBIGINT NOT NULL);
INSERT INTO call_marks
SELECT request_key, md5_number_lower(unnest(identities)) AS mark FROM requests WHERE len(identities) > 0;
