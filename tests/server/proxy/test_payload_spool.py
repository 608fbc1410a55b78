"""Payloads on the proxy's disk: within a limit, for some days, after their calls, and refused ones leave nothing."""

import asyncio
import gzip
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2
import pytest

from server.proxy.attribution import Attribution
from server.proxy.calls import Call
from server.proxy.delivery import UndeliveredError
from server.proxy.meters import Meters
from server.proxy.payload_delivery import PayloadDelivery
from server.proxy.payload_spool import PayloadSpool
from server.proxy.payloads import Payloads
from server.proxy.reading import Allowance
from server.proxy.sides import Copy, blackened
from server.proxy.spool import Spool
from server.proxy.upstreams import Upstream

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
def spool(tmp_path: Path) -> PayloadSpool:
    made = PayloadSpool(tmp_path / "payloads", most_bytes=10_000, days=30, clock=lambda: NOW)
    made.open()
    return made


def test_a_full_spool_takes_no_more_until_something_has_left_it(spool: PayloadSpool) -> None:
    assert spool.write(NOW, b"{}\n")
    spool.most_bytes = spool.size
    assert not spool.write(NOW, b"{}\n")
    (file,) = spool.files()
    spool.remove(file)
    assert spool.size == 0
    assert spool.write(NOW, b"{}\n")


def test_what_nobody_took_in_all_its_days_is_deleted_and_counted_by_calls(spool: PayloadSpool) -> None:
    assert spool.write(NOW - timedelta(days=30), b"{}\n{}\n")
    assert spool.write(NOW - timedelta(days=30) + timedelta(seconds=1), b"{}\n")
    assert spool.expire() == 2
    assert len(spool.files()) == 1


def test_a_new_start_counts_what_is_there_and_removes_what_was_not_whole(spool: PayloadSpool) -> None:
    spool.write(NOW, b"{}\n")
    (spool.directory / "1-2.ndjson.part").write_bytes(b"half")
    again = PayloadSpool(spool.directory, 10_000, 30)
    again.open()
    assert (again.size, len(list(spool.directory.iterdir()))) == (spool.size, 1)


def _server(said: Iterator[httpx2.Response], bodies: list[bytes]) -> httpx2.AsyncClient:
    def answer(request: httpx2.Request) -> httpx2.Response:
        assert request.url.path == "/v1/payloads"
        bodies.append(gzip.decompress(request.content))
        return next(said)

    return httpx2.AsyncClient(base_url="http://127.0.0.1:9", transport=httpx2.MockTransport(answer))


def _took(rejected: list[dict[str, object]] | None = None) -> httpx2.Response:
    return httpx2.Response(200, content=json.dumps({"accepted": 1, "rejected": rejected or []}).encode())


def test_payloads_go_only_after_the_calls_that_were_there_before_them(tmp_path: Path, spool: PayloadSpool) -> None:
    bodies: list[bytes] = []
    with Spool(tmp_path / "calls", Meters(), 2**20) as calls:
        delivery = PayloadDelivery(calls, spool, _server(iter([_took()]), bodies), Meters())
        calls.append(b'{"call":"a"}\n')
        spool.write(NOW, b'{"call":"a"}\n')
        asyncio.run(delivery.deliver())
        assert bodies == []
        calls.seal()
        for segment in calls.segments():
            calls.remove(segment)
        calls.append(b'{"call":"b"}\n')
        asyncio.run(delivery.deliver())
        assert bodies == [b'{"call":"a"}\n']
        assert spool.files() == []


@pytest.mark.parametrize("status", [401, 403, 404, 429, 500, 503])
def test_what_the_server_does_not_take_now_stays(tmp_path: Path, spool: PayloadSpool, status: int) -> None:
    with Spool(tmp_path / "calls", Meters(), 2**20) as calls:
        delivery = PayloadDelivery(calls, spool, _server(iter([httpx2.Response(status)]), []), Meters())
        spool.write(NOW, b"{}\n")
        with pytest.raises(UndeliveredError, match=f"answered {status} to /v1/payloads"):
            asyncio.run(delivery.deliver())
    assert len(spool.files()) == 1


