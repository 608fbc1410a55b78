"""`routing` while a load is being stored in the same server: in process, over HTTP, and beside a static answer.

A store of many sessions is served by uvicorn in a process of its own, which also stores loads one after the other in
a thread; as with a real server, another process reads and stages them. The client sends one question after the other
over one connection, in turn to GraphQL and to a route of a bare Starlette app (in the same process, on another port)
that returns the same bytes. In process, the engine is asked beside the loads without HTTP, after the client is done.
Nothing is asserted.

    routing.py [--sessions 60000] [--questions 2000] [--load-sessions 5000 | --idle]
"""

import argparse
import multiprocessing
import os
import platform
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from importlib.metadata import version
from multiprocessing.connection import Connection
from pathlib import Path

import httpx2
import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from semantic import load_catalog
from semantic.planner import Planner
from server.app import create_app
from server.graphql import build_schema
from server.graphql.context import AnswerLimits, Deadline
from server.graphql.engine import Engine, Operation
from server.routing import Routing
from server.settings import Settings
from store import Outcome, PricedRequest, Session, Stage, Store
from store import Request as Call
from tests.serving import running

ROOT = Path(__file__).parents[1]
MODELS = ["model-0", "model-1", "model-2", "model-3", "model-new"]
QUERY = """
query Route($taskClass: String, $models: [String!]) {
  routing(taskClass: $taskClass, models: $models) {
    snapshotId computedAt status stale
    models {
      model basis resolved pending effectiveN successRate posterior { alpha beta } costPerSession costPerSuccess
      variances { cost } roi roiInterval { low high } status decisionGrade notDistinguishableFrom
      netValue(taskValue: "5")
    }
  }
}
"""
VARIABLES = {"taskClass": "class-1", "models": MODELS}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sessions", type=int, default=60_000)
    parser.add_argument("--questions", type=int, default=2_000)
    parser.add_argument("--load-sessions", type=int, default=5_000, help="of each load; each has a call")
    parser.add_argument("--idle", action="store_true", help="without loads")
    arguments = parser.parse_args()
    a_load = 0 if arguments.idle else arguments.load_sessions
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(
        target=serve, args=(theirs, arguments.sessions, arguments.questions, a_load)
    )
    process.start()
    print(f"{datetime.now(UTC):%Y-%m-%d}, Python {platform.python_version()}, duckdb {version('duckdb')}", end=", ")
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {arguments.sessions:,} sessions")
    url, static = ours.recv()
    with httpx2.Client() as client:
        body = orjson.dumps({"query": QUERY, "variables": VARIABLES})
        headers = {"Content-Type": "application/json"}
        asked = {
            "routing over HTTP": lambda: client.post(f"{url}/graphql", content=body, headers=headers),
            "static route over HTTP": lambda: client.post(f"{static}/", content=body, headers=headers),
        }
        times = in_turn(asked, arguments.questions)
        answer = asked["routing over HTTP"]().json()["data"]["routing"]
    ours.send("the client is done")
    times |= {"routing in process": ours.recv()}
    loads, computed, took = ours.recv()
    process.join()
    during = f"{loads} loads of {3 * a_load:,} records were stored" if loads else "no load was stored to its end"
    print(f"{during} meanwhile; {computed} snapshots, the median took {took:.0f} ms", end="; ")
    print(f"the last answer was {answer['status']}")
    print(f"{'':24} {'median ms':>10} {'p99 ms':>8} {'worst ms':>9}")
    for name, taken in times.items():
        p99 = statistics.quantiles(taken, n=100)[98]
        print(f"{name:24} {statistics.median(taken):10.2f} {p99:8.2f} {max(taken):9.2f}")


def in_turn(asked: dict[str, Callable[[], object]], count: int) -> dict[str, list[float]]:
    times: dict[str, list[float]] = {name: [] for name in asked}
    for number in range(count + 50):
        for name, ask in asked.items():
            start = time.perf_counter()
            ask()
            if number >= 50:  # the first ones open connections and fill caches
                times[name].append((time.perf_counter() - start) * 1000)
    return times


