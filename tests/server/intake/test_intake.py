"""What is in the spool is stored, whatever is beside it: rubbish, a body that kills its reader, new prices."""

import os
import signal
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from click import ClickException

from loaders.job import apply_load
from server.cli.serve import intake_or_refusal
from server.intake.intake import Intake
from server.intake.making import owners_in
from server.intake.reading import Reading
from server.intake.rights import Rights
from server.intake.spool import ANY_RIGHTS, Body, Spool
from server.settings import Settings
from store import Price, Stage, Store, StoreError
from tests.server.intake.sending import clock, span, traces, until


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with Store.open(tmp_path_factory.mktemp("store") / "store.duckdb") as opened:
        yield opened


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path / "spool", 10_000_000)


@pytest.fixture
def intake(store: Store, spool: Spool) -> Intake:
    return Intake(store, spool, Reading(store.stage_directory, owners_in(store), 60), clock)


def left(spool: Spool, content: bytes, rights: str = ANY_RIGHTS) -> Body:
    """One of a server that was killed: nobody waits to hear of it."""
    arriving = spool.begin()
    arriving.write(content)
    return arriving.keep("traces", "json", rights)


def stored(store: Store, agent: str) -> int:
    ((count,),) = store.read("SELECT count(*) FROM requests WHERE agent = $agent", {"agent": agent}).rows
    return int(str(count))


def test_what_a_killed_server_left_is_stored_with_its_rights_and_rubbish_is_set_aside(
    store: Store, spool: Spool, intake: Intake
) -> None:
    left(spool, traces([span(100, agent="before")]))
    rubbish = left(spool, b"rubbish")
    rights = Rights(sessions=("mine",))
    spool.keep_rights(rights.name, rights.written())
    left(spool, traces([span(101, "mine", "after"), span(102, "yours", "after")]), rights.name)
    with intake.kept_going():
        until(lambda: not spool.bodies(), "all are stored or set aside")
    assert (stored(store, "before"), stored(store, "after"), spool.unreadable_bodies) == (1, 1, 1)
    place = spool.place_of_unreadable(rubbish)
    assert place.read_bytes() == b"rubbish"
    (load,) = [state.newest for state in store.sources() if state.newest.source == "otlp"]
    assert load.rejected == 2
    reasons = dict(store.rejections(load.load_id, 10))
    assert reasons.pop(str(place))
    (bound,) = reasons.values()
    assert bound.startswith("the session 'yours' is another's")


def test_spans_of_two_instrumentations_are_one_call_in_bodies_of_one_sender(
    store: Store, spool: Spool, intake: Intake
) -> None:
    inner, outer = (span(number, "s-framework", "framework") for number in (110, 111))
    for each in (inner, outer):
        each["attributes"] = [said for said in each["attributes"] if said["key"] != "gen_ai.response.id"]
    inner |= {"traceId": outer["traceId"], "parentSpanId": outer["spanId"]}
    rights = Rights(agents=("framework",))
    spool.keep_rights(rights.name, rights.written())
    with intake.kept_going():
        for body in (traces([inner]), traces([outer])):
            assert intake.read(left(spool, body)).result(60)
        until(lambda: not spool.bodies(), "both are stored")
        assert stored(store, "framework") == 1
        assert intake.read(left(spool, traces([outer]), rights.name)).result(60)
        until(lambda: not spool.bodies(), "another's span is stored")
    assert stored(store, "framework") == 2


def test_a_reader_that_is_killed_is_replaced_and_nothing_is_lost(store: Store, spool: Spool, intake: Intake) -> None:
    with intake.kept_going():
        assert intake.read(left(spool, traces([span(120, agent="killed")]))).result(60)
        until(lambda: not spool.bodies(), "the first is stored")
        process = intake.reading._process
        assert process is not None
        assert process.pid is not None
        os.kill(process.pid, signal.SIGKILL)
        assert intake.read(left(spool, traces([span(121, agent="killed")]))).result(60)
        until(lambda: not spool.bodies(), "the second, too")
    assert stored(store, "killed") == 2


def test_a_price_that_comes_between_reading_and_storing_holds(store: Store, spool: Spool, intake: Intake) -> None:
    with intake.kept_going():
        intake.read(left(spool, traces([span(140, agent="priced", **{"gen_ai.request.model": "own-1"})]))).result(60)
        line = Price(
            price_id="own",
            provider="anthropic",
            model="own-1",
            effective_from=datetime(2026, 1, 1, tzinfo=UTC),
            input=Decimal(1),
            output=Decimal(2),
            source="test",
        )
        with Stage(source="prices", location="test", directory=store.stage_directory) as stage:
            stage.add(0, line)
            apply_load(store, stage, store.prices(), [line], now=clock())
        until(lambda: not spool.bodies(), "it is stored")
    ((cost,),) = store.read("SELECT cost_usd FROM requests WHERE agent = 'priced'").rows
    assert cost == Decimal("0.00134")  # 1,140 tokens at 1 USD a million and 100 at 2


def test_a_body_that_cannot_be_stored_is_set_aside_and_the_others_are_stored(
    store: Store, spool: Spool, tmp_path: Path
) -> None:
    class Choosy(Intake):
        """Its store refuses what one agent did, as a fault of ours would."""

        def _store(self, batch, directory):  # type: ignore[no-untyped-def]
            requests = directory / "requests.ndjson"
            if requests.exists() and b'"cursed"' in requests.read_bytes():
                raise StoreError("the store cannot hold that")
            return super()._store(batch, directory)

    intake = Choosy(store, spool, Reading(store.stage_directory, owners_in(store), 60), clock)
    left(spool, traces([span(150, agent="fine")]))
    left(spool, traces([span(151, agent="cursed")]))
    left(spool, traces([span(152, agent="fine")]))
    with intake.kept_going():
        until(lambda: not spool.bodies(), "all are stored or set aside")
    assert (stored(store, "fine"), stored(store, "cursed"), spool.unreadable_bodies) == (2, 0, 1)


def test_where_the_store_cannot_be_written_everything_waits(store: Store, spool: Spool) -> None:
    class Closed(Intake):
        def _store(self, batch, directory):  # type: ignore[no-untyped-def]
            raise StoreError("the disk is full")

    left(spool, traces([span(160)]))
    intake = Closed(store, spool, Reading(store.stage_directory, owners_in(store), 60), clock)
    with intake.kept_going():
        until(lambda: intake._rests_until.get("otlp", 0) > 0, "it was tried")
    assert len(spool) == 1
    assert spool.unreadable_bodies == 0


def test_a_store_that_cannot_be_asked_is_not_asked_again_and_again(
    store: Store, spool: Spool, intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def broken() -> list[Price]:
        asked.append("prices")
        raise StoreError("the disk is gone")

    first, second = left(spool, traces([span(170)])), left(spool, traces([span(171)]))
    with monkeypatch.context() as patched:
        patched.setattr(store, "prices", broken)
        with intake.kept_going():
            until(lambda: intake._reads_from > 0, "it was tried")
    assert asked == ["prices"]  # a second time would come after the pause
    assert [body for body, _ in intake._waiting._bodies] == [first, second]
    assert spool.bodies() == [first, second]


def test_a_spool_that_cannot_be_is_said_in_words(store: Store, tmp_path: Path) -> None:
    (tmp_path / "store.duckdb.spool").write_text("a file")
    with pytest.raises(ClickException, match=r"store\.duckdb\.spool cannot be used as the spool of the intake: File"):
        intake_or_refusal(Settings(store=tmp_path / "store.duckdb"), store, clock)
