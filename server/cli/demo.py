"""`clawback demo`: an example company in real formats, through the real loaders, printed and served."""

import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import click

from loaders import Task
from loaders.job import run_load
from loaders.kinds import LOADERS
from semantic import Catalog, MetricQuery, Order
from server.answer import ask
from server.cli.load import print_report
from server.cli.opening import open_catalog, open_store_to_write
from server.cli.output import print_table
from server.cli.progress import Progress
from server.cli.serve import serve, with_port
from server.demo import DemoHome, write_home
from server.settings import Settings
from store import Store

MARKER = "written-by-clawback-demo"
STORE = "clawback.duckdb"


@click.command("demo")
@click.option("--home", type=click.Path(path_type=Path), default=Path("demo-home"), show_default=True, help="Where to.")
@click.option("--once", is_flag=True, help="Stop after printing instead of serving.")
@click.option("--last-day", metavar="DAY", help="The last of the 60 days; default: yesterday.")
@click.option("--port", type=click.IntRange(0, 65535), help="The port to serve on; default: CLAWBACK_PORT or 8321.")
def command(home: Path, once: bool, last_day: str | None, port: int | None) -> None:
    """Write 60 days of an example company, load them, print what they cost and serve the answers."""
    last = date.fromisoformat(last_day) if last_day else datetime.now(UTC).date() - timedelta(days=1)
    now = datetime.combine(last + timedelta(days=1), datetime.min.time(), UTC)
    _make_room(home)
    written = write_home(home, last_day=last)
    (home / MARKER).touch()
    settings = Settings().model_copy(update={"store": home / STORE, **with_port(port)})
    catalog = open_catalog(settings)
    with open_store_to_write(settings, catalog) as store:
        load_home(store, written, now)
        print_headlines(store, catalog, now.date())
        if not once:
            serve(store, catalog, settings)


def _make_room(home: Path) -> None:
    """An earlier demo is replaced; anything else in the way is left alone."""
    if not home.exists():
        return
    if not (home / MARKER).exists() and any(home.iterdir()):
        raise FileExistsError(f"{home} is not an earlier demo; name another place with --home")
    if (home / STORE).exists():
        with Store.open(home / STORE):  # a server that still serves it is told, not robbed of its file
            pass
    shutil.rmtree(home)


def load_home(store: Store, home: DemoHome, now: datetime) -> None:
    """Loads everything in the order in which a team would: prices first, then usage, then money and outcomes."""
    sources = {
        "prices": home.prices_csv,
        "openclaw": home.openclaw,
        "outcomes": home.outcomes_csv,
        "charges": home.charges_csv,
        "cash": home.cash_csv,
    }
    for kind, path in sources.items():
        loader = LOADERS[kind]
        with Progress(loader.size(path) if loader.size else None, kind) as progress:
            items = loader.read(Task(str(path), now, on_bytes=progress.advance))
            report = run_load(store, kind, str(path), items, now=now)
        print_report(report)


class Headline(NamedTuple):
    title: str
    metrics: tuple[str, ...]
    by: tuple[str, ...]


HEADLINES = (
    Headline(
        "What does a session cost?",
        ("sessions", "cost_per_session", "median_session_cost", "p95_session_cost"),
        ("model",),
    ),
    Headline(
        "What is wasted?",
        ("idle_waste_cost", "sessions", "idle_waste_rate", "failure_rate"),
        ("agent", "trigger"),
    ),
    Headline(
        "What comes of it?",
        ("decided_tasks", "task_success_rate", "cost_per_success", "roi", "cost_per_productive_session"),
        ("agent", "model"),
    ),
    Headline(
        "How long does the money last?", ("burn_rate", "cash", "cash_known_on", "runway_months", "depletion_date"), ()
    ),
)


def print_headlines(store: Store, catalog: Catalog, today: date) -> None:
    """The four tables that a newcomer reads first, each in the order of its first metric."""
    for title, metrics, by in HEADLINES:
        question = MetricQuery(
            metrics=metrics, by=by, as_of=today, order_by=(Order(metrics[0], "desc"),), limit=12, evidence=True
        )
        with store.snapshot() as reader:
            answer = ask(catalog, reader, question)
        click.echo()
        print_table(answer.result, catalog, question, title)
