"""The schema: three root fields, typed by the catalog. What is added to metrics.yaml appears here by itself."""

import strawberry
from strawberry.schema.config import StrawberryConfig

from semantic import Caller, Catalog, CatalogError, Mark, Mistake, visible
from server.graphql.discovery import CatalogInfo, catalog_info
from server.graphql.metrics import metrics_field
from server.graphql.rows import read_field
from server.graphql.scalars import SCALARS
from server.graphql.sources import read_sources
from server.withheld import hidden_names


def build_schema(catalog: Catalog, caller: Caller | None = None) -> strawberry.Schema:
    """What a caller sees. `CatalogError` where that is nothing, or names cannot be told apart in GraphQL."""
    seen = visible(catalog, caller)
    if not seen.metrics:
        raise CatalogError(
            [Mistake(Mark(catalog.file, 1, 1), "there is no metric that the caller's roles open to him")]
        )
    asked = metrics_field(seen)
    declared = catalog_info(seen, hidden_names(catalog, caller))

    def read_catalog() -> CatalogInfo:
        return declared

    @strawberry.type(description="Ask for metrics; what they mean is in the catalog.")
    class Query:
        metrics = asked
        catalog = strawberry.field(
            resolver=read_catalog, description="What can be asked: metrics with their definitions, and dimensions."
        )
        sources = strawberry.field(resolver=read_sources, description="Where the data comes from, and how fresh it is.")

    return strawberry.Schema(Query, config=StrawberryConfig(default_resolver=read_field, scalar_map=SCALARS))
