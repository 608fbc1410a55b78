-- A call that several sources saw is one row of `requests`. What each of them said of it stays here, one row a source and
-- key that it had there: so that it can be told who gave which field, priced anew, and taken apart again where a match
-- without a shared name turns out to be one of several. A call that one source saw under one key has no row here.
CREATE TABLE sightings AS SELECT * FROM requests WITH NO DATA;
ALTER TABLE sightings ADD COLUMN named_key VARCHAR; -- the call as far as names join it
ALTER TABLE sightings ADD COLUMN call_key VARCHAR; -- the row of `requests` that counts it
ALTER TABLE sightings ADD COLUMN gave VARCHAR[]; -- the fields that this row has from here

-- Append-only: rows of `requests` that were counted by themselves until a load showed that they are of another call, or
-- that the call has a better name. With them a report of that time can be reproduced.
CREATE TABLE former_calls AS SELECT * FROM requests WITH NO DATA;
ALTER TABLE former_calls ADD COLUMN left_load_id BIGINT; -- the load since which it is not counted by itself
ALTER TABLE former_calls ADD COLUMN call_key VARCHAR; -- the call that it was found to be

-- What keys of stored calls say of their names: the id of the answer, or of the request where there was no such id. A
-- short id may be of another provider's call, too.
UPDATE requests SET identities = [
    CASE WHEN starts_with(substr(request_key, length(provider) + 2), 'req_') THEN 'request-id:' ELSE 'response:' END
    || substr(request_key, length(provider) + 2)
]
WHERE scope = 'request'
    AND len(coalesce(identities, [])) = 0
    AND starts_with(lower(request_key), lower(provider) || ':')
    AND length(request_key) > length(provider) + 16
    AND NOT regexp_matches(substr(request_key, length(provider) + 2), '[:#]');
