"""`clawback check`: a metrics file is right, fits the tables that it reads, and holds what it says about their rows."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import click

from semantic import Catalog, CatalogError, Mistake, QueryError, local_day
from semantic.checks import failures, place_of, question_of, repeated, unique_columns
from server.answer import ask
from server.cli.opening import open_catalog, open_store
from server.cli.question import day_of
from server.columns import check_columns
from server.settings import Settings
from store import QueryError as SqlError
from store import Store, StoreBusyError


def check_rows(catalog: Catalog, store: Store, as_of: date) -> None:
    """Raises `CatalogError` with every key that is not unique and every test that fails."""
    mistakes = [*_repeated_keys(catalog, store), *_failed_tests(catalog, store, as_of)]
    if mistakes:
        raise CatalogError(mistakes)


def _repeated_keys(catalog: Catalog, store: Store) -> Iterator[Mistake]:
    for sql, claims in unique_columns(catalog):
        yield from repeated(claims, store.read(sql).rows)


def _failed_tests(catalog: Catalog, store: Store, as_of: date) -> Iterator[Mistake]:
    for check in catalog.checks:
        try:
            result = ask(catalog, store, question_of(check, catalog, as_of)).result
            expected = store.read(check.matches_sql).rows if check.matches_sql else ()
        except (QueryError, SqlError) as error:
            yield Mistake(place_of(check), f"the test cannot be answered: {error}")
        else:
            yield from failures(check, result, expected)


@click.command("check")
@click.argument("file", required=False, type=click.Path(path_type=Path, dir_okay=False))
@click.option("--as-of", metavar="DAY", help="The day on which the file's tests are asked; default: today.")
def command(file: Path | None, as_of: str | None) -> None:
    """Check a metrics file: every mistake at once, each with file:line:column.

    Where there is a store, its rows are checked, too: that keys are unique, and the tests of the file.
    """
    settings = Settings()
    catalog = open_catalog(settings, file)
    day = day_of(as_of, "--as-of") if as_of else local_day(datetime.now(UTC), catalog.time_zone)
    store, reason = _opened(settings)
    with store:
        check_columns(catalog, store)
        if not reason:
            check_rows(catalog, store, day)
    metrics, dimensions = len(catalog.metrics), len(catalog.dimensions())
    click.echo(
        f"{catalog.file}: {metrics} metrics over {len(catalog.models)} models, {dimensions} dimensions, no mistake"
    )
    if reason:
        click.echo(f"{reason} So only the file was checked, and none of its {len(catalog.checks)} tests")
    else:
        click.echo(f"{settings.store}: keys are unique, {len(catalog.checks)} tests hold")


def _opened(settings: Settings) -> tuple[Store, str]:
    """The store; or an empty one, which has the same tables, and why the rows cannot be checked."""
    if not settings.store.exists():
        return Store.open(None), f"There is no store at {settings.store}."
    try:
        return open_store(settings), ""
    except StoreBusyError as error:
        return Store.open(None), str(error)