def serve(pipe: Connection, sessions: int, questions: int, a_load: int) -> None:
    """`a_load`: how many sessions each load has; 0 for no loads."""
    catalog = load_catalog((ROOT / "metrics.yaml").read_text(encoding="utf-8"))
    taken: list[float] = []
    refresh = Routing.refresh

    def timed(self: Routing) -> None:
        start = time.perf_counter()
        refresh(self)
        taken.append((time.perf_counter() - start) * 1000)

    Routing.refresh = timed  # type: ignore[method-assign]  # to know how long it takes
    with Store.open(None, threads=2) as store:
        apply(store, staged(store.stage_directory, 0, sessions))
        engine = engine_of(catalog, store)
        operation = Operation(QUERY, VARIABLES)
        answer = orjson.dumps(engine.answer(operation, Deadline.after(10_000)).body)
        app = create_app(store, catalog, Settings(), now)
        with running(app) as url, running(static_app(answer)) as static, loading(store, sessions, a_load) as loads:
            time.sleep(3)  # until the first snapshot is there
            pipe.send((url, static))
            pipe.recv()
            ask = {"": lambda: orjson.dumps(engine.answer(operation, Deadline.after(10_000)).body)}
            pipe.send(in_turn(ask, questions)[""])
        pipe.send((len(loads), len(taken), statistics.median(taken)))


def engine_of(catalog: object, store: Store) -> Engine:
    routing = Routing(store, Planner(catalog), now)  # type: ignore[arg-type]  # a catalog, which mypy is not told
    routing.refresh()
    limits = AnswerLimits(1_000, 10_000)
    return Engine(build_schema(catalog), catalog, store, now, limits, routing=routing)  # type: ignore[arg-type]


@contextmanager
def loading(store: Store, first: int, a_load: int) -> Iterator[list[int]]:
    """Stores one load after the other for as long as the block runs; gives the list of those that were stored."""
    ending, stored = threading.Event(), list[int]()

    def go_on() -> None:
        with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as apart:
            while a_load and not ending.is_set():
                begin = first + len(stored) * a_load
                apply(store, apart.submit(staged, store.stage_directory, begin, a_load).result())
                stored.append(begin)

    thread = threading.Thread(target=go_on)
    thread.start()
    yield stored
    ending.set()
    thread.join()


def apply(store: Store, directory: Path) -> None:
    with Stage.reopened(directory) as stage:
        store.apply(stage, now=now())


def staged(directory: Path, first: int, sessions: int) -> Path:
    """Each session with a call and an outcome."""
    stage = Stage(source="bench", location="bench", directory=directory)
    for n in range(first, first + sessions):
        started, name, model = datetime.fromtimestamp(1_770_000_000 + n * 60, UTC), f"s{n}", f"model-{n % 4}"
        stage.add(n, Session(session_id=name, source="bench", agent=f"agent-{n % 12}", task_class=f"class-{n % 5}",
                             started_at=started, ended_at=started, termination="success"))  # fmt: skip
        call = Call(request_key=name, source="bench", session_id=name, model=model, started_at=started,
                    uncached_input_tokens=1_000, cache_read_tokens=0, cache_write_5m_tokens=0,
                    cache_write_1h_tokens=0, output_tokens=100)  # fmt: skip
        stage.add(n, PricedRequest(call, Decimal(1 + n % 97) / 1000, "PRICED"))
        stage.add(n, Outcome(outcome_id=name, source="bench", session_id=name, kind="RUN",
                             is_success=n % 7 > n % 4))  # fmt: skip
    stage.close()
    return stage.directory


def static_app(answer: bytes) -> Starlette:
    async def answered(request: Request) -> Response:
        await request.body()
        return Response(answer, media_type="application/json")

    return Starlette(routes=[Route("/", answered, methods=["POST"])])


def now() -> datetime:
    return datetime.now(UTC)


if __name__ == "__main__":
    main()
