"""A round: flag, gauges and messages, each for itself, again and again until it is done."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from finance.budgets import Alert
from server.alerts.actions import Actions
from server.alerts.channel import RefusedError, UntoldError
from server.alerts.flag_file import FlagFile
from server.alerts.matrix import Matrix
from server.alerts.watch import Watch
from server.alerts.webhook import Webhook
from store import StoreError
from tests.server.alerts.boxes import NOON, Box, Ticking, alert, closed, standing, wait_until
from tests.server.alerts.receivers import ROOM, TOKEN, Answer, Receiver, homeserver, refusal, webhook


@pytest.fixture
def matrix() -> Iterator[Receiver]:
    with homeserver() as receiver:
        yield receiver


class Listener:
    """A channel that keeps what it is told, and fails as a test says."""

    def __init__(self, name: str = "listener") -> None:
        self.name = name
        self.is_for_people = False
        self.heard: list[str] = []
        self.tries = 0
        self.failures: list[Exception] = []

    def tell(self, told: Alert) -> None:
        self.tries += 1
        if self.failures:
            raise self.failures.pop(0)
        self.heard.append(told.alert_id)


def test_what_stops_money_does_not_wait_for_a_channel_that_fails(tmp_path: Path, matrix: Receiver) -> None:
    box = Box([standing()], [alert()])
    matrix.answers += [Answer(500)] * 9
    with webhook() as receiver:
        channels = [Matrix(matrix.url, ROOM, TOKEN), Webhook(receiver.url, lambda: NOON)]
        flag, gauges = FlagFile(tmp_path / "flag"), tmp_path / "clawback.prom"
        found = Actions(box, channels, flag, gauges).run(NOON)
        assert len(receiver.messages) == 1
    assert found.is_flagged
    assert found.problems == (f"matrix {ROOM}: the homeserver answered 500",)
    assert [one.alert_id for one in found.alerts] == ["daily/2026-02-20/1"]
    assert flag.path.exists()
    assert "openclaw_budget_exceeded 1" in gauges.read_text().splitlines()
    assert gauges.stat().st_mode & 0o777 == 0o644
    assert sorted(p.name for p in tmp_path.iterdir()) == ["clawback.prom", "flag"]


def test_a_homeserver_that_is_down_for_hours_gets_every_alert_once_in_order(matrix: Receiver) -> None:
    box, clock = Box([standing()], [alert("first")]), Ticking()
    actions = Actions(box, [Matrix(matrix.url, ROOM, TOKEN)], monotonic=clock)
    matrix.answers += [Answer(503)] * 1_000
    for minute in range(360):
        if minute == 100:
            box.coming.append(alert("second", standing=standing(budget_id="monthly")))
        actions.run(NOON + timedelta(minutes=minute))
        clock.seconds += 60
    tries = len(matrix.requests)
    assert 20 < tries < 40  # 5 s, 10 s, 20 s ... and then every 15 minutes
    matrix.answers.clear()
    clock.seconds += 900
    assert actions.run(NOON + timedelta(hours=6)).problems == ()
    assert (matrix.takes, len(matrix.messages)) == (2, 2)
    actions.run(NOON + timedelta(hours=7))
    assert len(matrix.requests) == tries + 2


def test_a_pause_that_was_asked_for_is_kept_by_a_clock_that_never_goes_back() -> None:
    listener, clock, box = Listener(), Ticking(), Box([], [alert()])
    listener.failures.append(UntoldError("slow down", pause_s=120))
    actions = Actions(box, [listener], monotonic=clock)
    assert actions.run(NOON).problems == ("listener: slow down",)
    clock.seconds += 119
    assert actions.run(NOON + timedelta(days=1)).problems == ("listener: slow down; 1 alerts wait",)
    clock.seconds += 2
    assert actions.run(NOON - timedelta(days=1)).problems == ()
    assert (listener.tries, listener.heard) == (2, ["daily/2026-02-20/1"])


def test_an_error_that_lasts_is_not_tried_every_minute() -> None:
    listener, clock, box = Listener(), Ticking(), Box([], [alert()])
    listener.failures += [UntoldError("no such user", is_lasting=True)] * 100
    actions = Actions(box, [listener], monotonic=clock)
    for _ in range(60):
        actions.run(NOON)
        clock.seconds += 60
    assert listener.tries == 4


def test_an_alert_that_is_refused_does_not_hold_up_the_others() -> None:
    listener, box = Listener(), Box([], [alert("bad"), alert("good")])
    listener.failures.append(RefusedError("too large"))
    actions = Actions(box, [listener])
    assert actions.run(NOON).problems == ()
    assert actions.run(NOON).problems == ()
    assert (listener.tries, listener.heard) == (2, ["good"])


def test_a_mistake_of_ours_in_one_channel_does_not_silence_the_others(caplog: pytest.LogCaptureFixture) -> None:
    broken, listener = Listener("broken"), Listener()
    broken.failures.append(ZeroDivisionError())
    found = Actions(Box([], [alert()]), [broken, listener]).run(NOON)
    assert found.problems == ("broken: unexpected: ZeroDivisionError",)
    assert listener.heard == ["daily/2026-02-20/1"]
    assert "broken failed unexpectedly" in caplog.text


def test_people_are_told_the_highest_threshold_and_programs_all() -> None:
    half, most, whole = (alert(share, threshold=Decimal(share), standing=closed()) for share in ("0.5", "0.8", "1"))
    other = alert("other", threshold=Decimal("0.5"), standing=closed(budget_id="other"))
    recovered = alert("recovered", kind="RECOVERED", threshold=None)
    again = alert("again", threshold=Decimal("0.5"), standing=closed())
    box, people, programs = Box([], [half, other, whole, most, recovered, again]), Listener("people"), Listener("all")
    people.is_for_people = True
    Actions(box, [people, programs]).run(NOON)
    assert people.heard == ["other", "1", "recovered", "again"]
    assert programs.heard == ["0.5", "other", "1", "0.8", "recovered", "again"]
    assert box.undelivered("people") == []


def test_a_flood_is_told_in_parts() -> None:
    listener, box = Listener(), Box([], [alert(f"{n:03}") for n in range(50)])
    actions = Actions(box, [listener])
    for sent in (20, 40, 50, 50):
        actions.run(NOON)
        assert len(listener.heard) == sent
    assert listener.heard == sorted(listener.heard)


def test_files_that_cannot_be_written_are_told_each_time(tmp_path: Path) -> None:
    box, missing = Box([standing()]), tmp_path / "missing"
    actions = Actions(box, [], FlagFile(missing / "flag"), missing / "clawback.prom")
    for _ in range(2):
        found = actions.run(NOON)
        assert found.is_flagged is None
        assert [problem.split(" could not")[0] for problem in found.problems] == [
            f"the flag file {missing / 'flag'}",
            f"the metrics file {missing / 'clawback.prom'}",
        ]


def test_while_the_store_cannot_be_read_the_flag_stays_and_the_gauges_say_nothing(tmp_path: Path) -> None:
    box, flag, gauges = Box([standing()]), FlagFile(tmp_path / "flag"), tmp_path / "clawback.prom"
    actions = Actions(box, [], flag, gauges)
    actions.run(NOON)
    box.is_broken = True
    with pytest.raises(StoreError):
        actions.run(NOON)
    assert flag.path.exists()
    for text in (gauges.read_text(), actions.page(NOON)):
        assert "openclaw" not in text
        assert "clawback_budget_evaluation_success 0" in text.splitlines()


def test_the_watch_looks_after_a_load_at_the_end_of_a_window_and_from_time_to_time() -> None:
    box, versions, now = Box([closed()]), [1], [NOON]
    watch = Watch(Actions(box), lambda: now[0], lambda: versions[0], every_s=3600)
    assert [watch.look_if_due(), watch.look_if_due()] == [True, False]
    versions[0] = 2
    assert [watch.look_if_due(), watch.look_if_due()] == [True, False]
    now[0] = closed().window.ends_at
    assert watch.look_if_due()
    assert Watch(Actions(box), lambda: NOON, lambda: 1, every_s=0).look_if_due()


def test_the_watch_goes_on_after_a_bad_moment(caplog: pytest.LogCaptureFixture) -> None:
    box = Box([closed()], is_broken=True)
    listener = Listener()
    watch = Watch(Actions(box, [listener]), lambda: NOON, lambda: 1, every_s=0)
    with watch.kept_going():
        wait_until(lambda: "could not be looked at" in caplog.text)
        box.coming.append(alert())
        box.is_broken = False
        wait_until(lambda: bool(listener.heard))
    assert listener.heard == ["daily/2026-02-20/1"]


def test_an_answer_of_the_homeserver_that_lasts_is_a_problem_until_it_works_again(matrix: Receiver) -> None:
    clock, box = Ticking(), Box([], [alert()])
    actions = Actions(box, [Matrix(matrix.url, ROOM, TOKEN)], monotonic=clock)
    matrix.answers.append(refusal(403, "M_FORBIDDEN"))
    (problem,) = actions.run(NOON).problems
    assert problem.startswith(f"matrix {ROOM}: the homeserver answered 403: M_FORBIDDEN told so")
    assert 'clawback_alerts_waiting{channel="matrix !ops:example.org"} 1' in actions.page(NOON).splitlines()
    clock.seconds += 901
    assert actions.run(NOON).problems == ()
    assert 'clawback_alerts_waiting{channel="matrix !ops:example.org"} 0' in actions.page(NOON).splitlines()
