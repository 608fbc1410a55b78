"""A body is in the spool whole or not at all, and nothing that was acknowledged is dropped."""

import stat
from pathlib import Path

import pytest

from server.intake.spool import ANY_RIGHTS, Body, Spool, SpoolFullError


def kept(spool: Spool, content: bytes = b"{}") -> Body:
    arriving = spool.begin()
    arriving.write(content)
    return arriving.keep("traces", "json", ANY_RIGHTS)


def test_what_was_kept_is_there_after_a_restart_in_the_order_of_arrival(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool", 1_000)
    first, second = kept(spool, b"one"), kept(spool, b"three")
    half = spool.begin()
    half.write(b"never whole")
    again = Spool(tmp_path / "spool", 1_000)
    assert [body.path for body in again.bodies()] == [first.path, second.path]
    assert again.size == len("one") + len("three")
    half.drop()
    assert (second.kind, second.signal, second.encoding) == ("otlp", "traces", "json")


def test_it_is_for_its_owner_alone(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool", 1_000)
    body = kept(spool)
    spool.keep_rights("0123456789abcdef", b"{}")
    assert stat.S_IMODE(body.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(spool.directory.stat().st_mode) == 0o700
    assert stat.S_IMODE((spool.directory / "rights" / "0123456789abcdef.json").stat().st_mode) == 0o600


def test_beyond_its_limit_it_takes_nothing_and_removing_makes_room(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool", 10)
    body = kept(spool, b"1234567")
    arriving = spool.begin()
    with pytest.raises(SpoolFullError, match="7 of 10 bytes wait to be stored"):
        arriving.write(b"123")
    arriving.drop()
    spool.remove([body])
    assert (spool.size, len(spool)) == (0, 0)
    assert kept(spool, b"12345").size == 5


def test_what_cannot_be_read_is_set_aside_with_the_reason_and_takes_room(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool", 1_000)
    body = kept(spool, b"rubbish")
    spool.set_aside(body, "it is rubbish")
    place = spool.place_of_unreadable(body)
    assert place.read_bytes() == b"rubbish"
    assert place.with_name(f"{place.name}.txt").read_text() == "it is rubbish\n"
    assert (len(spool), spool.unreadable_bodies, spool.size) == (0, 1, 7 + 14)
    again = Spool(tmp_path / "spool", 1_000)
    assert (len(again), again.unreadable_bodies, again.size) == (0, 1, 7 + 14)


def test_an_empty_one_leaves_nothing_and_another_stays(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool", 1_000)
    body = kept(spool)
    spool.close()
    assert spool.bodies() == [body]
    spool.remove([body])
    spool.close()
    assert not list(tmp_path.iterdir())


def test_a_file_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    kept(Spool(tmp_path / "spool", 1_000))
    notes = tmp_path / "spool" / "incoming" / "notes.txt"
    notes.write_text("mine")
    spool = Spool(tmp_path / "spool", 1_000)
    assert len(spool) == 1
    spool.remove(spool.bodies())
    spool.close()
    assert notes.read_text() == "mine"


def test_rights_that_no_body_has_any_more_are_forgotten_at_the_next_start(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool", 1_000)
    for name in ("00000000000000aa", "00000000000000bb", "00000000000000cc"):
        spool.keep_rights(name, b"{}")
    for name in ("00000000000000aa", "00000000000000bb"):
        arriving = spool.begin()
        arriving.write(b"{}")
        body = arriving.keep("traces", "json", name)
    spool.set_aside(body, "it is rubbish")
    again = Spool(tmp_path / "spool", 1_000)
    assert sorted(path.stem for path in (again.directory / "rights").iterdir()) == [
        "00000000000000aa",
        "00000000000000bb",
    ]