def test_what_the_server_never_takes_is_deleted_and_counted_and_the_rest_is_sent(
    tmp_path: Path, spool: PayloadSpool, caplog: pytest.LogCaptureFixture
) -> None:
    said = [httpx2.Response(413), _took(), httpx2.Response(413), _took([{"line": 1, "reason": "another's"}])]
    bodies, meters = list[bytes](), Meters()
    with Spool(tmp_path / "calls", Meters(), 2**20) as calls:
        delivery = PayloadDelivery(calls, spool, _server(iter(said), bodies), meters)
        spool.write(NOW, b'{"call":"a"}\n{"call":"secret"}\n{"call":"c"}\n')
        asyncio.run(delivery.deliver())
    assert bodies[1:] == [b'{"call":"a"}\n', b'{"call":"secret"}\n', b'{"call":"c"}\n']
    assert meters.registry.get_sample_value("clawback_proxy_payloads_total", {"outcome": "refused"}) == 2
    assert spool.files() == []
    assert not list(spool.directory.iterdir())
    assert "secret" not in caplog.text


@pytest.mark.parametrize("broken", [lambda whole: bytes(len(whole)), lambda whole: whole[:-6]], ids=["zeros", "half"])
def test_a_file_that_lost_its_end_with_the_power_of_the_machine_is_deleted_and_those_after_it_are_sent(
    tmp_path: Path, spool: PayloadSpool, broken: Callable[[bytes], bytes]
) -> None:
    said, meters = iter([httpx2.Response(400), _took()]), Meters()
    client = httpx2.AsyncClient(
        base_url="http://127.0.0.1:9", transport=httpx2.MockTransport(lambda request: next(said))
    )
    with Spool(tmp_path / "calls", Meters(), 2**20) as calls:
        delivery = PayloadDelivery(calls, spool, client, meters)
        spool.write(NOW, b'{"call":"a"}\n')
        spool.write(NOW, b'{"call":"b"}\n')
        first, _ = spool.files()
        first.write_bytes(broken(first.read_bytes()))
        asyncio.run(delivery.deliver())
    assert spool.files() == []
    assert meters.registry.get_sample_value("clawback_proxy_payloads_total", {"outcome": "refused"}) == 1


def test_a_copy_without_memory_is_left_out_whole(tmp_path: Path) -> None:
    allowance = Allowance(10)
    copy = Copy("text/plain", "", 100, allowance)
    copy.feed(b"12345678")
    copy.feed(b"12345678")
    assert (copy.is_left_out, bytes(copy.kept), copy.size, allowance.taken) == (True, b"", 16, 0)


def test_a_copy_holds_no_more_than_its_limit_and_counts_the_rest() -> None:
    whole = {"": b"x" * 1_000_000, "gzip": gzip.compress(b"x" * 40)}
    for coding, size in (("", 1_000_000), ("gzip", 40)):
        copy = Copy("text/plain", coding, 10, Allowance(100))
        for at in range(0, len(whole[coding]), 100):
            copy.feed(whole[coding][at : at + 100])
        assert (bytes(copy.kept), copy.size, copy.is_readable) == (b"x" * 10, size, True)


def test_what_unpacks_to_many_times_the_limit_is_cut_at_an_unknown_length() -> None:
    """To find out the length of all of it would take the time of every other call."""
    copy = Copy("text/plain", "gzip", 10, Allowance(100))
    copy.feed(gzip.compress(b"x" * 41))
    assert (bytes(copy.kept), copy.size, copy.is_readable) == (b"x" * 10, None, True)


def test_a_secret_that_the_cut_has_halved_is_blackened_too() -> None:
    secret = b"sk-proj-0123456789"
    assert blackened(b"key " + secret + b" and " + secret[:10], frozenset({secret})) == b"key " + b"*" * 18 + (
        b" and " + b"*" * 10
    )


def test_a_disk_that_cannot_be_written_costs_payloads_and_is_counted(spool: PayloadSpool) -> None:
    spool.directory.write_bytes(b"a file where the directory should be")
    meters = Meters()
    payloads = Payloads(spool, meters, 100, 30)
    call = Call(Upstream("openai", "openai", b"https", b"host", None), Attribution(), "/v1/responses", True, True)
    sides = payloads.begin([(b"content-type", b"text/plain")], b"", None)
    sides.request.feed(b"some words")
    call.how = "cut"
    payloads.end(call, sides)
    assert payloads.allowance.taken == 10
    payloads.write()
    assert payloads.allowance.taken == 0
    assert meters.registry.get_sample_value("clawback_proxy_payloads_total", {"outcome": "failed"}) == 1
