"""`clawback load`: read a source, store what is new, and print counts that add up."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from loaders import LoadError, Task
from loaders.item import Ignored, Item, Note, Parsed, Reached, Rejected, WholePart
from loaders.job import run_load
from loaders.kinds import LOADERS
from loaders.schedule import gap, is_due
from loaders.sources import Source, read_sources, source_of
from server.cli.failures import TOLD, message_of
from server.cli.notice import Server, opened_or_served
from server.cli.opening import open_store_to_write
from server.cli.price_preview import print_impact
from server.cli.progress import Progress
from server.cli.served_load import load_at
from server.cli.time_limit import at_most
from server.settings import Settings
from store import LoadReport, Store

SHOWN = 10
PRICES = "prices"
DRY_RUN = "dry run, nothing stored"
COUNTS = ("read", "stored", "unchanged", "ignored", "rejected")


def _kinds() -> str:
    width = max(map(len, LOADERS)) + 2
    return "\n".join(f"    {name:<{width}}{loader.reads}" for name, loader in LOADERS.items())


@click.command(
    "load",
    help="Load a source of KIND from LOCATION. Loading it again changes nothing.\n\n\b\n"
    + _kinds().replace("\n    ", "\n").strip()
    + "\n\n`clawback load all` loads every source of the file that CLAWBACK_SOURCES names, `clawback load NAME` one of "
    "them, `clawback load --due` those whose schedule says so.",
)
@click.argument("kind", required=False, metavar="[KIND|NAME|all]")
@click.argument("location", required=False)
@click.option("--mapping", type=click.Path(path_type=Path), help="For runs: a file that says what its columns mean.")
@click.option("--option", "pairs", multiple=True, metavar="NAME=VALUE", help="An option of the loader.")
@click.option("--due", is_flag=True, help="Load the sources that are due by their schedule.")
@click.option(
    "--dry-run", is_flag=True, help="Read and count, store nothing; for prices, say what would cost otherwise."
)
def command(
    kind: str | None, location: str | None, mapping: Path | None, pairs: tuple[str, ...], due: bool, dry_run: bool
) -> None:
    settings = Settings()
    wishes = _wishes(settings, kind, location, _options(mapping, pairs), is_due_only=due)
    if dry_run:
        for wish in wishes:
            _try(settings, wish)
        return
    failures = _load(settings, wishes, due)
    if failures:
        raise LoadError(f"{len(failures)} of {len(wishes)} loads failed")


@dataclass(frozen=True, slots=True)
class Wish:
    """A source that is to be loaded, and whether the file of sources names it."""

    source: Source
    is_named: bool = False
    token: str | None = None


def _wishes(
    settings: Settings, kind: str | None, location: str | None, options: Mapping[str, str], *, is_due_only: bool
) -> list[Wish]:
    if is_due_only or (kind is not None and location is None):
        if options or (is_due_only and kind is not None):
            raise click.UsageError("sources of the file have their options there; name nothing beside --due")
        named = _named(settings)
        if is_due_only or kind == "all":
            return [Wish(source, is_named=True) for source in named.values()]
        if kind in named:
            return [Wish(named[str(kind)], is_named=True)]
        if kind in LOADERS:
            raise click.UsageError(f"say where it is: clawback load {kind} LOCATION ({LOADERS[kind].reads})")
        raise click.UsageError(f"there is no source '{kind}'; the file of sources has {', '.join(named) or 'none'}")
    if kind is None or location is None:
        raise click.UsageError("give a kind and a location, such as `clawback load openclaw ~/.openclaw`")
    if kind not in LOADERS:
        raise click.UsageError(f"there is no loader '{kind}'; there are {', '.join(LOADERS)}")
    return [Wish(source_of(kind, location, options), token=_token(settings, kind))]


def _token(settings: Settings, kind: str) -> str | None:
    """For an API; files need none."""
    secret = settings.github_token if kind == "github" else settings.load_token
    return secret.get_secret_value() if secret is not None and not LOADERS[kind].is_path else None


def _named(settings: Settings) -> dict[str, Source]:
    if settings.sources is None:
        raise LoadError(
            "no file names sources: write sources.yaml, or set CLAWBACK_SOURCES (docs/loaders.md shows one)"
        )
    return {source.name: source for source in read_sources(settings.sources)}


def _options(mapping: Path | None, pairs: tuple[str, ...]) -> dict[str, str]:
    options = {} if mapping is None else {"mapping": str(mapping)}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals:
            raise click.BadParameter(f"'{pair}' is not NAME=VALUE", param_hint="--option")
        options[name] = value
    return options


def _load(settings: Settings, wishes: list[Wish], is_due_only: bool) -> list[str]:
    """What went wrong, a message for each load that failed. Loads go on where one fails."""
    store = opened_or_served(settings.store, lambda: open_store_to_write(settings))
    if isinstance(store, Server):
        return _each(wishes, lambda wish: _ask(store, wish, is_due_only))
    with store:
        return _each(wishes, lambda wish: _load_here(store, wish, is_due_only, settings.load_timeout_s))


def _each(wishes: list[Wish], load: Callable[[Wish], None]) -> list[str]:
    failures = []
    for wish in wishes:
        try:
            load(wish)
        except TOLD as error:
            if len(wishes) == 1:
                raise
            failures.append(f"{wish.source.name}: {message_of(error)}")
            click.echo(f"error: {failures[-1]}", err=True)
    return failures


def _load_here(store: Store, wish: Wish, is_due_only: bool, timeout_s: float) -> None:
    source, now = wish.source, datetime.now(UTC)
    kind, location = source.loader.name, source.location
    began_at, has_failed = store.last_attempts().get((kind, location), (None, False))
    if is_due_only and not is_due(source.schedule, source.zone, began_at, now, has_failed=has_failed):
        return
    last = store.newest_stored(kind, location)
    try:
        with _progress(source) as progress, at_most(timeout_s, f"{kind} {location}"):
            task = _task(wish, now, store.last_cursor(kind, location), progress.advance)
            report = run_load(store, kind, location, source.loader.read(task), now=now)
    except TOLD as error:
        if wish.is_named or began_at is not None:
            store.note_failure(kind, location, message_of(error), now=now, began_at=now)
        raise
    print_report(report)
    if last is not None and source.keeps is not None:
        _warn_of_a_gap(source, last.started_at or last.applied_at, now, source.keeps)


def _warn_of_a_gap(source: Source, before: datetime, now: datetime, keeps: timedelta) -> None:
    if lost := gap(before, now, keeps):
        click.echo(
            f"warning: {source.loader.name} {source.location} keeps what happens for {keeps}, and was not loaded for "
            f"longer: what happened from {lost.since:%Y-%m-%d %H:%M} to {lost.until:%Y-%m-%d %H:%M} UTC may be lost",
            err=True,
        )


def _ask(server: Server, wish: Wish, is_due_only: bool) -> None:
    report = load_at(server, wish.source, wish.token, is_named=wish.is_named, is_due_only=is_due_only)
    if report is not None:
        print_report(report)


def _try(settings: Settings, wish: Wish) -> None:
    source = wish.source
    with _progress(source) as progress:
        items = source.loader.read(_task(wish, datetime.now(UTC), None, progress.advance))
        lines = list(items) if source.loader.name == PRICES else None  # a price book is small, and is read twice here
        print_counts(count(items if lines is None else lines), f"{source.loader.name} {source.location} ({DRY_RUN})")
    if lines is not None:
        print_impact(settings, source.location, lines)


def _task(wish: Wish, now: datetime, cursor: str | None, on_bytes: Callable[[int], None]) -> Task:
    source = wish.source
    token = wish.token or source.token()
    return Task(source.location, now, source.options, cursor, token, source.repull, on_bytes)


def _progress(source: Source) -> Progress:
    size = source.loader.size
    return Progress(size(Path(source.location)) if size else None, source.name)


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
                    click.echo(printable(f"rejected {location}: {reason}"), err=True)
    return counts


def print_report(report: LoadReport) -> None:
    """The counts of a load, which add up, and the first rejections with their places."""
    for location, reason in report.rejections[:SHOWN]:
        click.echo(printable(f"rejected {location}: {reason}"), err=True)
    if report.rejected > SHOWN:
        click.echo(f"... {report.rejected - SHOWN:,} more in the table rejected_rows", err=True)
    if report.left_behind:
        click.echo(
            f"{report.left_behind:,} stored rows of the same days are not in this load and still count; where it was "
            "whole, --option whole=periods removes them",
            err=True,
        )
    for warning in report.warnings[:SHOWN]:
        click.echo(printable(f"warning: {warning}"), err=True)
    if len(report.warnings) > SHOWN:
        click.echo(f"... {len(report.warnings) - SHOWN:,} more; the GraphQL field priceBook lists them", err=True)
    if report.conflicts:
        click.echo(f"{report.conflicts:,} records contradict another of the same request: table conflicts", err=True)
    counts = {name: getattr(report, name) for name in COUNTS} | ({"removed": report.removed} if report.removed else {})
    print_counts(counts, f"{report.source} {report.location}")


def printable(text: str) -> str:
    """Without what would command a terminal: file names may hold anything."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def print_counts(counts: dict[str, int], what: str) -> None:
    click.echo(printable(f"{what}: ") + "  ".join(f"{name} {number:,}" for name, number in counts.items()))
