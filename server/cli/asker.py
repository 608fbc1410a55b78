"""As whom the command line asks: --role and --claim, else the caller that the settings state, else the operator."""

import json
from collections.abc import Callable
from decimal import Decimal

import click

from semantic import Caller
from server.settings import Claim, Settings

Command = Callable[..., None]


def asker_options(command: Command) -> Command:
    """Adds --role and --claim to a command."""
    role = click.option("--role", "roles", multiple=True, metavar="ROLE", help="Ask as somebody with this role.")
    claim = click.option(
        "--claim",
        "claims",
        multiple=True,
        metavar="NAME=VALUE",
        help="Ask as somebody of whom this is known; VALUE is a JSON number, true, false or a list, else text.",
    )
    return role(claim(command))


def asker_of(settings: Settings, roles: tuple[str, ...], claims: tuple[str, ...]) -> Caller | None:
    """Whoever the options name; where they name nobody, whoever the settings name."""
    if not roles and not claims:
        return settings.caller
    return Caller(frozenset(roles), dict(_claim(text) for text in claims))


def _claim(text: str) -> tuple[str, Claim | tuple[Claim, ...]]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise click.BadParameter(f"'{text}' is not NAME=VALUE, such as team=search", param_hint="--claim")
    try:
        read = json.loads(value, parse_float=Decimal)
    except ValueError:
        return name, value
    values = read if isinstance(read, list) else [read]
    if not all(isinstance(v, Claim) for v in values):
        raise click.BadParameter(f"'{value}' is neither text, a number, true, false nor a list", param_hint="--claim")
    return name, tuple(values) if isinstance(read, list) else read
