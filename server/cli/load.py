"""`clawback load`: read a source, store what is new, and print counts that add up."""

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import click

from loaders import LOADERS, Task
from loaders.item import Ignored, Item, Note, Parsed, Reached, Rejected, WholePart
from loaders.job import run_load
from server.cli.notice import server_of
from server.cli.opening import open_store_to_write
from server.cli.progress import Progress
from server.settings import Settings
from store import LoadReport, Store, StoreBusyError

SHOWN = 10


@click.command("load")
@click.argument("kind", type=click.Choice(list(LOADERS)))
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--mapping", type=click.Path(path_type=Path), help="For runs: a file that says what its columns mean.")
@click.option("--dry-run", is_flag=True, help="Read and count, store nothing.")
def command(kind: str, path: Path, mapping: Path | None, dry_run: bool) -> None:
    """Load a source of KIND from PATH. Loading it again changes nothing.

    \b
    openclaw  a state directory, such as ~/.openclaw
    runs      JSONL, CSV or Parquet with one agent run a line; needs --mapping
    prices    the price book, CSV or YAML
    charges   bills, CSV
    cash      balances of bank accounts, CSV
    outcomes  what sessions achieved, CSV or JSONL
    """
    now = datetime.now(UTC)
    loader = LOADERS[kind]
    options = {} if mapping is None else {"mapping": str(mapping)}
    loader.check_options(options)
    with Progress(loader.size(path) if loader.size else None) as progress:
        items = loader.read(Task(str(path), now, options, on_bytes=progress.advance))
        if dry_run:
            print_counts(count(items), f"{kind} {path} (dry run, nothing stored)")
            return
        with _opened(Settings()) as store:
            report = run_load(store, kind, str(path), items, now=now)
    print_report(report)


def _opened(settings: Settings) -> Store:
    try:
        return open_store_to_write(settings)
    except StoreBusyError as error:
        url = server_of(settings.store)
        if url is None:
            raise
        raise StoreBusyError(
            f"{settings.store} is served at {url}. A load needs the store to itself for now: "
            "stop `clawback serve`, load, start it again"
        ) from error


def count(items: Iterable[Item | Note]) -> dict[str, int]:
    """How many items a loader gives of each kind; the first rejections are shown as they come."""
    counts = {"read": 0, "parsed": 0, "ignored": 0, "rejected": 0}
    for item in items:
        if isinstance(item, WholePart | Reached):
            continue
        counts["read"] += 1
        match item:
            case Parsed():
                counts["parsed"] += 1
            case Ignored():
                counts["ignored"] += 1
            case Rejected(location, reason):
                counts["rejected"] += 1
                if counts["rejected"] <= SHOWN:
                    click.echo(f"rejected {location}: {reason}", err=True)
    return counts


def print_report(report: LoadReport) -> None:
    """The counts of a load, which add up, and the first rejections with their places."""
    for location, reason in report.rejections[:SHOWN]:
        click.echo(f"rejected {location}: {reason}", err=True)
    if report.rejected > SHOWN:
        click.echo(f"... {report.rejected - SHOWN:,} more in the table rejected_rows", err=True)
    counts = {name: getattr(report, name) for name in ("read", "stored", "unchanged", "ignored", "rejected")}
    print_counts(counts, f"{report.source} {report.location}")


def print_counts(counts: dict[str, int], what: str) -> None:
    click.echo(f"{what}: " + "  ".join(f"{name} {number:,}" for name, number in counts.items()))
