"""Somebody else's SQLite file: every row is seen, nothing of theirs is changed, and what is none says so."""

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from loaders.sqlite import SqliteChangedError, SqliteError, SqliteLimits, columns, open_sqlite, tables


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """A program that has the database open in WAL mode, with one row that is in the -wal only."""
    with closing(sqlite3.connect(tmp_path / "a.sqlite", isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        connection.execute("CREATE TABLE calls (id INTEGER PRIMARY KEY, name TEXT)")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.execute("INSERT INTO calls VALUES (1, 'late')")
        yield connection


def names(path: Path) -> list[object]:
    with open_sqlite(path, path.name) as connection:
        return [name for (name,) in connection.execute("SELECT name FROM calls ORDER BY id")]


def listing(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if not path.name.endswith("-shm")}


def test_rows_that_were_not_checkpointed_are_seen_while_the_writer_runs(
    tmp_path: Path, writer: sqlite3.Connection
) -> None:
    assert b"late" not in (tmp_path / "a.sqlite").read_bytes()
    before = listing(tmp_path)
    assert names(tmp_path / "a.sqlite") == ["late"]
    assert listing(tmp_path) == before


def test_what_is_written_while_it_is_read_is_not_seen(tmp_path: Path, writer: sqlite3.Connection) -> None:
    with open_sqlite(tmp_path / "a.sqlite", "a.sqlite") as connection:
        writer.execute("INSERT INTO calls VALUES (2, 'later')")
        assert connection.execute("SELECT count(*) FROM calls").fetchone() == (1,)
    assert names(tmp_path / "a.sqlite") == ["late", "later"]


def test_a_backup_with_its_wal_and_without_its_shm_is_read_and_nothing_is_put_beside_it(
    tmp_path: Path, writer: sqlite3.Connection
) -> None:
    backup = tmp_path / "backup"
    backup.mkdir()
    for name in ("a.sqlite", "a.sqlite-wal"):
        shutil.copy(tmp_path / name, backup / name)
    before = listing(backup)
    assert names(backup / "a.sqlite") == ["late"]
    assert {path.name for path in backup.iterdir()} == set(before)
    assert listing(backup) == before


def test_what_a_killed_writer_left_is_read(tmp_path: Path, writer: sqlite3.Connection) -> None:
    left = tmp_path / "left"
    left.mkdir()
    for name in ("a.sqlite", "a.sqlite-wal", "a.sqlite-shm"):
        shutil.copy(tmp_path / name, left / name)
    assert names(left / "a.sqlite") == ["late"]


def test_a_database_at_rest_gets_no_files_beside_it(tmp_path: Path, writer: sqlite3.Connection) -> None:
    writer.close()
    assert [path.name for path in tmp_path.iterdir()] == ["a.sqlite"]
    assert names(tmp_path / "a.sqlite") == ["late"]
    assert [path.name for path in tmp_path.iterdir()] == ["a.sqlite"]


def test_a_database_at_rest_that_is_written_to_meanwhile_is_not_believed(
    tmp_path: Path, writer: sqlite3.Connection
) -> None:
    writer.close()
    path = tmp_path / "a.sqlite"
    opened = open_sqlite(path, "a.sqlite")
    opened.__enter__()
    with closing(sqlite3.connect(path)) as other:
        other.execute("INSERT INTO calls VALUES (2, 'torn')")
        other.commit()
    with pytest.raises(SqliteChangedError, match=r"a.sqlite was written to while it was read; load again"):
        opened.__exit__(None, None, None)


def test_a_writer_that_starts_meanwhile_and_changes_nothing_does_no_harm(
    tmp_path: Path, writer: sqlite3.Connection
) -> None:
    writer.close()
    path = tmp_path / "a.sqlite"
    with open_sqlite(path, "a.sqlite") as connection, closing(sqlite3.connect(path)) as other:
        assert other.execute("SELECT count(*) FROM calls").fetchone() == (1,)
        assert connection.execute("SELECT count(*) FROM calls").fetchone() == (1,)


@contextmanager
def another_user() -> Iterator[None]:
    """Root may write everywhere, so somebody else reads."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.parametrize("beside", [["-wal"], ["-wal", "-shm"], []])
def test_a_directory_where_nobody_may_write_is_no_hindrance(
    tmp_path: Path, writer: sqlite3.Connection, beside: list[str]
) -> None:
    if not beside:
        writer.close()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for suffix in ("", *beside):
            shutil.copy(tmp_path / f"a.sqlite{suffix}", folder)
        for path in (*folder.iterdir(), folder):
            path.chmod(0o555 if path.is_dir() else 0o444)
        with another_user():
            assert names(folder / "a.sqlite") == ["late"]
        assert len(list(folder.iterdir())) == 1 + len(beside)
        folder.chmod(0o755)


def test_a_database_that_only_another_user_may_read_says_so(tmp_path: Path, writer: sqlite3.Connection) -> None:
    writer.close()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        shutil.copy(tmp_path / "a.sqlite", folder)
        (folder / "a.sqlite").chmod(0o000)
        with another_user(), pytest.raises(SqliteError, match="cannot be read: Permission denied"):
            names(folder / "a.sqlite")


def test_a_database_in_the_older_journal_mode_is_read(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "a.sqlite")) as connection:
        connection.execute("CREATE TABLE calls (id INTEGER, name TEXT)")
        connection.execute("INSERT INTO calls VALUES (1, 'plain')")
        connection.commit()
    assert names(tmp_path / "a.sqlite") == ["plain"]


def test_a_transaction_that_was_cut_off_is_never_read_half_and_its_journal_is_never_replayed(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE calls (id INTEGER, name TEXT)")
        connection.executemany("INSERT INTO calls VALUES (?, ?)", [(n, "whole" * 100) for n in range(500)])
        connection.commit()
        connection.execute("PRAGMA cache_size = 1")
        connection.execute("UPDATE calls SET name = 'half'")
        for name in ("a.sqlite", "a.sqlite-journal"):
            shutil.copy(tmp_path / name, tmp_path / f"cut-{name}")
    before = (tmp_path / "cut-a.sqlite-journal").read_bytes()
    with pytest.raises(SqliteError, match="a transaction that was cut off"):
        names(tmp_path / "cut-a.sqlite")
    assert (tmp_path / "cut-a.sqlite-journal").read_bytes() == before


def test_a_locked_database_says_so(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("CREATE TABLE calls (id INTEGER, name TEXT)")
        connection.execute("BEGIN EXCLUSIVE")
        with pytest.raises(SqliteError, match="is locked by another process; load again"):
            open_sqlite(path, "a.sqlite", SqliteLimits(wait_seconds=0)).__enter__()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is an empty file"),
        (b'{"agents": {}}', "is no SQLite database"),
        (b"SQLite format 3\x00" + b"\xff" * 5000, "is no SQLite database|is damaged"),
        (b"SQLite format 3\x00", "is no SQLite database|is damaged"),
        (os.urandom(5000), "is no SQLite database"),
    ],
)
def test_what_is_no_database_is_refused_with_the_reason(tmp_path: Path, content: bytes, reason: str) -> None:
    (tmp_path / "a.sqlite").write_bytes(content)
    with pytest.raises(SqliteError, match=reason):
        names(tmp_path / "a.sqlite")


def test_a_folder_and_a_pipe_are_no_databases(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    for name in ("folder", "pipe", "gone"):
        with pytest.raises(SqliteError, match=f"{name} is no regular file"):
            names(tmp_path / name)


def test_a_damaged_page_is_named_as_damage(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE calls (id INTEGER PRIMARY KEY, name TEXT)")
        connection.executemany("INSERT INTO calls VALUES (?, ?)", [(n, "x" * 500) for n in range(200)])
        connection.commit()
    content = bytearray(path.read_bytes())
    content[8192:] = b"\xaa" * (len(content) - 8192)
    path.write_bytes(content)
    with pytest.raises(SqliteError, match=r"is damaged .*PRAGMA integrity_check"):
        names(path)


def test_a_link_in_the_place_of_the_wal_is_not_followed(tmp_path: Path, writer: sqlite3.Connection) -> None:
    writer.close()
    (tmp_path / "a.sqlite-wal").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(SqliteError, match=r"has a link as its a\.sqlite-wal"):
        names(tmp_path / "a.sqlite")


def test_nothing_can_be_written_and_no_other_file_attached(tmp_path: Path, writer: sqlite3.Connection) -> None:
    for statement in ("DELETE FROM calls", "CREATE TABLE more (x)", f"ATTACH '{tmp_path / 'new.sqlite'}' AS new"):
        with pytest.raises(SqliteError), open_sqlite(tmp_path / "a.sqlite", "a.sqlite") as connection:
            connection.execute(statement)
    assert not (tmp_path / "new.sqlite").exists()
    assert names(tmp_path / "a.sqlite") == ["late"]


def test_only_real_tables_are_tables(tmp_path: Path, writer: sqlite3.Connection) -> None:
    writer.execute("CREATE VIEW evil AS SELECT 1 AS session_id")
    writer.execute("CREATE VIRTUAL TABLE words USING fts5 (text)")
    with open_sqlite(tmp_path / "a.sqlite", "a.sqlite") as connection:
        assert "calls" in tables(connection)
        assert not {"evil", "words"} & tables(connection)
        assert columns(connection, "Calls") == {"id", "name"}
        assert columns(connection, "evil") == columns(connection, "words") == columns(connection, "gone") == frozenset()


def test_a_statement_without_end_is_stopped(tmp_path: Path, writer: sqlite3.Connection) -> None:
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
    opened = open_sqlite(tmp_path / "a.sqlite", "a.sqlite", SqliteLimits(steps=2_000_000))
    with pytest.raises(SqliteError, match="took more steps to read than any honest database"), opened as connection:
        connection.execute(endless).fetchall()


def test_a_file_or_a_value_over_the_limit_is_refused(tmp_path: Path, writer: sqlite3.Connection) -> None:
    writer.execute("INSERT INTO calls VALUES (2, ?)", ("x" * 100_000,))
    path = tmp_path / "a.sqlite"
    opened = open_sqlite(path, "a", SqliteLimits(value_bytes=50_000))
    with pytest.raises(SqliteError, match="holds a value that is too large"), opened as connection:
        connection.execute("SELECT name FROM calls").fetchall()
    with pytest.raises(SqliteError, match="bytes, more than the 10 that are read"):
        open_sqlite(path, "a", SqliteLimits(file_bytes=10)).__enter__()


def test_a_name_with_every_odd_character_is_opened(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"50% of #1?mode=rwc&caf\xe9.sqlite")
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE calls (id INTEGER, name TEXT)")
        connection.execute("INSERT INTO calls VALUES (1, CAST(x'6361e9' AS TEXT))")
        connection.commit()
    assert names(path) == ["ca\ufffd"]
