"""What cannot be true beside the record of a call that counts: kept for people to look at."""

from store.request_merge import BUCKETS, CACHE_WRITES
from store.tables import REQUESTS
from store.winners import is_total

_BILLS_ALIKE = "kept.billed_usd IS NULL OR copy.billed_usd IS NOT NULL"
"""Beside a bill the provider is who charged, which a copy without one need not know."""
_ONE_A_CALL = ("span", "call")


def keep_conflicts(*, has_parts: bool) -> str:
    """Notes the records of a request that say something else than the one that counts, of this load or stored before.

    A copy of which the other is a continuation (no bucket of it is larger, nothing it states is stated otherwise) is
    no conflict: answers are streamed, and written down more than once. Of another span, or call of the proxy,
    it is one: some frameworks write one id of an answer on many spans. Nor is one that has as many cache writes without
    saying how long they are kept. What is noted already is not noted again. With `has_parts` also what one source says
    against another; sources name providers and models differently, so there a name that begins with the other is it.
    """
    columns = ", ".join(REQUESTS.columns)
    copies = f"SELECT {columns}, request_key AS call_key FROM {{}}"
    alone = "ANTI JOIN (SELECT DISTINCT request_key FROM parts) AS parts USING (request_key)" if has_parts else ""
    said = [f"{copies.format(rows)} {alone}" for rows in ("staged_requests", "before_requests")]
    otherwise = f"({_named_otherwise()} OR {_counted_otherwise()})"
    if has_parts:
        joined = f"SELECT {', '.join(f'copy.{c}' for c in REQUESTS.columns)}, parts.call_key FROM {{}} AS copy"
        whose = "JOIN (SELECT DISTINCT request_key, call_key FROM parts) AS parts USING (request_key)"
        said += [f"{joined.format('staged_requests')} {whose}", f"SELECT {columns}, call_key FROM parts"]
        otherwise = f"""(
            {_counted_otherwise()}
            OR CASE WHEN copy.source = kept.source AND ({_BILLS_ALIKE})
                THEN {_named_otherwise()} ELSE {_another_model()} END
        )"""
    return f"""
        INSERT INTO conflicts
        WITH copies AS ({" UNION ALL ".join(said)}),
        several AS (SELECT call_key FROM copies GROUP BY call_key HAVING count(*) > 1),
        counting AS (
            SELECT {columns} FROM changed_requests
            UNION ALL
            SELECT {columns} FROM requests
            SEMI JOIN several ON several.call_key = requests.request_key
            ANTI JOIN changed_requests USING (request_key)
        )
        SELECT $load_id, * FROM (
            SELECT kept.request_key, {_said("kept")}, {_said("copy")}
            FROM copies AS copy
            SEMI JOIN several USING (call_key)
            JOIN counting AS kept ON kept.request_key = copy.call_key
            WHERE NOT ({is_total("kept.")}) AND {otherwise}
            EXCEPT SELECT request_key, kept, other FROM conflicts
        )"""


def _named_otherwise() -> str:
    return " OR ".join(f"lower(copy.{name}) <> lower(kept.{name})" for name in ("provider", "model"))


def _another_model() -> str:
    """A condition: neither name is the beginning of the other, without the vendor that gateways write before it."""
    copy, kept = (f"split_part(lower({row}.model), '/', -1)" for row in ("copy", "kept"))
    return f"NOT (starts_with({copy}, {kept}) OR starts_with({kept}, {copy}))"


def _counted_otherwise() -> str:
    return " OR ".join(
        [f"copy.{bucket} > kept.{bucket}" for bucket in BUCKETS if bucket not in CACHE_WRITES]
        + [_written_otherwise(), "copy.billed_usd <> kept.billed_usd", f"({_is_elsewhere()} AND {_used_otherwise()})"]
    )


def _is_elsewhere() -> str:
    """A condition: the call has a span, or an id of the proxy, beside those of the copy."""

    def named(row: str, kind: str) -> str:
        return f"len(list_filter(coalesce({row}.identities, []), lambda name: starts_with(name, '{kind}:')))"

    fewer = [f"{named('copy', kind)} BETWEEN 1 AND {named('kept', kind)} - 1" for kind in _ONE_A_CALL]
    return f"({' OR '.join(fewer)})"


def _used_otherwise() -> str:
    counts = [[bucket] for bucket in BUCKETS if bucket not in CACHE_WRITES] + [[*CACHE_WRITES]]
    sums = [[" + ".join(f"{row}.{bucket}" for bucket in count) for row in ("copy", "kept")] for count in counts]
    return f"({' OR '.join(f'{copy} <> {kept}' for copy, kept in sums)})"


def _written_otherwise() -> str:
    """A condition: together more cache writes, or as many, split in another way than the one that is stated."""
    together = [" + ".join(f"{row}.{bucket}" for bucket in CACHE_WRITES) for row in ("copy", "kept")]
    larger = " OR ".join(f"copy.{bucket} > kept.{bucket}" for bucket in CACHE_WRITES)
    both_split = "copy.cache_write_1h_tokens > 0 AND kept.cache_write_1h_tokens > 0"
    return f"{' > '.join(together)} OR ({both_split} AND ({larger}))"


def _said(row: str) -> str:
    """What a record of a request says, as JSON: for people who look at a conflict."""
    members = ", ".join(f"'{column}', {row}.{column}" for column in ("provider", "model", *BUCKETS, "billed_usd"))
    return f"json_object({members})"
