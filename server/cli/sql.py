"""`clawback sql`: the SQL that answers a question, to read or to run by hand."""

from datetime import UTC, datetime

import click

from server.answer import compiled
from server.cli.opening import open_catalog
from server.cli.question import question_options, read_question
from server.settings import Settings


@click.command("sql")
@question_options
@click.option("--evidence", is_flag=True, help="With the counts and inputs that stand behind each value.")
@click.option("--parameters", is_flag=True, help="With $parameters instead of the values themselves.")
def command(evidence: bool, parameters: bool, **arguments: object) -> None:
    """Print the SQL that answers a question. It runs in DuckDB as it stands, over the store's facts.

    The statement asks for one row more than --limit, so that a cut answer is known to be cut.
    """
    catalog = open_catalog(Settings())
    question = read_question(catalog, datetime.now(UTC), evidence=evidence, **arguments)  # type: ignore[arg-type]
    _, statement = compiled(catalog, question)
    if not parameters:
        click.echo(statement.with_values() + ";")
        return
    click.echo(statement.sql + ";")
    for name, value in statement.params.items():
        click.echo(f"-- ${name} = {value!r}")
