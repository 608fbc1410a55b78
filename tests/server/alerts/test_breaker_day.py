"""A day on which a cron sweep is too dear, in New York: what happens, each thing once, also over restarts."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from server.alerts.actions import Actions
from server.settings import Settings
from tests.loaders.openclaw.conftest import Home, answer, header, user
from tests.server.alerts.acting import Acting, Clock, acting
from tests.server.alerts.boxes import wait_until
from tests.server.alerts.receivers import ALIAS, TOKEN, Receiver, homeserver
from tests.server.conftest import Run

PRICES = """price_id,provider,model,effective_from,input,cache_read,cache_write_5m,cache_write_1h,output
P1,anthropic,claude-opus-4-6,2026-01-01T00:00:00Z,5,0.50,6.25,10,25
"""
MIDNIGHT = datetime(2026, 2, 21, 5, tzinfo=UTC)
"""When the day of 2026-02-20 ends in New York."""


@pytest.fixture
def matrix() -> Iterator[Receiver]:
    with homeserver() as receiver:
        yield receiver


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, matrix: Receiver) -> Settings:
    token = tmp_path / "token"
    token.write_text(f"{TOKEN}\n")
    named = {
        "store": tmp_path / "store.duckdb",
        "daily_budget_usd": "5.00",
        "budget_zone": "America/New_York",
        "matrix_url": matrix.url,
        "matrix_room": ALIAS,
        "matrix_token_file": token,
        "flag_file": tmp_path / "over-budget",
        "metrics_file": tmp_path / "clawback.prom",
        "budget_every_s": 3600,
    }
    for name, value in named.items():
        monkeypatch.setenv(f"CLAWBACK_{name.upper()}", str(value))
    return Settings()


def sweep(home: Home, number: int, started: datetime) -> None:
    """One run of the cron sweep: 40,000 tokens of output, which is $1.00."""
    session = f"5eeb0000-0000-4000-8000-{number:012}"
    stamp = [(started + timedelta(seconds=s)).isoformat().replace("+00:00", "Z") for s in (0, 1, 30)]
    usage = {"input": 0, "output": 40_000, "cacheRead": 0, "cacheWrite": 0, "totalTokens": 40_000}
    run = answer(timestamp=stamp[2], model="claude-opus-4-6", usage=usage)
    home.transcript(header(session, stamp[0]), user("sweep", stamp[1]), run, name=f"{session}.jsonl", agent="ops")


def limit_alerts(matrix: Receiver) -> list[str]:
    return [m["body"] for m in matrix.messages.values() if "has reached its limit" in m["body"]]


def run_a_round(server: Acting) -> list[str]:
    """The texts of the alerts that were new."""
    return [alert.alert_id for alert in server.actions.run(server.clock()).alerts]


def test_the_breaker_opens_once_and_recovers_at_the_next_local_midnight(
    tmp_path: Path, settings: Settings, matrix: Receiver, run: Run
) -> None:
    home, clock, flag = Home(tmp_path / ".openclaw"), Clock(datetime(2026, 2, 20, 14, tzinfo=UTC)), settings.flag_file
    assert flag is not None
    prices = tmp_path / "prices.csv"
    prices.write_text(PRICES)

    with acting(settings, clock) as server:
        server.load("prices", prices)
        sweep(home, 0, datetime(2026, 2, 20, 4, 30, tzinfo=UTC))  # still 2026-02-19 in New York
        for number in range(1, 5):
            sweep(home, number, datetime(2026, 2, 20, 9 + number, tzinfo=UTC))
        server.load("openclaw", home.root)
        wait_until(lambda: len(matrix.messages) == 1)
        (warning,) = matrix.messages.values()
        assert warning["body"] == (
            "Clawback: budget daily has reached 80 % of its limit: $4.00 of $5.00 (80 %) in 2026-02-20."
            " At this pace it is used up at 2026-02-20T16:15:00Z."
        )
        assert {"openclaw_daily_cost_usd 4", "openclaw_budget_exceeded 0"} <= set(server.metrics())
        assert not flag.exists()

        clock.now = datetime(2026, 2, 20, 18, tzinfo=UTC)
        for number in range(5, 7):
            sweep(home, number, datetime(2026, 2, 20, 10 + number, tzinfo=UTC))
        server.load("openclaw", home.root)
        wait_until(lambda: bool(limit_alerts(matrix)))
        assert flag.exists()
        (told,) = limit_alerts(matrix)
        assert told == (
            "Clawback: budget daily has reached its limit: $6.00 of $5.00 (120 %) in 2026-02-20."
            " Requests are stopped until 2026-02-21T05:00:00Z."
        )
        (over,) = json.loads(flag.read_text())["budgets"]
        assert (over["budget_id"], over["spent_usd"], over["window"]) == ("daily", "6", "2026-02-20")
        assert {"openclaw_daily_cost_usd 6", "openclaw_budget_exceeded 1"} <= set(server.metrics())
        assert settings.metrics_file is not None
        assert "openclaw_budget_exceeded 1" in settings.metrics_file.read_text().splitlines()
        assert run_a_round(server) == []

    for _ in range(2):  # two restarts
        with acting(settings, clock) as server:
            assert run_a_round(server) == []
            assert flag.exists()
            again = run("budget", "run")
            assert (again.code, again.err) == (0, "")
            assert "over, stops requests" in again.out
            assert "alert:" not in again.out
            assert (len(matrix.messages), matrix.takes) == (2, 2)

    with acting(settings, clock) as server:
        clock.now = MIDNIGHT - timedelta(seconds=1)
        assert run_a_round(server) == []
        assert flag.exists()
        clock.now = MIDNIGHT
        wait_until(lambda: len(matrix.messages) == 3)
        assert not flag.exists()
        *_, last = matrix.messages.values()
        assert last["body"] == "Clawback: budget daily is within its limit again: $0.00 of $5.00 (0 %) in 2026-02-21."
        assert {"openclaw_daily_cost_usd 0", "openclaw_budget_exceeded 0"} <= set(server.metrics())

    with acting(settings, clock) as server:
        assert run_a_round(server) == []
        clock.now = MIDNIGHT - timedelta(minutes=5)  # a clock that is set back
        assert run_a_round(server) == []
        clock.now = MIDNIGHT + timedelta(minutes=5)
        assert run_a_round(server) == []
    assert (len(matrix.messages), matrix.takes) == (3, 3)


def test_without_a_server_the_timer_does_the_same(
    tmp_path: Path, settings: Settings, matrix: Receiver, run: Run
) -> None:
    """By the real clock: the sweep is of today in New York, unless midnight strikes just now."""
    home, prices = Home(tmp_path / ".openclaw"), tmp_path / "prices.csv"
    prices.write_text(PRICES)
    for number in range(6):
        sweep(home, number, datetime.now(UTC) - timedelta(seconds=31))
    assert run("load", "prices", str(prices)).code == 0
    assert run("load", "openclaw", str(home.root)).code == 0

    shown = run("budget", "show")
    assert "$6.00" in shown.out
    assert matrix.messages == {}
    first, second = run("budget", "run"), run("budget", "run", "--format", "json")
    assert (first.code, second.code) == (0, 0)
    assert first.out.count("alert: Clawback: budget daily has reached") == 3
    assert "the flag file is there" in first.out
    assert (len(matrix.messages), len(limit_alerts(matrix))) == (1, 1)
    assert json.loads(second.out)["alerts"] == []
    assert settings.flag_file is not None
    assert settings.flag_file.exists()


def test_a_timer_ends_with_an_error_while_something_cannot_be_told(
    tmp_path: Path, settings: Settings, matrix: Receiver, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLAWBACK_DAILY_BUDGET_USD", "0.50")
    monkeypatch.setenv("CLAWBACK_MATRIX_ROOM", "#another:example.org")
    home, prices = Home(tmp_path / ".openclaw"), tmp_path / "prices.csv"
    prices.write_text(PRICES)
    sweep(home, 1, datetime.now(UTC) - timedelta(seconds=31))
    run("load", "prices", str(prices))
    run("load", "openclaw", str(home.root))
    failed = run("budget", "run")
    assert failed.code == 1
    assert "error: matrix #another:example.org: the homeserver answered 404: M_NOT_FOUND" in failed.err
    assert TOKEN not in failed.err + failed.out
    monkeypatch.setenv("CLAWBACK_MATRIX_ROOM", ALIAS)
    assert run("budget", "run").code == 0
    assert len(limit_alerts(matrix)) == 1


def test_the_file_of_a_token_must_hold_one(settings: Settings, run: Run) -> None:
    assert settings.matrix_token_file is not None
    run("load", "prices", "/dev/null")
    settings.matrix_token_file.write_text("two words\n")
    refused = run("budget", "run")
    assert (refused.code, "must be one word of plain ASCII characters" in refused.err) == (1, True)
    settings.matrix_token_file.unlink()
    refused = run("budget", "run")
    assert (refused.code, "cannot be read: No such file or directory" in refused.err) == (1, True)


def test_actions_are_only_those_that_the_settings_name(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MATRIX_URL", "MATRIX_ROOM", "MATRIX_TOKEN_FILE", "FLAG_FILE", "METRICS_FILE"):
        monkeypatch.setenv(f"CLAWBACK_{name}", "")
    bare = Actions.of(Settings(), None, lambda: MIDNIGHT)  # type: ignore[arg-type]
    assert (list(bare.channels), bare.flag, bare.metrics_file) == ([], None, None)
