"""`clawback sql`: the SQL that answers a question, to read or to run by hand."""

from datetime import UTC, datetime

import click

from semantic.dialects import RUN_IN_TESTS, Dialect, render
from semantic.planner import Planner
from server.answer import compiled
from server.cli.asker import asker_of, asker_options
from server.cli.opening import open_catalog
from server.cli.question import question_options, read_question
from server.settings import Settings
from server.withheld import check_may_be_told


@click.command("sql")
@question_options
@asker_options
@click.option("--evidence", is_flag=True, help="With the counts and inputs that stand behind each value.")
@click.option(
    "--dialect",
    type=click.Choice([d.value for d in Dialect]),
    default=Dialect.DUCKDB.value,
    show_default=True,
    help="The database that is to run it.",
)
@click.option("--parameters", is_flag=True, help="With $parameters instead of the values themselves.")
def command(
    evidence: bool,
    dialect: str,
    parameters: bool,
    roles: tuple[str, ...],
    claims: tuple[str, ...],
    **arguments: object,
) -> None:
    """Print the SQL that answers a question, over the store's facts. In DuckDB's words it runs as it stands.

    The statement asks for one row more than --limit, so that a cut answer is known to be cut.
    """
    if parameters and dialect != Dialect.DUCKDB:
        raise click.UsageError("--parameters shows the statement that runs in DuckDB; ask for it without --dialect")
    settings = Settings()
    catalog = open_catalog(settings)
    question = read_question(catalog, datetime.now(UTC), evidence=evidence, **arguments)  # type: ignore[arg-type]
    asker = asker_of(settings, roles, claims)
    _, statement = compiled(Planner(catalog), question, asker)
    check_may_be_told(statement.sql, catalog, asker)
    if not parameters:
        if dialect not in RUN_IN_TESTS:
            click.echo(f"-- The tests of Clawback do not run {dialect}; docs/engines.md says what that leaves open.")
        click.echo(render(statement, Dialect(dialect)) + ";")
        return
    click.echo(statement.sql + ";")
    for name, value in statement.params.items():
        click.echo(f"-- ${name} = {value!r}")
