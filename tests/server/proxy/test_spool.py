"""Calls wait on disk until the server has them, whatever happens to the server, the disk or the proxy."""

import asyncio
import json
import os
from pathlib import Path

import pytest

from server.proxy.meters import Meters
from server.proxy.once import Once
from server.proxy.spool import MOST_IN_MEMORY, Spool, SpoolError
from tests.server.proxy.answers import chat
from tests.server.proxy.conftest import Setting, until, whole_setting
from tests.server.proxy.stub import document


def _lines(spool: Spool) -> list[bytes]:
    return b"".join(path.read_bytes() for path in spool.segments()).splitlines()


def _ask(setting: Setting, session: str) -> int:
    with setting.http() as client:
        headers = {"X-OpenClaw-Session-Id": session}
        return client.post("/openai/v1/responses", content=b"{}", headers=headers).status_code


def test_calls_that_a_server_could_not_take_are_delivered_when_it_can(
    tmp_path: Path, loop: asyncio.AbstractEventLoop
) -> None:
    with whole_setting(tmp_path, loop) as setting:
        setting.provider.answer = lambda asked: document(chat())
        setting.intake.statuses = [503, 401]
        assert [_ask(setting, f"s{n}") for n in range(5)] == [200] * 5
        until(lambda: len(setting.intake.lines) == 5)
        assert sorted(str(line["session_id"]) for line in setting.intake.lines) == ["s0", "s1", "s2", "s3", "s4"]
        until(lambda: not list(setting.proxy.spool.glob("*.jsonl")))
        assert setting.proxy.counted("delivery_failures_total") >= 1
        assert setting.proxy.counted("delivered_calls_total") == 5


def test_a_line_that_the_server_rejects_is_put_aside_with_its_reason(
    tmp_path: Path, loop: asyncio.AbstractEventLoop
) -> None:
    with whole_setting(tmp_path, loop) as setting:
        setting.provider.answer = lambda asked: document(chat())
        setting.intake.rejects = "bad"
        for session in ("good", "bad", "good"):
            _ask(setting, session)
        until(lambda: setting.proxy.counted("rejected_calls_total") == 1)
        until(lambda: len(setting.intake.lines) == 2)
        aside = json.loads((setting.proxy.spool / "rejected.ndjson").read_text())
    assert aside["reason"] == "no such day"
    assert json.loads(aside["line"])["session_id"] == "bad"


def test_a_delivery_that_is_too_large_is_sent_in_parts(tmp_path: Path, loop: asyncio.AbstractEventLoop) -> None:
    with Spool(tmp_path / "spool", Meters(), 2**20) as spool:
        for number in range(4):
            spool.append(b'{"call":"c%d"}\n' % number)
    with whole_setting(tmp_path, loop, server="http://127.0.0.1:9") as setting:
        del setting
    with whole_setting(tmp_path, loop) as setting:
        setting.intake.statuses = [413]
        until(lambda: len(setting.intake.lines) == 4)
        assert [line["call"] for line in setting.intake.lines] == ["c0", "c1", "c2", "c3"]


def test_what_a_proxy_that_was_killed_had_written_is_delivered_and_half_a_line_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "00000000000000000001.part").write_bytes(b'{"call":"a"}\n{"call":"b"}\n{"ca')
    (tmp_path / "00000000000000000002.part").write_bytes(b'{"ca')
    with Spool(tmp_path, Meters(), 2**20) as spool:
        assert _lines(spool) == [b'{"call":"a"}', b'{"call":"b"}']
        assert [path.name for path in spool.segments()] == ["00000000000000000001.jsonl"]


def test_a_line_is_with_the_kernel_as_soon_as_it_is_appended(tmp_path: Path) -> None:
    with Spool(tmp_path, Meters(), 2**20) as spool:
        spool.append(b"{}\n")
        assert next(tmp_path.glob("*.part")).read_bytes() == b"{}\n"


def test_a_call_never_waits_for_the_disk_nor_fails_where_a_full_file_cannot_be_sealed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    monkeypatch.setattr("server.proxy.spool.os.fsync", synced.append)
    folder = tmp_path / "spool"
    with Spool(folder, Meters(), 2**20, segment_bytes=20) as spool:
        for number in range(4):  # two lines fill a file
            spool.append(b'{"call":%d}\n' % number)
        assert (synced, spool.segments(), len(list(folder.glob("*.part")))) == ([], [], 2)
        next(folder.glob("*.part")).unlink()  # as if somebody had cleaned up
        spool.seal()
        assert (len(synced), len(_lines(spool))) == (2, 2)
        assert spool.sealed.is_set()


