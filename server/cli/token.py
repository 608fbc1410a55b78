"""`clawback token`: who may ask. Works while the server runs, which sees a change within a second."""

import csv
import io
import re
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from pathlib import Path

import click
import orjson
from rich.console import Console
from rich.table import Table

from server.access.audit import Audit
from server.access.bearer import digest_of, new_token
from server.access.principal import known_roles
from server.cli.asker import claims_of
from server.cli.opening import open_catalog
from server.settings import Settings
from store.tokens import KeptToken, NewToken, Tokens

_NAME = re.compile(r"[\w.@+-]{1,64}")
_AGE = re.compile(r"([1-9]\d{0,4})(h|d|w|y)")
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1), "y": timedelta(days=365)}
COLUMNS = ("id", "name", "roles", "state", "created", "expires", "last_used", "claims")


@click.group("token")
def command() -> None:
    """Who may ask the server. The first token closes it to whoever shows none."""


@command.command("create")
@click.argument("name")
@click.option("--role", "roles", multiple=True, required=True, metavar="ROLE", help="What it may see; may be repeated.")
@click.option("--claim", "claims", multiple=True, metavar="NAME=VALUE", help="What row policies compare with.")
@click.option("--expires", metavar="AGE", help="When it ends: 12h, 90d, 4w or 1y; never, where nothing is said.")
def create(name: str, roles: tuple[str, ...], claims: tuple[str, ...], expires: str | None) -> None:
    """Make a token and print it, this once. NAME is whose it is; docs/access.md has the roles.

    \b
    clawback token create router --role router --expires 90d > router.token
    """
    settings, now = Settings(), datetime.now(UTC)
    if not _NAME.fullmatch(name):
        raise click.BadParameter(f"'{name}' is not a name: up to 64 letters, digits and . @ + - _", param_hint="NAME")
    _check_roles(roles, known_roles(open_catalog(settings)))
    token = new_token()
    made = NewToken(
        token_id=secrets.token_hex(4),
        name=name,
        digest=digest_of(token),
        roles=frozenset(roles),
        claims=claims_of(claims),
        created_at=now,
        expires_at=None if expires is None else now + _age(expires),
    )
    with _tokens(settings) as tokens, _audited(settings) as audit:
        is_first = not tokens.all()
        tokens.add(made)
        if audit is not None:
            audit.happened("token created", "operator", token=made.token_id, name=name, roles=sorted(roles))
    click.echo(token)
    ends = "never ends" if made.expires_at is None else f"ends at {made.expires_at:%Y-%m-%d %H:%M} UTC"
    click.echo(
        f"Token {made.token_id} of {name} {ends}. Keep it: it is shown this once, and only its hash is.", err=True
    )
    if is_first:
        click.echo("It is the first one: from now on the server lets in nobody without a token.", err=True)


@command.command("list")
@click.option("--format", "form", type=click.Choice(["table", "json", "csv"]), default="table", show_default=True)
def show(form: str) -> None:
    """Every token that was given out, and whether it still opens anything. Never the token itself."""
    now = datetime.now(UTC)
    with _tokens(Settings()) as tokens:
        rows = [_row(token, now) for token in tokens.all()]
    match form:
        case "json":
            click.echo(orjson.dumps(rows, option=orjson.OPT_INDENT_2).decode())
        case "csv":
            click.echo(_csv(rows), nl=False)
        case _:
            table = Table(*COLUMNS)
            for row in rows:
                table.add_row(*(_cell(row[name]) for name in COLUMNS))
            Console(width=None if sys.stdout.isatty() else 200).print(table)


@command.command("revoke")
@click.argument("token_id", metavar="ID")
def revoke(token_id: str) -> None:
    """End a token now. A running server lets it in no more within a second."""
    settings = Settings()
    with _tokens(settings) as tokens, _audited(settings) as audit:
        if not tokens.revoke(token_id, datetime.now(UTC)):
            raise click.ClickException(f"there is no token '{token_id}'; `clawback token list` shows their ids")
        if audit is not None:
            audit.happened("token revoked", "operator", token=token_id)
    click.echo(f"Token {token_id} is revoked.", err=True)


def _check_roles(roles: tuple[str, ...], known: frozenset[str]) -> None:
    for role in roles:
        if role not in known:
            close = get_close_matches(role, known, 1)
            hint = f"did you mean '{close[0]}'?" if close else f"there are {', '.join(sorted(known))}"
            raise click.BadParameter(f"there is no role '{role}'; {hint}", param_hint="--role")


def _age(text: str) -> timedelta:
    found = _AGE.fullmatch(text)
    if found is None:
        raise click.BadParameter(f"'{text}' is not an age such as 12h, 90d, 4w or 1y", param_hint="--expires")
    age = int(found[1]) * _UNITS[found[2]]
    if age > timedelta(days=36_500):
        raise click.BadParameter(f"'{text}' is more than a century; leave it out for never", param_hint="--expires")
    return age


def _tokens(settings: Settings) -> Tokens:
    return Tokens.beside(settings.store)


@contextmanager
def _audited(settings: Settings) -> Iterator[Audit | None]:
    path: Path | None = settings.audit_file(settings.store)
    audit = None if path is None else Audit(path, most_mb=0)  # the server turns the file over
    yield audit
    if audit is not None:
        audit.write_now()


def _row(token: KeptToken, now: datetime) -> dict[str, object]:
    is_over = token.expires_at is not None and token.expires_at <= now
    return {
        "id": token.token_id,
        "name": token.name,
        "roles": sorted(token.roles),
        "state": "revoked" if token.revoked_at else "expired" if is_over else "valid",
        "created": _instant(token.created_at),
        "expires": _instant(token.expires_at),
        "last_used": _instant(token.last_used_at),
        "claims": {name: _claim(value) for name, value in token.claims.items()},
    }


def _instant(at: datetime | None) -> str | None:
    return None if at is None else f"{at:%Y-%m-%dT%H:%M:%SZ}"


def _claim(value: object) -> object:
    if isinstance(value, tuple):
        return [_claim(item) for item in value]
    return value if isinstance(value, str | int) else str(value)


def _csv(rows: list[dict[str, object]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows([_cell(row[name]) for name in COLUMNS] for row in rows)
    return out.getvalue()


def _cell(value: object) -> str:
    if isinstance(value, dict):
        return orjson.dumps(value).decode() if value else ""
    return " ".join(value) if isinstance(value, list) else "" if value is None else str(value)
