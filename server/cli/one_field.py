"""One field of GraphQL for a command: asked of the store itself, or of the server that owns it."""

from datetime import UTC, datetime
from typing import Any

import orjson

from semantic import Catalog, QueryError
from server.cli.asker import asker_of, key_for
from server.cli.exchange import exchange
from server.cli.notice import server_of
from server.cli.opening import open_store
from server.graphql.context import AnswerLimits, Deadline
from server.graphql.engine import Engine, Operation
from server.graphql.schema import build_schema
from server.settings import Settings
from store import StoreBusyError, StoreError


def ask_field(
    settings: Settings, catalog: Catalog, field: str, document: str, variables: dict[str, Any]
) -> dict[str, Any]:
    """What the field answers, with money as text. What is refused is raised as `QueryError`, in its own words."""
    try:
        with open_store(settings) as store:
            caller = asker_of(settings, (), ())
            limits = AnswerLimits(
                settings.default_rows, settings.max_rows, cash_max_age_days=settings.cash_max_age_days
            )
            engine = Engine(build_schema(catalog, caller), catalog, store, lambda: datetime.now(UTC), limits, caller)
            deadline = Deadline.after(settings.query_timeout_ms)
            return _found(engine.answer(Operation(document, variables), deadline).body, field)
    except StoreBusyError:
        server = server_of(settings.store)
        if server is None:
            raise
        answer = exchange(
            f"{server.url}/graphql", {"query": document, "variables": variables}, key=key_for(settings, server)
        )
        if not isinstance(answer, dict):
            raise StoreError(f"the server at {server.url} owns the store and answers in another form") from None
        # What comes over HTTP has its shares as exact decimals; here they are the floats that the store itself gives.
        return _found(orjson.loads(orjson.dumps(answer, default=float)), field)


def _found(answer: dict[str, Any], field: str) -> dict[str, Any]:
    if answer.get("errors"):
        first = answer["errors"][0]
        raise QueryError(first.get("extensions", {}).get("code", "REFUSED"), str(first["message"]))
    found: dict[str, Any] = orjson.loads(orjson.dumps(answer["data"][field], default=str))
    return found
