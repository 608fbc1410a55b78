"""Three sessions whose numbers can be counted by hand, the engine over them, and the command line over four runs."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import pytest

from loaders.sources import read_sources
from semantic import Caller, Catalog, load_catalog
from server.app import create_app
from server.budgets import Breakers
from server.cli import main
from server.cli.notice import announced
from server.graphql import build_schema
from server.graphql.context import AnswerLimits, Deadline
from server.graphql.engine import Engine, Operation
from server.jobs import Jobs
from server.settings import Settings
from store import CashBalance, Charge, Outcome, PricedRequest, Request, Session, Stage, StagedRecord, Store
from store.ledger import Ledger
from tests.serving import running
from tests.stores import new_store

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
LIMITS = AnswerLimits(rows=1_000, most_rows=10_000)
REPOSITORY = Path(__file__).parents[2]

RUNS = """run,agent,model,kind,cost,ok
1,main,big,fix,0.50,true
2,main,big,fix,0.25,false
3,main,small,fix,,true
4,scout,small,look,0.05,true
"""
MAPPING = """
source: test
session_id: run
agent: agent
model: model
task_class: kind
cost_usd: cost
success: ok
"""

Json = dict[str, Any]


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def call(key: str, session_id: str, model: str, started_at: str, cost: str | None) -> PricedRequest:
    request = Request(
        request_key=key,
        source="test",
        session_id=session_id,
        model=model,
        provider="acme",
        started_at=at(started_at),
        uncached_input_tokens=10,
        cache_read_tokens=0,
        cache_write_5m_tokens=0,
        cache_write_1h_tokens=0,
        output_tokens=5,
    )
    return PricedRequest(request, Decimal(cost) if cost else None, "PRICED" if cost else "UNPRICED")


def session(session_id: str, agent: str | None, trigger: Any, started_at: str, **fields: Any) -> Session:
    started = at(started_at)
    ended = {"ended_at": started.replace(hour=started.hour + 1), "termination": "success"}
    return Session(
        session_id=session_id, source="test", agent=agent, trigger=trigger, started_at=started, **{**ended, **fields}
    )


# main: 1.75 and a success, 0.100000000002 and nothing; scout: one call of unknown cost; nobody: no call, still running.
RECORDS: tuple[StagedRecord, ...] = (
    session("s1", "main", "human", "2026-03-01T10:00"),
    session("s2", "main", "cron", "2026-03-02T10:00"),
    session("s3", "scout", "cron", "2026-03-02T22:30"),
    session("s4", None, None, "2026-03-09T09:00", ended_at=None, termination=None),
    call("r1", "s1", "big", "2026-03-01T10:01", "1.50"),
    call("r2", "s1", "small", "2026-03-01T10:02", "0.25"),
    call("r3", "s2", "big", "2026-03-02T10:01", "0.100000000002"),
    call("r4", "s3", "ghost", "2026-03-02T23:30", None),
    Outcome(outcome_id="o1", source="test", session_id="s1", kind="PR_MERGED", is_success=True),
    CashBalance(account="ops", as_of_on=date(2026, 3, 1), balance_usd=Decimal("1000000"), source="test"),
    Charge(
        charge_id="c1",
        source="test",
        category="people",
        amount_usd=Decimal("90"),
        starts_on=date(2026, 2, 1),
        ends_on=date(2026, 3, 3),
    ),
)


def load_into(store: Store, records: Sequence[StagedRecord], now: datetime = NOW) -> None:
    with Stage(source="test", location="records", directory=store.stage_directory) as stage:
        for item, record in enumerate(records):
            stage.add(item, record)
        store.apply(stage, now=now)


class Api:
    """Asks the engine, and reads its answers as a client would: through JSON."""

    def __init__(
        self,
        catalog: Catalog,
        store: Store,
        limits: AnswerLimits = LIMITS,
        caller: Caller | None = None,
        jobs: Jobs | None = None,
        breakers: Breakers | None = None,
        now: datetime = NOW,
    ) -> None:
        self.store = store
        breakers = breakers or Breakers(store, Ledger.open(None))
        self.engine = Engine(build_schema(catalog, caller), catalog, store, lambda: now, limits, caller, jobs, breakers)

    def ask(self, text: str, variables: Json | None = None, name: str | None = None) -> Json:
        response = self.engine.answer(Operation(text, variables, name), Deadline.after(10_000))
        body: Json = orjson.loads(orjson.dumps(response.body))
        return body

    def data(self, text: str, variables: Json | None = None) -> Json:
        body = self.ask(text, variables)
        assert "errors" not in body, body["errors"]
        return dict(body["data"])

    def rows(self, selection: str, arguments: str = "", variables: Json | None = None) -> list[Json]:
        """The rows of one question such as `agent sessions`, asked as `metrics(arguments)`."""
        parameters = "($where: FilterInput)" if variables else ""
        given = f"({arguments})" if arguments else ""
        return list(
            self.data(f"query{parameters} {{ metrics{given} {{ rows {{ {selection} }} }} }}", variables)["metrics"][
                "rows"
            ]
        )

    def codes(self, text: str, variables: Json | None = None) -> list[str]:
        return [error["extensions"]["code"] for error in self.ask(text, variables)["errors"]]

    def message(self, text: str, variables: Json | None = None) -> str:
        """The message of the only error."""
        (error,) = self.ask(text, variables)["errors"]
        return str(error["message"])


@pytest.fixture(scope="session")
def catalog() -> Catalog:
    return load_catalog((REPOSITORY / "metrics.yaml").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def store() -> Iterator[Store]:
    with new_store() as opened:
        load_into(opened, RECORDS)
        yield opened


@pytest.fixture(scope="session")
def api(catalog: Catalog, store: Store) -> Api:
    return Api(catalog, store)


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str


Run = Callable[..., Ran]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Runs a command in a directory of its own, with a store of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CLAWBACK_STORE", str(tmp_path / "store.duckdb"))
    monkeypatch.setenv("COLUMNS", "200")

    def command(*arguments: str) -> Ran:
        monkeypatch.setattr("sys.argv", ["clawback", *arguments])
        try:
            main()
            code = 0
        except SystemExit as stop:
            code = int(stop.code or 0)
        printed = capsys.readouterr()
        return Ran(code, printed.out, printed.err)

    return command


@pytest.fixture
def loaded(run: Run, tmp_path: Path) -> Run:
    (tmp_path / "runs.csv").write_text(RUNS)
    (tmp_path / "mapping.yaml").write_text(MAPPING)
    assert run("load", "runs", "runs.csv", "--mapping", "mapping.yaml").code == 0
    return run


@contextmanager
def served(path: Path, metrics: Path = REPOSITORY / "metrics.yaml") -> Iterator[str]:
    """A store that a server owns and announces, until the block ends; gives the server's address."""
    catalog = load_catalog(metrics.read_text(encoding="utf-8"))
    settings = Settings()
    with Store.open(path) as store:
        sources = read_sources(settings.sources) if settings.sources else ()
        jobs = Jobs(store, clock, settings.load_timeout_s, sources)
        app = create_app(store, catalog, settings, clock, "one", jobs, "the key")
        with running(app) as url, announced(path, url, "one", "the key"):
            yield url


def clock() -> datetime:
    return datetime.now(UTC)
