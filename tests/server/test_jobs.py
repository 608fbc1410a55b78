"""The loads of a server: one at a time for a source, by schedule, for its owner alone, and none left when it ends."""

import json
import multiprocessing
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from loaders.sources import Source, read_sources, source_of
from semantic import Caller, Catalog
from server.jobs import Job, JobRefusedError, Jobs
from store import Store
from tests.server.conftest import Api, served

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
BALANCES = "account,as_of_on,balance_usd\nops,2026-03-01,5\n"
LARGE = "account,as_of_on,balance_usd\n" + "".join(f"a{n},2026-03-01,1\n" for n in range(60_000))


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "store.duckdb") as opened:
        yield opened


def source_in(folder: Path, text: str = BALANCES) -> Source:
    path = folder / "cash.csv"
    path.write_text(text)
    return source_of("cash", str(path), {})


def over(jobs: Jobs, job: Job) -> Job:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        now = jobs.job(job.number)
        assert now is not None
        if now.is_over:
            return now
        time.sleep(0.02)
    raise AssertionError(f"job {job.number} did not end")


def test_a_job_is_stored_and_says_what_came_of_it(store: Store, clock: Clock, tmp_path: Path) -> None:
    jobs = Jobs(store, clock, 60)
    with jobs.kept_going():
        job = over(jobs, jobs.start(source_in(tmp_path)))
    assert (job.state, job.error, job.read_bytes, job.total_bytes) == ("stored", None, len(BALANCES), len(BALANCES))
    assert job.report is not None
    assert (job.report.read, job.report.stored) == (1, 1)


def reading(jobs: Jobs, job: Job) -> None:
    """Waits until the job's process has told of its first bytes."""
    deadline = time.monotonic() + 60
    while (now := jobs.job(job.number)) is not None and not now.read_bytes:
        assert time.monotonic() < deadline
        assert not now.is_over
        time.sleep(0.01)


def test_a_wish_while_its_source_is_read_is_a_load_of_its_own_and_two_like_wishes_are_one(
    store: Store, clock: Clock, tmp_path: Path
) -> None:
    jobs = Jobs(store, clock, 60)
    with jobs.kept_going():
        first = jobs.start(source_in(tmp_path, LARGE))
        reading(jobs, first)
        source = source_in(tmp_path, LARGE + "late,2026-03-01,1\n")
        second, third = jobs.start(source), jobs.start(source)
        other = jobs.start(source, token="of somebody else")
        assert first.number < second.number == third.number < other.number
        assert [over(jobs, job).state for job in (first, second, other)] == ["stored"] * 3
    assert store.read("SELECT count(*) FROM cash_balances WHERE account = 'late'").rows == [(1,)]
    assert len(store.loads()) == 3
    assert all(job.token is None for number in range(1, 4) if (job := jobs.job(number)))


def test_of_one_place_one_load_is_on_its_way_however_many_are_asked_for(
    store: Store, clock: Clock, tmp_path: Path
) -> None:
    jobs, most = Jobs(store, clock, 60), 0
    with jobs.kept_going():
        wishes = [jobs.start(source_in(tmp_path), token=f"{number}") for number in range(4)]
        while jobs.running():
            most = max(most, sum(job.state == "running" for job in jobs.running()))
            time.sleep(0.005)
    assert most == 1
    assert [over(jobs, job).state for job in wishes] == ["stored"] * 4
    assert len(store.loads()) == 4


def test_a_server_that_ends_gives_up_what_it_reads_keeps_no_note_of_it_and_refuses_what_comes(
    store: Store, clock: Clock, tmp_path: Path
) -> None:
    source_in(tmp_path, LARGE * 5)
    (tmp_path / "sources.yaml").write_text("sources: {bank: {loader: cash, location: cash.csv}}")
    jobs = Jobs(store, clock, 60, read_sources(tmp_path / "sources.yaml"))
    with jobs.kept_going():
        while not jobs.running():
            time.sleep(0.01)
        (job,) = jobs.running()
        reading(jobs, job)
    ended = jobs.job(job.number)
    assert ended is not None
    assert (ended.state, ended.error) == (
        "failed",
        f"cash {tmp_path}/cash.csv was given up; nothing of it is stored",
    )
    assert multiprocessing.active_children() == []
    assert store.loads() == []
    with pytest.raises(JobRefusedError, match="going down"):
        jobs.start(source_in(tmp_path))


