"""As whom the command line asks: --role and --claim, else CLAWBACK_TOKEN, else whom the settings name."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal

import click

from semantic import Caller
from server.access.gate import NOT_VALID
from server.access.given import GivenTokens
from server.access.principal import Principal
from server.cli.notice import Server
from server.settings import Claim, Settings
from store import StoreError
from store.tokens import Tokens

Command = Callable[..., None]
NAME = re.compile(r"\w{1,64}")


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
    """Whoever the options name; where they name nobody, whose the token of the settings is, else whoever they name.

    `StoreError` for a token that opens nothing.
    """
    if settings.token is None:
        return Principal.of("", roles, claims_of(claims)).caller if roles or claims else settings.caller
    if roles or claims:
        raise click.UsageError("CLAWBACK_TOKEN says who asks; leave out --role and --claim, or unset it")
    with Tokens.beside(settings.store) as tokens:
        principal = GivenTokens(tokens, lambda: datetime.now(UTC)).principal(settings.token.get_secret_value())
    if principal is None:
        raise StoreError(f"CLAWBACK_TOKEN: {NOT_VALID}")
    return principal.caller


def key_for(settings: Settings, server: Server) -> str:
    """What a server that owns the store is shown: the token of the settings, else the operator's key.

    Where the settings name another caller than the operator, nothing: the server answers as its own settings say.
    """
    if settings.token is not None:
        return settings.token.get_secret_value()
    return server.key if settings.caller is None else ""


def claims_of(texts: tuple[str, ...]) -> dict[str, Claim | tuple[Claim, ...]]:
    """The claims that options state as NAME=VALUE."""
    return dict(_claim(text) for text in texts)


def _claim(text: str) -> tuple[str, Claim | tuple[Claim, ...]]:
    name, equals, value = text.partition("=")
    if not NAME.fullmatch(name) or not equals:
        raise click.BadParameter(f"'{text}' is not NAME=VALUE, such as team=search", param_hint="--claim")
    try:
        read = json.loads(value, parse_float=Decimal)
    except ValueError:
        return name, value
    values = read if isinstance(read, list) else [read]
    if not all(isinstance(v, Claim) for v in values):
        raise click.BadParameter(f"'{value}' is neither text, a number, true, false nor a list", param_hint="--claim")
    return name, tuple(values) if isinstance(read, list) else read
