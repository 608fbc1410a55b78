"""What was in a call: raw bytes for people who look at one call, for some days, and for nothing that is computed.

Kept beside the figures and out of them: no view, no fact and no version of the data knows of this table.
"""

from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal, cast

import duckdb
import orjson
from duckdb import DuckDBPyConnection

from store.errors import StoreError

TABLE = "request_payloads"
MOST_PART_BYTES = 8 * 2**20
"""Of a request, or of an answer."""
Ended = Literal["whole", "aborted", "cut"]

_TEXTS = ("call_id", "called_at", "kept_until", "provider", "session_id", "agent", "ended")
_STAGED = (
    dict.fromkeys(_TEXTS, "VARCHAR")
    | {"http_status": "INTEGER"}
    | {f"{part}_type": "VARCHAR" for part in ("request", "answer")}
    | {f"{part}_bytes": "BIGINT" for part in ("request", "answer")}
    | {"request": "VARCHAR", "answer": "VARCHAR"}
)
_OF_CALL = """
WITH called AS (
    SELECT call_key FROM call_keys WHERE request_key = $key
    UNION
    SELECT request_key FROM requests WHERE list_contains(identities, $key)
),
named AS (
    SELECT unnest(identities) AS name FROM requests WHERE request_key IN (SELECT call_key FROM called)
)
SELECT call_id, called_at, kept_until, provider, session_id, agent, http_status, ended,
    request_type, request_bytes, request, answer_type, answer_bytes, answer
FROM request_payloads
WHERE ($key IN (call_id, 'call:' || call_id, 'proxy:' || call_id) OR 'call:' || call_id IN (SELECT name FROM named))
    AND called_at > $before AND kept_until > $now
ORDER BY called_at, call_id
"""


@dataclass(frozen=True, slots=True)
class Part:
    """A request, or an answer."""

    content_type: str | None
    size: int | None
    """Bytes of the whole of it, unpacked; None where that is not known."""
    content: bytes | None = field(repr=False)
    """The beginning of it, or all; None where it could not be unpacked."""

    @property
    def is_cut(self) -> bool:
        return self.content is not None and self.size != len(self.content)


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    call_id: str
    """As the proxy gave it: the call has the identity `call:<call_id>`."""
    called_at: datetime
    kept_until: datetime
    ended: Ended
    provider: str | None = None
    session_id: str | None = None
    agent: str | None = None
    http_status: int | None = None
    request: Part
    answer: Part | None = None


def insert_payloads(
    cursor: DuckDBPyConnection, directory: Path, payloads: Sequence[Payload], now: datetime, days: int
) -> None:
    """Those of calls that have none yet: what was told first stays. `directory` is where the database may read.

    None is kept for more than `days` from `now` (UTC without a zone), however far ahead its sender's clock is.
    """
    if not payloads:
        return
    columns = ", ".join(f"{name}: '{kind}'" for name, kind in _STAGED.items())
    with TemporaryDirectory(prefix="payloads-", dir=directory) as staged:
        path = Path(staged) / "payloads.ndjson"
        longest = _write(path, payloads)
        source = str(path).replace("'", "''")
        with _without_words("stored"):
            cursor.execute(
                f"""
                INSERT INTO {TABLE} BY NAME
                SELECT * REPLACE (
                    called_at::TIMESTAMP AS called_at, least(kept_until::TIMESTAMP, $latest) AS kept_until,
                    from_base64(request) AS request, from_base64(answer) AS answer
                )
                FROM read_json(
                    '{source}', format = 'newline_delimited', columns = {{{columns}}},
                    maximum_object_size = {longest + 1}
                )
                WHERE call_id NOT IN (SELECT call_id FROM {TABLE})""",
                {"latest": now + timedelta(days=days)},
            )


def delete_payloads(cursor: DuckDBPyConnection, now: datetime, days: int) -> int:
    """Those of calls that are older than `days`, or than their proxy has promised. `now` is UTC without a zone."""
    with _without_words("deleted"):
        gone = cursor.execute(
            f"DELETE FROM {TABLE} WHERE called_at <= $before OR kept_until <= $now RETURNING call_id",
            {"before": now - timedelta(days=days), "now": now},
        ).fetchall()
    return len(gone)


def select_payloads(cursor: DuckDBPyConnection, key: str, now: datetime, days: int) -> list[Payload]:
    """Of a call, by any name that it has: its key, one that a source gives it, an identity, or the proxy's id.

    One whose days are over is not shown, whether or not it was deleted by now.
    """
    with _without_words("read"):
        rows = cursor.execute(_OF_CALL, {"key": key, "before": now - timedelta(days=days), "now": now}).fetchall()
    return [_payload(row) for row in rows]


@contextmanager
def _without_words(done: str) -> Iterator[None]:
    """An error of the database may quote what it was given."""
    try:
        yield
    except duckdb.Error as error:
        kind = type(error).__name__
    else:
        return
    raise StoreError(f"payloads could not be {done}: {kind}")


def _write(path: Path, payloads: Iterable[Payload]) -> int:
    """One line each; gives the length of the longest."""
    longest, seen = 0, set[str]()
    with path.open("wb") as file:
        for payload in payloads:
            if payload.call_id not in seen:
                seen.add(payload.call_id)
                line = orjson.dumps(_row(payload), option=orjson.OPT_APPEND_NEWLINE)
                longest = max(longest, len(line))
                file.write(line)
    return longest


def _row(payload: Payload) -> dict[str, object]:
    row: dict[str, object] = {name: getattr(payload, name) for name in ("call_id", "ended", "http_status")}
    row |= {name: getattr(payload, name) for name in ("provider", "session_id", "agent")}
    row |= {name: _instant(getattr(payload, name)) for name in ("called_at", "kept_until")}
    for name, part in (("request", payload.request), ("answer", payload.answer)):
        if part is not None:
            row |= {f"{name}_type": part.content_type, f"{name}_bytes": part.size}
            row[name] = None if part.content is None else b64encode(part.content).decode()
    return row


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).replace(tzinfo=None).isoformat()


def _payload(row: tuple[object, ...]) -> Payload:
    call_id, called_at, kept_until, provider, session_id, agent, http_status, ended, *parts = row
    request, answer = Part(*parts[:3]), Part(*parts[3:])  # type: ignore[arg-type]  # as the table has them
    has_answer = http_status is not None
    return Payload(
        call_id=str(call_id),
        called_at=cast(datetime, called_at).replace(tzinfo=UTC),
        kept_until=cast(datetime, kept_until).replace(tzinfo=UTC),
        ended=cast(Ended, ended),
        provider=cast(str | None, provider),
        session_id=cast(str | None, session_id),
        agent=cast(str | None, agent),
        http_status=cast(int | None, http_status),
        request=request,
        answer=answer if has_answer else None,
    )