def test_what_is_put_aside_has_as_much_room_as_the_spool(tmp_path: Path) -> None:
    with Spool(tmp_path / "spool", Meters(), most_bytes=10) as spool:
        spool.put_aside(b"1234567\n")
        with pytest.raises(OSError, match="look at it and move it away"):
            spool.put_aside(b"890\n")
    assert (tmp_path / "spool" / "rejected.ndjson").read_bytes() == b"1234567\n"


def test_two_proxies_do_not_share_a_spool(tmp_path: Path) -> None:
    with Spool(tmp_path, Meters(), 2**20), pytest.raises(SpoolError, match="is the spool of a proxy that runs"):
        Spool(tmp_path, Meters(), 2**20).__enter__()


def test_a_spool_that_is_full_loses_no_call_that_fits_into_memory(tmp_path: Path) -> None:
    meters = Meters()
    with Spool(tmp_path, meters, 20) as spool:
        for number in range(4):
            spool.append(b'{"call":%d}\n' % number)
        assert spool.is_failing
        assert next(tmp_path.glob("*.part")).read_bytes() == b'{"call":0}\n'
        spool.most_bytes = 1_000
        spool.append(b'{"call":4}\n')
        assert not spool.is_failing
        spool.seal()
        assert _lines(spool) == [b'{"call":%d}' % number for number in range(5)]
    assert meters.registry.get_sample_value("clawback_proxy_lost_calls_total") == 0


def test_what_fits_neither_on_disk_nor_into_memory_is_counted_as_lost(tmp_path: Path) -> None:
    meters = Meters()
    with Spool(tmp_path, meters, 5) as spool:
        for _ in range(MOST_IN_MEMORY + 3):
            spool.append(b'{"call":0}\n')
        assert meters.registry.get_sample_value("clawback_proxy_lost_calls_total") == 3
    assert meters.registry.get_sample_value("clawback_proxy_lost_calls_total") == MOST_IN_MEMORY + 3


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")  # noqa: PTH110 - a device
def test_a_disk_that_is_full_keeps_no_call_from_going_through(
    tmp_path: Path, loop: asyncio.AbstractEventLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = os.open

    def full(path: object, flags: int, mode: int = 0o777) -> int:
        return opened("/dev/full", os.O_WRONLY) if str(path).endswith(".part") else opened(path, flags, mode)  # type: ignore[call-overload]  # whatever it was given

    with whole_setting(tmp_path, loop) as setting:
        setting.provider.answer = lambda asked: document(chat())
        with monkeypatch.context() as patched:
            patched.setattr("server.proxy.spool.os.open", full)
            assert _ask(setting, "s1") == 200
            assert setting.proxy.counted("spool_failures_total") >= 1
            with setting.http() as client:
                assert client.get("/health").json()["spool"] == "FAILING"


def test_a_delivery_that_a_mistake_of_ours_has_ended_is_told(
    tmp_path: Path, loop: asyncio.AbstractEventLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def mistaken(answer: object, path: str) -> dict[int, str]:
        raise RuntimeError("nobody thought of that")

    with whole_setting(tmp_path, loop) as setting, setting.http() as client:
        setting.provider.answer = lambda asked: document(chat())
        assert client.get("/health").json() == {"status": "OK", "spool": "OK", "delivery": "OK"}
        with monkeypatch.context() as patched:
            patched.setattr("server.proxy.delivery.rejected_in", mistaken)
            assert _ask(setting, "s1") == 200
            until(lambda: client.get("/health").json()["status"] == "DEGRADED")
        assert client.get("/health").json()["delivery"] == "ended by a mistake; start the proxy anew"
        assert _ask(setting, "s2") == 200


def test_a_name_is_given_once_also_after_a_restart(tmp_path: Path) -> None:
    with Spool(tmp_path, Meters(), 2**20) as spool:
        assert [spool.once.is_first(name) for name in ("span:a", "span:b", "span:a")] == [True, True, False]
    (tmp_path / "names").write_bytes((tmp_path / "names").read_bytes() + b"half")
    with Spool(tmp_path, Meters(), 2**20) as spool:
        assert [spool.once.is_first(name) for name in ("span:a", "span:c", "span:b")] == [False, True, False]
        assert (tmp_path / "names").stat().st_size == 24


def test_the_oldest_names_are_forgotten(tmp_path: Path) -> None:
    names = Once(tmp_path / "names", most=2)
    names.open()
    assert [names.is_first(name) for name in ("a", "b", "c", "a")] == [True] * 4
    names.close()
    names = Once(tmp_path / "names", most=2)
    names.open()
    assert [names.is_first(name) for name in ("a", "c", "b")] == [False, False, True]
    names.close()


def test_a_name_that_cannot_be_remembered_is_not_given(tmp_path: Path) -> None:
    names = Once(tmp_path / "names")
    names.open()
    names.close()
    assert not names.is_first("a")
