"""`clawback query`: ask for metrics and print the rows."""

from datetime import UTC, datetime

import click

from server.answer import ask
from server.cli.opening import open_catalog, open_store
from server.cli.output import as_csv, as_json, print_table
from server.cli.question import question_options, read_question
from server.settings import Settings


@click.command("query")
@question_options
@click.option("--format", "form", type=click.Choice(["table", "json", "csv"]), default="table", show_default=True)
def command(form: str, **arguments: object) -> None:
    """Ask for metrics and print the rows.

    \b
    clawback query cost_per_session roi --by model
    clawback query inference_cost --grain day --since 2026-03-01 --where "trigger = 'cron'"
    """
    settings = Settings()
    catalog = open_catalog(settings)
    question = read_question(catalog, datetime.now(UTC), evidence=True, **arguments)  # type: ignore[arg-type]
    with open_store(settings) as store:
        answer = ask(catalog, store, question, timeout_ms=settings.query_timeout_ms)
    match form:
        case "json":
            click.echo(as_json(answer.result))
        case "csv":
            click.echo(as_csv(answer.result, question.metrics))
        case _:
            print_table(answer.result, catalog, question.metrics)
