-- What was in a call, as the proxy saw it: the bytes of the request and of the answer, each up to a limit. Only where
-- somebody has told the proxy to keep them, and for some days. No metric reads this, and no version of the data moves
-- with it.
CREATE TABLE request_payloads (
    call_id VARCHAR NOT NULL, -- the id that the proxy gave the call; 'call:' || call_id is one of its identities
    called_at TIMESTAMP NOT NULL, -- UTC
    kept_until TIMESTAMP NOT NULL, -- UTC; the latest that the proxy has promised
    provider VARCHAR,
    session_id VARCHAR, -- as the client stated it
    agent VARCHAR,
    http_status INTEGER, -- NULL: no answer came
    ended VARCHAR NOT NULL, -- whole, aborted (the client left), cut (the provider broke off)
    request_type VARCHAR,
    request_bytes BIGINT, -- of the whole of it; more than `request` has: the rest was cut off. NULL: nobody knows
    request BLOB, -- without its content coding; NULL: it could not be unpacked
    answer_type VARCHAR,
    answer_bytes BIGINT, -- of all that came
    answer BLOB
);
