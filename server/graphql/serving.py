"""What the endpoint works with, made from the settings: lanes, limits and documents."""

from typing import Any

from semantic import Catalog
from server.access import Identify
from server.graphql.allowance import Allowance
from server.graphql.documents import prepared
from server.graphql.engines import Engines
from server.graphql.http import Serving
from server.graphql.lanes import Lane
from server.graphql.persisted import Documents, read_documents
from server.graphql.rate import RateLimit
from server.graphql.schema import build_schema
from server.limit_settings import LimitSettings
from server.settings import Settings
from server.telemetry.meters import Meters

CALLERS_RATE = 200_000
BURST_S = 10


def serving(
    settings: Settings, catalog: Catalog, engines: Engines, identify: Identify, meters: Meters | None = None
) -> Serving:
    """`ManifestError` where a document of the manifest cannot be served."""
    return Serving(
        engines,
        identify,
        allowance_of(settings),
        memory=Lane("memory", settings.memory_threads, settings.max_waiting, meters),
        store=Lane("question", settings.threads, settings.max_waiting, meters),
        timeout_ms=settings.query_timeout_ms,
        body_timeout_s=settings.body_timeout_ms / 1000,
        documents=documents_of(settings, catalog),
        reading=Lane("document", 1, settings.max_waiting, meters),
    )


def allowance_of(settings: LimitSettings) -> Allowance:
    per_s = CALLERS_RATE if settings.rate_per_s is None else settings.rate_per_s
    rate = RateLimit(per_s, settings.rate_burst or per_s * BURST_S) if per_s else None
    return Allowance(settings.max_cost, rate, limits_operator=settings.rate_per_s is not None)


def documents_of(settings: LimitSettings, catalog: Catalog) -> Documents:
    """Each is valid for the operator. A caller whose roles hide a field of one is told so when he asks it."""
    if settings.documents is None:
        return Documents()
    schema = build_schema(catalog)._schema

    def mistakes(text: str) -> list[dict[str, Any]]:
        document = prepared(schema, text)
        return document if isinstance(document, list) else []

    return Documents(read_documents(settings.documents, mistakes), settings.documents_only)
