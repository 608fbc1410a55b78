"""The file of the tokens: `<store>.tokens`. It holds the hash of each token, never the token.

The server reads it while the command line writes: WAL lets both go on, and `PRAGMA data_version` tells a reader in a
microsecond whether anybody else has written since. Rows are never deleted: that a token was ever given out is what
ends the open mode, and the audit names tokens that are gone.
"""

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Self

from store.beside import connect, is_prepared, told
from store.errors import StoreError
from store.ledger.money import instant_number, instant_of

Claim = str | int | Decimal | bool

_VERSION = 1
_SCHEMA = """
CREATE TABLE tokens (
    token_id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    digest BLOB NOT NULL UNIQUE, -- SHA-256 of the token
    roles TEXT NOT NULL, -- a JSON list
    claims TEXT NOT NULL, -- a JSON object
    created_at INTEGER NOT NULL, -- microseconds since 1970, UTC
    expires_at INTEGER,
    revoked_at INTEGER,
    last_used_at INTEGER
) WITHOUT ROWID
"""
_COLUMNS = "token_id, name, digest, roles, claims, created_at, expires_at, revoked_at, last_used_at"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewToken:
    token_id: str
    name: str
    digest: bytes = field(repr=False)
    roles: frozenset[str]
    claims: Mapping[str, Claim | tuple[Claim, ...]] = field(default_factory=dict)
    created_at: datetime
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptToken(NewToken):
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None


class Tokens:
    """Safe to use from many threads and by several processes at once."""

    def __init__(self, connection: sqlite3.Connection, name: str) -> None:
        self._connection = connection
        self._name = name
        self._lock = Lock()

    @classmethod
    def beside(cls, store: Path) -> Self:
        """The tokens of the store in a file; made where there is none, for its owner alone."""
        return cls.open(store.with_name(f"{store.name}.tokens"))

    @classmethod
    def open(cls, path: Path) -> Self:
        """`StoreError` where it cannot be opened or holds no tokens of this version."""
        try:
            connection = connect(path)
            path.chmod(0o600)
        except (OSError, sqlite3.Error) as error:
            raise StoreError(f"{path} cannot be opened: {error}. The tokens are kept there.") from error
        tokens = cls(connection, str(path))
        try:
            tokens._prepare()
        except BaseException:  # nobody else has it yet, so it is closed whatever happened, Ctrl-C too
            tokens.close()
            raise
        return tokens

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def version(self) -> int:
        """Another number after another connection, of whatever process, has written."""
        (found,) = self._run("PRAGMA data_version")[0]
        return int(str(found))

    def all(self) -> list[KeptToken]:
        """Oldest first, with those that are revoked or have expired."""
        return [_token(row) for row in self._run(f"SELECT {_COLUMNS} FROM tokens ORDER BY created_at, token_id")]

    def add(self, token: NewToken) -> None:
        expires = None if token.expires_at is None else instant_number(token.expires_at)
        claims = json.dumps(dict(token.claims), default=_exact)
        self._run(
            "INSERT INTO tokens (token_id, name, digest, roles, claims, created_at, expires_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            *(token.token_id, token.name, token.digest, json.dumps(sorted(token.roles)), claims),
            *(instant_number(token.created_at), expires),
        )

    def revoke(self, token_id: str, now: datetime) -> bool:
        """False where there is none of that id. One that is revoked stays so since its first time."""
        revoked = "UPDATE tokens SET revoked_at = coalesce(revoked_at, ?) WHERE token_id = ? RETURNING token_id"
        return bool(self._run(revoked, instant_number(now), token_id))

    def mark_used(self, used: Mapping[str, datetime]) -> None:
        """When tokens were used last, by id; one transaction."""
        given = json.dumps({token_id: instant_number(at) for token_id, at in used.items()})
        self._run(
            "UPDATE tokens SET last_used_at = max(coalesce(last_used_at, 0), given.value)"
            " FROM json_each(?) AS given WHERE token_id = given.key",
            given,
        )

    def _prepare(self) -> None:
        with self._lock, told(self._name, "be opened"):
            if not is_prepared(self._connection, _SCHEMA, _VERSION):
                raise StoreError(f"{self._name} holds no tokens of this version of Clawback; move it away")

    def _run(self, sql: str, *values: object) -> list[tuple[object, ...]]:
        with self._lock, told(self._name, "be used"):
            return self._connection.execute(sql, values).fetchall()


def _exact(value: object) -> object:
    """A number with its digits, as text that says so: JSON has binary floats alone."""
    if isinstance(value, Decimal):
        return {"$decimal": format(value, "f")}
    raise TypeError(f"a claim is text, a number, true, false or a list of those, not {value!r}")


def _with_digits(found: dict[str, object]) -> object:
    """The other way round of `_exact`."""
    return Decimal(str(found["$decimal"])) if "$decimal" in found else found


def _token(row: tuple[object, ...]) -> KeptToken:
    token_id, name, digest, roles, claims, created, expires, revoked, used = row
    read = json.loads(str(claims), object_hook=_with_digits)
    return KeptToken(
        token_id=str(token_id),
        name=str(name),
        digest=digest if isinstance(digest, bytes) else b"",
        roles=frozenset(json.loads(str(roles))),
        claims={key: tuple(value) if isinstance(value, list) else value for key, value in read.items()},
        created_at=instant_of(int(str(created))),
        expires_at=_instant(expires),
        revoked_at=_instant(revoked),
        last_used_at=_instant(used),
    )


def _instant(number: object) -> datetime | None:
    return instant_of(number) if isinstance(number, int) else None
