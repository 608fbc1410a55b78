"""`clawback query`: ask for metrics and print the rows."""

from datetime import UTC, datetime

import click

from semantic import Caller, Catalog, MetricQuery, Result
from server.answer import ask
from server.cli.asker import asker_of, asker_options, key_for
from server.cli.notice import server_of
from server.cli.opening import open_catalog, open_store
from server.cli.output import as_csv, as_json, print_table
from server.cli.question import question_options, read_question
from server.cli.remote import ask_server
from server.settings import Settings
from store import QueryError, StoreBusyError, StoreError


@click.command("query")
@question_options
@asker_options
@click.option("--format", "form", type=click.Choice(["table", "json", "csv"]), default="table", show_default=True)
def command(form: str, roles: tuple[str, ...], claims: tuple[str, ...], **arguments: object) -> None:
    """Ask for metrics and print the rows.

    \b
    clawback query cost_per_session roi --by model
    clawback query inference_cost --grain day --last '30 days' --where "trigger = 'cron'"
    """
    settings = Settings()
    catalog = open_catalog(settings)
    question = read_question(catalog, datetime.now(UTC), evidence=True, **arguments)  # type: ignore[arg-type]
    asker = asker_of(settings, roles, claims)
    result = _answered(settings, catalog, question, asker, is_named=bool(roles or claims))
    match form:
        case "json":
            click.echo(as_json(result))
        case "csv":
            click.echo(as_csv(result, question))
        case _:
            print_table(result, catalog, question)


def _answered(
    settings: Settings, catalog: Catalog, question: MetricQuery, asker: Caller | None, *, is_named: bool
) -> Result:
    """From the store itself, or from the server that owns it, which answers whoever its own settings name."""
    try:
        with open_store(settings) as store:
            return ask(catalog, store, question, caller=asker, timeout_ms=settings.query_timeout_ms).result
    except QueryError as error:
        raise StoreError(
            f"{error}. Does the metrics file fit the store? `clawback check {catalog.file}` tells"
        ) from error
    except StoreBusyError as error:
        server = server_of(settings.store)
        if server is None:
            raise
        if is_named:
            raise StoreError(
                f"{settings.store} is served at {server.url}, which answers everybody as its own settings say; "
                "leave out --role and --claim, or stop that server"
            ) from error
        caller = asker if settings.token is not None else None
        return ask_server(server.url, catalog, question, caller, key_for(settings, server))