def test_a_store_that_cannot_be_asked_for_a_moment_does_not_end_the_schedule(
    store: Store, clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    source_in(tmp_path)
    (tmp_path / "sources.yaml").write_text("sources: {bank: {loader: cash, location: cash.csv}}")
    monkeypatch.setattr("server.jobs.TICK_S", 0.05)
    asked = store.last_attempts
    moments = iter([True, True])

    def sometimes() -> Any:
        if next(moments, False):
            raise MemoryError("for a moment")
        return asked()

    monkeypatch.setattr(store, "last_attempts", sometimes)
    jobs = Jobs(store, clock, 60, read_sources(tmp_path / "sources.yaml"))
    with jobs.kept_going():
        deadline = time.monotonic() + 60
        while not store.loads():
            assert time.monotonic() < deadline
            time.sleep(0.02)
    assert caplog.text.count("MemoryError: for a moment") == 2


def test_a_failure_of_a_source_that_is_known_is_kept_and_the_data_stays(
    store: Store, clock: Clock, tmp_path: Path
) -> None:
    jobs, source = Jobs(store, clock, 60), source_in(tmp_path)
    with jobs.kept_going():
        over(jobs, jobs.start(source))
        version = store.data_version()
        Path(source.location).unlink()
        clock.now += timedelta(hours=1)
        failed = over(jobs, jobs.start(source))
    assert (failed.state, failed.error) == ("failed", f"{source.location}: there is no such file")
    (state,) = store.sources()
    assert (state.newest.error, state.loads, store.data_version()) == (failed.error, 1, version)
    assert state.newest_stored is not None
    assert state.newest_stored.stored == 1


def test_what_is_due_is_started_once(store: Store, clock: Clock, tmp_path: Path) -> None:
    source_in(tmp_path)
    (tmp_path / "sources.yaml").write_text('sources: {bank: {loader: cash, location: cash.csv, schedule: "0 * * * *"}}')
    jobs = Jobs(store, clock, 60, read_sources(tmp_path / "sources.yaml"))
    try:
        (job,) = jobs.start_due()
        assert over(jobs, job).state == "stored"
        assert jobs.start_due() == []
        clock.now += timedelta(hours=1)
        (job,) = jobs.start_due()
        assert over(jobs, job).state == "stored"
    finally:
        jobs.end()


def test_sources_tell_freshness_errors_gaps_and_what_was_rejected(
    store: Store, clock: Clock, tmp_path: Path, catalog: Catalog
) -> None:
    source_in(tmp_path, BALANCES + "ops,2026-03-02,five\n")
    entry = '{loader: cash, location: cash.csv, schedule: "0 * * * *", keeps_days: 1}'
    (tmp_path / "sources.yaml").write_text(f"sources: {{bank: {entry}, other: {{loader: charges, location: c.csv}}}}")
    jobs = Jobs(store, clock, 60, read_sources(tmp_path / "sources.yaml"))
    try:
        clock.now = NOW - timedelta(days=3)
        over(jobs, jobs.start(jobs.sources[0]))
    finally:
        jobs.end()
    api = Api(catalog, store, jobs=jobs)
    bank, other = api.data(
        "{ sources { name source schedule nextLoadAt loads completeThrough ageSeconds lastError rejected"
        " gaps { since until } rejections { location reason } running { state } } }"
    )["sources"]
    assert (bank["name"], bank["source"], bank["schedule"], bank["loads"]) == ("bank", "cash", "0 * * * *", 1)
    assert (bank["completeThrough"], bank["ageSeconds"]) == ("2026-03-07T12:00:00Z", 3 * 86400)
    assert bank["nextLoadAt"] == "2026-03-07T13:00:00Z"
    assert bank["gaps"] == [{"since": "2026-03-07T12:00:00Z", "until": "2026-03-09T12:00:00Z"}]
    (rejection,) = bank["rejections"]
    assert rejection["location"] == f"{tmp_path}/cash.csv:3"
    assert "five" in rejection["reason"]
    assert (other["name"], other["loads"], other["completeThrough"], other["gaps"]) == ("other", 0, None, [])


def test_whoever_asks_with_a_role_sees_that_something_is_wrong_and_not_what_was_read(
    store: Store, clock: Clock, tmp_path: Path, catalog: Catalog
) -> None:
    source_in(tmp_path, BALANCES + "ops,2026-03-02,the CEO's bonus\n")
    jobs = Jobs(store, clock, 60)
    try:
        over(jobs, jobs.start(source_in(tmp_path, BALANCES + "ops,2026-03-02,the CEO's bonus\n")))
    finally:
        jobs.end()
    store.note_failure("cash", str(tmp_path / "cash.csv"), "got 'the CEO's bonus'", now=NOW)
    asked = "{ sources { rejected lastError rejections { reason } } }"
    (seen,) = Api(catalog, store, jobs=jobs, caller=Caller(frozenset({"dashboard"}), {})).data(asked)["sources"]
    assert seen == {"rejected": 1, "lastError": "the operator can see why", "rejections": []}
    (all_of_it,) = Api(catalog, store, jobs=jobs).data(asked)["sources"]
    assert all_of_it["lastError"] == "got 'the CEO's bonus'"
    assert "the CEO's bonus" in all_of_it["rejections"][0]["reason"]


def post(url: str, wish: Any, headers: dict[str, str]) -> tuple[int, Any]:
    body = wish if isinstance(wish, bytes) else json.dumps(wish).encode()
    request = Request(f"{url}/loads", body, {"Content-Type": "application/json", **headers})
    try:
        with urlopen(request, timeout=20) as answer:
            return answer.status, json.load(answer)
    except HTTPError as error:
        with error:
            return error.code, json.load(error)


def test_only_who_can_read_the_notice_may_load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    source_in(tmp_path)
    wish = {"kind": "cash", "location": str(tmp_path / "cash.csv")}
    with served(tmp_path / "store.duckdb") as url:
        assert post(url, wish, {})[0] == 401
        assert post(url, wish, {"Authorization": "Bearer another key"})[0] == 401
        key = {"Authorization": "Bearer the key"}
        assert post(url, b"{", key)[0] == 400
        assert post(url, wish | {"path": "x"}, key)[0] == 400
        assert post(url, {"kind": "cash"}, key)[0] == 400
        assert post(url, {"kind": "cahs", "location": "x"}, key) == (400, {"error": "give a kind and a location"})
        assert post(url, wish | {"name": "bank"}, key)[1]["error"].startswith("the server knows no source 'bank'")
        assert post(url, b" " * 200_000, key)[0] == 413
        status, job = post(url, wish, key)
        assert (status, job["source"]) == (202, "cash")
