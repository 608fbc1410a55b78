"""`clawback payload`: what was in one call, for whoever owns the store; by the server where one owns it."""

import sys
from base64 import b64decode
from datetime import UTC, datetime
from typing import Any

import click
import orjson

from server.alerts.words import one_line
from server.cli.exchange import exchange
from server.cli.notice import Server, opened_or_served
from server.cli.opening import open_store
from server.payloads import payload_json
from server.settings import Settings
from store import StoreError

_ODD = (AttributeError, LookupError, TypeError, ValueError)
"""What reading an answer of another shape comes to."""
_SIDES = ("request", "answer")


@click.command("payload")
@click.argument("call")
@click.option("--only", type=click.Choice(_SIDES), help="The bytes of this side alone, as they are.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(call: str, only: str | None, form: str) -> None:
    """Print what was in CALL: its key, another name of it, or what X-Clawback-Call-Id said.

    \b
    clawback payload anthropic:msg_01SyntheticAnswer000001
    clawback payload call:5f1d0c9be0a34d1c8f0e7a21 --only request | jq .messages
    """
    found = _found(Settings(), call)
    if not found:
        raise StoreError(
            f"nothing is kept of '{one_line(call)}': no call has this name, it did not go through `clawback proxy "
            "--store-payloads`, or its days are over"
        )
    try:
        if form == "json":
            click.echo(orjson.dumps({"payloads": found}, option=orjson.OPT_INDENT_2, default=str).decode())
        elif only is not None:
            _print_bytes(found, only)
        else:
            click.echo("\n\n".join(map(_shown, found)))
    except _ODD as error:
        raise StoreError(f"the server that owns the store answers in another form: {type(error).__name__}") from None


def _found(settings: Settings, call: str) -> list[dict[str, Any]]:
    store = opened_or_served(settings.store, lambda: open_store(settings))
    if isinstance(store, Server):
        return _asked(store, call)
    now, days = datetime.now(UTC), settings.payload_days
    with store:
        store.forget_payloads(now=now, days=days)
        return [payload_json(payload) for payload in store.payloads_of(call, now=now, days=days)]


def _asked(server: Server, call: str) -> list[dict[str, Any]]:
    """The answer of the server that owns the store. Raises `StoreError` in its words where it has none."""
    answer = exchange(f"{server.url}/payloads", {"call": call}, key=server.key)
    if isinstance(answer, dict) and isinstance(answer.get("payloads"), list):
        return list(answer["payloads"])
    if isinstance(answer, dict) and "error" in answer:
        raise StoreError(str(answer["error"]))
    raise StoreError(f"the server at {server.url} owns the store and keeps no payloads; is it of another version?")


def _print_bytes(found: list[dict[str, Any]], side: str) -> None:
    """To the standard output what was there, and to the standard error what is missing of it."""
    if len(found) > 1:
        names = ", ".join(f"call:{one_line(str(each['callId']))}" for each in found)
        raise StoreError(f"{len(found)} calls of the proxy have this name; ask for one of {names}")
    part = found[0][side]
    if part is None or part["base64"] is None:
        raise StoreError(f"the call has no {side} that could be read")
    if part["isCut"]:
        click.echo(_length(part), err=True)
    sys.stdout.buffer.write(b64decode(part["base64"]))


def _shown(payload: dict[str, Any]) -> str:
    """For a terminal: nothing that was in the call commands it."""
    names = (("session", "sessionId"), ("agent", "agent"), ("provider", "provider"), ("status", "httpStatus"))
    whose = [f"{label} {one_line(str(payload[name]))}" for label, name in names if payload[name] is not None]
    head = f"call:{one_line(str(payload['callId']))} at {payload['calledAt']}, ended {payload['ended']}"
    lines = [", ".join([head, *whose]), f"kept until {payload['keptUntil']} at the latest"]
    return "\n".join([*lines, *(_side(name, payload[name]) for name in _SIDES)])


def _side(name: str, part: dict[str, Any] | None) -> str:
    if part is None:
        return f"\n--- {name}: there was none"
    kind = one_line(part["contentType"] or "no type")
    if part["base64"] is None:
        return f"\n--- {name} ({kind}): it was packed in a way that the proxy cannot read"
    content = b64decode(part["base64"])
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        is_cut_there = part["isCut"] and error.start >= len(content) - 3
        if not is_cut_there:
            return f"\n--- {name} ({kind}, {_length(part)}): no text; --only {name} writes it"
        text = content[: error.start].decode()
    return f"\n--- {name} ({kind}, {_length(part)})\n{_safe(text)}"


def _length(part: dict[str, Any]) -> str:
    kept = len(b64decode(part["base64"]))
    if not part["isCut"]:
        return f"{kept:,} bytes"
    if part["bytes"] is None:
        return f"CUT: the first {kept:,} bytes of nobody knows how many"
    return f"CUT: the first {kept:,} of {int(part['bytes']):,} bytes"


def _safe(text: str) -> str:
    return "".join(c if c.isprintable() or c in "\n\t" else c.encode("unicode_escape").decode() for c in text)
