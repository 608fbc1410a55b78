"""The command line: one module a command, imported only when that command runs, so that `--help` is quick."""

import sys
from importlib import import_module

import click

from server.cli.failures import TOLD, message_of

COMMANDS = {
    "demo": "An example company: 60 days of agents, loaded, printed and served.",
    "load": "Load a source, or all that sources.yaml names.",
    "serve": "Serve GraphQL, GraphiQL and the catalog on this machine.",
    "proxy": "Stand between clients and providers, and record whose calls go through.",
    "query": "Ask for metrics and print the rows.",
    "runway": "How long the cash lasts, and what it would be with other inputs.",
    "reconcile": "What calls cost beside the bills of their providers, with the causes of each difference.",
    "untagged": "Calls that no known session made, and what to do about them.",
    "sql": "Print the SQL that answers a question.",
    "explain": "Say where the numbers of a question come from.",
    "payload": "Show what was in a call, where the proxy was told to keep that.",
    "token": "Make, list and revoke the tokens of those who may ask the server.",
    "budget": "Show where budgets stand, or look once and act on it.",
    "check": "Check a metrics file, also against the store's tables.",
    "schema": "Print the GraphQL schema, the catalog as a page, or the JSON Schema of a metrics file.",
    "import": "Turn metrics of another tool into a metrics file: metricflow.",
    "export": "Write the catalog in a format that other tools read: ossie.",
}
MODULES = {"import": "importing"}
"""Where the name of a command is a word that Python keeps for itself."""


class Commands(click.Group):
    """Knows every command by name and one line; loads the module of the one that runs."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"server.cli.{MODULES.get(cmd_name, cmd_name)}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="clawback", prog_name="clawback")
def clawback() -> None:
    """What AI agents cost and what came of it.

    Start with `clawback demo`, or load your own: `clawback load openclaw ~/.openclaw`, then
    `clawback query cost_per_session --by model`.
    """


def main() -> None:
    """Exit code 0 only on success; what a user can mend is told in one line, without a traceback."""
    try:
        clawback.main(standalone_mode=False)
    except click.exceptions.Abort:
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except BrokenPipeError:
        sys.exit(1)
    except TOLD as error:
        click.echo(f"error: {message_of(error)}", err=True)
        sys.exit(1)
