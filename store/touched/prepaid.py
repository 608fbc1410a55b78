"""Plans, credits and fees: a call under a plan changes the share of every other one, and a call may use credits.

So they are written down whole where a changed call, or a touched session, has to do with one, and only there.
"""

from duckdb import DuckDBPyConnection

from store.facts import write_fact
from store.rows import integer
from store.touched.reached import differing, keep_rows, write_reaching

_UNDER_A_PLAN = "SELECT 1 FROM changed_calls WHERE cost_status = 'INCLUDED' LIMIT 1"
_IN_FORCE = """
    SELECT 1 FROM changed_calls AS call
    JOIN plan_periods AS period
        ON period.provider = call.billing_provider
        AND call.started_at >= period.starts_on::TIMESTAMP AND call.started_at < period.ends_on::TIMESTAMP
    WHERE call.cost_status = 'INCLUDED'
    LIMIT 1"""
_THEIR_SESSIONS = "session_id IN (SELECT session_id FROM changed_calls WHERE cost_status = 'INCLUDED')"


def refresh_plans(cursor: DuckDBPyConnection) -> None:
    """Shares of fees follow from all calls of a period; where no fee is known, the part of a session from its own."""
    if cursor.execute(_UNDER_A_PLAN).fetchone() is None:
        return
    if cursor.execute(_IN_FORCE).fetchone() is not None:
        write_fact(cursor, "plan_shares")
        write_reaching(cursor, "session_plans")
        return
    cursor.execute(f"DELETE FROM session_plans WHERE {_THEIR_SESSIONS}")
    cursor.execute(f"INSERT INTO session_plans SELECT * FROM session_plans_now WHERE {_THEIR_SESSIONS}")


def refresh_credits(cursor: DuckDBPyConnection) -> bool:
    """Brings credits and the fees of bills up to date; whether one of them has changed.

    Credits follow from calls of their vendor, and from the agents of the sessions that used them.
    """
    has_to_do = integer(
        cursor,
        """
        SELECT count(*) FROM (
            SELECT 1 FROM changed_calls SEMI JOIN (
                SELECT provider FROM credit_facts UNION SELECT provider FROM credit_purchases
            ) AS vendors ON vendors.provider = changed_calls.billing_provider
            UNION ALL
            SELECT 1 FROM credit_facts SEMI JOIN touched_sessions USING (session_id)
        )""",
    )
    if has_to_do:
        write_fact(cursor, "credit_facts")
    elif cursor.execute("SELECT 1 FROM changed_calls LIMIT 1").fetchone() is None:
        return False
    has_changed = _refresh_fees(cursor) or bool(has_to_do)
    if has_changed:
        for fact in ("credit_purchases", "expired_credits"):
            write_fact(cursor, fact)
        write_reaching(cursor, "session_credits")
    return has_changed


def _refresh_fees(cursor: DuckDBPyConnection) -> bool:
    """Where a fee is counted follows from the calls of its days, and from the credits used on them."""
    if cursor.execute("SELECT 1 FROM billed_fees LIMIT 1").fetchone() is None:
        return False
    keep_rows(cursor, "fee_facts")
    write_fact(cursor, "fee_facts")
    return cursor.execute(f"{differing('fee_facts', given='charge_id')} LIMIT 1").fetchone() is not None
