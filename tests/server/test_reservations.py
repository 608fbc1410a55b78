"""Reservations of many callers at once, over HTTP and by processes of one ledger: never over the limit, nothing left.

What is settled and held is read from the ledger's own file, by a process that takes no part.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import httpx2
import pytest

from finance.budgets import Rule
from server.budgets import Breakers, Wish
from store import Store
from store.ledger import Ledger
from tests.serving import PATIENCE_S

ROOT = Path(__file__).parents[2]
LIMIT = Decimal("2.00")
CALLERS = 64
KILLED = 16
TTL_S = 8
"""Of those that are killed; the others have time enough, however slow the machine is."""
RESERVE = """mutation ($ttl: Int!) {
  reserve(trigger: CRON, maxUsd: "0.10", ttlSeconds: $ttl) { decision reason hold { holdId } }
}"""
CALLER = """
import sys, time, httpx2
body = {"query": sys.argv[2], "variables": {"ttl": int(sys.argv[3])}}
print(httpx2.post(f"{sys.argv[1]}/graphql", json=body).json()["data"]["reserve"]["decision"], flush=True)
time.sleep(60)
"""
Json = dict[str, Any]
CLIENT = httpx2.Client(verify=False, timeout=30, limits=httpx2.Limits(max_connections=CALLERS))


@contextmanager
def server(store: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A server of its own process, and its address."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "CLAWBACK_STORE": str(store),
        "CLAWBACK_DAILY_BUDGET_USD": str(LIMIT),
        "CLAWBACK_METRICS": str(ROOT / "metrics.yaml"),
    }
    command = [sys.executable, "-c", "from server.cli import main; main()", "serve", "--port", "0"]
    with subprocess.Popen(command, env=environment, cwd=store.parent, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            url = line.split()[2].rstrip("/")
            wait_until_ready(url)
            yield process, url
        finally:
            process.terminate()


def wait_until_ready(url: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        try:
            if CLIENT.get(f"{url}/health/ready").status_code == 200:
                return
        except httpx2.TransportError:
            time.sleep(0.05)
    raise AssertionError(f"the server did not answer within {PATIENCE_S} s")


def post(url: str, text: str, **variables: Any) -> Json:
    """As a caller does: where the server has no place for the operation, it asks again when the server says."""
    deadline = time.monotonic() + PATIENCE_S
    answer = CLIENT.post(f"{url}/graphql", json={"query": text, "variables": variables})
    while answer.status_code == 503 and time.monotonic() < deadline:
        time.sleep(float(answer.headers["Retry-After"]))
        answer = CLIENT.post(f"{url}/graphql", json={"query": text, "variables": variables})
    body: Json = answer.json()
    assert "errors" not in body, body
    return dict(body["data"])


def standing(url: str) -> tuple[Decimal, Decimal]:
    """Spent and held of the daily cap, as the server tells it."""
    (budget,) = post(url, "{ budgets { standings { spentUsd heldUsd } } }")["budgets"]
    (found,) = budget["standings"]
    return Decimal(found["spentUsd"]), Decimal(found["heldUsd"])


class Auditor:
    """Adds up what the ledger says, again and again, for as long as the block runs."""

    def __init__(self, store: Path) -> None:
        self.most = Decimal(0)
        self.looks = 0
        self._ledger = Ledger.beside(store)
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> "Auditor":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._thread.join()
        self._ledger.close()

    def _watch(self) -> None:
        while not self._is_over.is_set():
            spent, held = committed(self._ledger)
            self.most = max(self.most, spent + held)
            self.looks += 1
            time.sleep(0.002)


def committed(ledger: Ledger) -> tuple[Decimal, Decimal]:
    """Settled and held of this day in UTC."""
    with ledger.reading() as books:
        books.holds.open_holds(datetime.now(UTC))  # what is read from here on is of this state; the time is later
        now = datetime.now(UTC)
        starts = now.replace(hour=0, minute=0, second=0, microsecond=0)
        found = books.holds.committed("global", starts, starts + timedelta(days=1), now=now, version=0, member=None)
    return found.settled_usd, found.held_usd


def spend_as_one_caller(url: str, number: int) -> str:
    """What one caller does: reserve, work, settle or release. The first ones die while they hold."""
    chance = Random(number)
    reserved = post(url, RESERVE, ttl=TTL_S if number < KILLED else 600)["reserve"]
    if reserved["decision"] == "DENY":
        return str(reserved["reason"])
    if number < KILLED:
        return "killed"
    time.sleep(chance.uniform(0, 0.1))
    hold = reserved["hold"]["holdId"]
    if chance.random() < 0.2:
        post(url, f'mutation {{ release(holdId: "{hold}") {{ state }} }}')
        return "released"
    usd = Decimal(chance.randrange(1, 11)) / 100
    post(url, f'mutation {{ settle(holdId: "{hold}", actualUsd: "{usd}", requestKey: "r{number}") {{ state }} }}')
    return "settled"


def die_while_holding(url: str) -> None:
    """Processes that end by signal 9 after they were told that they may go on."""
    command = [sys.executable, "-c", CALLER, url, RESERVE, str(TTL_S)]
    callers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    for process in callers:
        assert process.stdout is not None
        assert process.stdout.readline() == "ALLOW\n"
        process.kill()
        process.communicate()


def all_at_once(url: str) -> list[str]:
    barrier, ends = threading.Barrier(CALLERS), [""] * CALLERS

    def work(number: int) -> None:
        barrier.wait()
        ends[number] = spend_as_one_caller(url, number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(CALLERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return ends


@pytest.mark.whole
def test_64_callers_never_commit_more_than_the_limit_and_leave_nothing_held(tmp_path: Path) -> None:
    store = tmp_path / "store.duckdb"
    with server(store) as (process, url):
        with Auditor(store) as auditor:
            die_while_holding(url)
            ends = all_at_once(url)
        assert auditor.looks > 10
        assert auditor.most <= LIMIT
        assert set(ends) >= {"settled", "killed"}
        assert set(ends) <= {"settled", "killed", "released", "LIMIT_REACHED", "WOULD_EXCEED"}
        reserved = time.monotonic()
        process.send_signal(signal.SIGKILL)
        process.wait()
    with server(store) as (_, url):
        spent, held = standing(url)
        with Ledger.beside(store) as ledger:
            assert (spent, held) == committed(ledger)
        assert 0 < spent <= LIMIT
        time.sleep(max(0.0, reserved + TTL_S + 0.2 - time.monotonic()))
        assert standing(url) == (spent, Decimal(0)), "what killed callers held has expired"


def race(path: str, name: str, tries: str) -> None:
    """One process of a race for one ledger; prints how often it was allowed."""
    cap = Rule(budget_id="daily", limit_usd=LIMIT, blocks=True)
    with Store.open(None) as store, Ledger.open(Path(path)) as ledger:
        breakers = Breakers(store, ledger, cap)
        print("ready", flush=True)  # noqa: T201 - the parent waits for it
        sys.stdin.readline()
        allowed = 0
        for number in range(int(tries)):
            now = datetime.now(UTC)
            answer, hold = breakers.reserve(Wish(trigger="cron", max_usd=Decimal("0.01")), now)
            assert answer.is_allowed == (hold is not None)
            allowed += answer.is_allowed
            if hold is not None and number % 3 == 0:
                breakers.settle(hold.hold_id, Decimal("0.01"), f"{name}{number}", now)
        print(allowed, flush=True)  # noqa: T201 - the parent adds them up


def test_processes_that_race_for_the_last_dollar_get_it_once(tmp_path: Path) -> None:
    path = tmp_path / "ledger"
    program = "import sys; from tests.server.test_reservations import race; race(*sys.argv[1:])"
    commands = [[sys.executable, "-c", program, str(path), name, "150"] for name in ("one", "two")]
    processes = [
        subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for command in commands
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    allowed = [int(process.communicate()[0]) for process in processes]
    assert sum(allowed) == 200, "300 tries of a cent, and room for 200"
    with Ledger.open(path) as ledger:
        assert sum(committed(ledger)) == LIMIT
