"""The schema, typed by the catalog. What is added to metrics.yaml appears here by itself."""

from copy import copy
from typing import Any

import strawberry
from strawberry.schema.config import StrawberryConfig

from semantic import Caller, Catalog, CatalogError, Mark, Mistake, visible
from server.graphql import budgets, spending
from server.graphql.change import CHANGE
from server.graphql.cost import Weight
from server.graphql.credits import CREDITS
from server.graphql.data_version import DATA_VERSION
from server.graphql.discovery import CatalogInfo, catalog_info
from server.graphql.fields import Inputs, RootField
from server.graphql.known import AS_KNOWN
from server.graphql.metrics import metrics_field
from server.graphql.outcomes import OUTCOMES
from server.graphql.plans import PLANS
from server.graphql.price_book import PRICE_BOOK
from server.graphql.provenance import CALL_PROVENANCE
from server.graphql.reconciliation import RECONCILIATION
from server.graphql.restatements import RESTATEMENTS
from server.graphql.roi import ROI
from server.graphql.routing import ROUTING
from server.graphql.rows import read_field
from server.graphql.runway import RUNWAY
from server.graphql.scalars import SCALARS
from server.graphql.scores import SET_SCORE
from server.graphql.sources import read_sources
from server.graphql.untagged import UNTAGGED
from server.graphql.waste import WASTE
from server.graphql.what_if import WHAT_IF
from server.names import field_name
from server.withheld import hidden_names

FIELDS: tuple[RootField, ...] = (
    *budgets.FIELDS,
    *spending.FIELDS,
    RUNWAY,
    WASTE,
    OUTCOMES,
    SET_SCORE,
    ROI,
    ROUTING,
    PLANS,
    CREDITS,
    RECONCILIATION,
    UNTAGGED,
    WHAT_IF,
    CHANGE,
    AS_KNOWN,
    RESTATEMENTS,
    CALL_PROVENANCE,
    PRICE_BOOK,
)
"""What is offered beside the metrics; each field is a module of its own."""
CACHEABLE = frozenset({"metrics", "catalog"})
"""Their answers may be given again: they follow from the arguments, the caller, the version and the day alone."""

LIVE = ("metrics", "routing", "budgets", "sources", "dataVersion")
"""The fields of `Query` that can be subscribed to."""


INTROSPECTION = Weight(rows=2_000)
"""Of `__schema` and `__type`: the schema has some thousand fields and arguments, and is a table like another. The same
text is answered from memory, but each new one takes 100 ms of CPU and more, and nothing else bounds how many are sent.
"""


def weights(default_rows: int) -> dict[str, Weight]:
    """What one value of each field at the top costs. `default_rows` is the limit of `metrics` where none is named."""
    own = {
        "metrics": Weight(rows=default_rows),
        "catalog": Weight(is_from_memory=True),
        "sources": Weight(),
        "dataVersion": DATA_VERSION.weight,
        "__schema": INTROSPECTION,
        "__type": INTROSPECTION,
    }
    return own | {field_name(field.name): field.weight for field in FIELDS}


class NoMetricError(CatalogError):
    """A caller's roles open nothing to him."""


def build_schema(catalog: Catalog, caller: Caller | None = None) -> strawberry.Schema:
    """What a caller sees. `CatalogError` where that is nothing, or names cannot be told apart in GraphQL."""
    seen = visible(catalog, caller)
    offered = [field for field in FIELDS if field.is_offered(catalog, caller)]
    if not seen.metrics and not offered:
        raise NoMetricError(
            [Mistake(Mark(catalog.file, 1, 1), "there is no metric that the caller's roles open to him")]
        )
    inputs = Inputs.of(seen)
    queries: dict[str, Any] = {
        "sources": strawberry.field(
            resolver=read_sources, description="Where the data comes from, and how fresh it is."
        ),
        DATA_VERSION.name: DATA_VERSION.make(inputs),
    }
    if seen.metrics:
        queries = _of_metrics(inputs, catalog_info(seen, hidden_names(catalog, caller))) | queries
    queries |= {field.name: field.make(inputs) for field in offered if not field.is_mutation}
    mutations = {field.name: field.make(inputs) for field in offered if field.is_mutation}
    live = {name: copy(queries[name]) for name in LIVE if name in queries}
    return strawberry.Schema(
        _root("Query", queries, "Ask for metrics; what they mean is in the catalog."),
        mutation=_root("Mutation", mutations, "Tell what only the caller knows.") if mutations else None,
        subscription=_root("Subscription", live, "The answer to the query of the same field, now and when it changes."),
        config=StrawberryConfig(default_resolver=read_field, scalar_map=SCALARS),
    )


def _of_metrics(inputs: Inputs, declared: CatalogInfo) -> dict[str, Any]:
    def read_catalog() -> CatalogInfo:
        return declared

    return {
        "metrics": metrics_field(inputs),
        "catalog": strawberry.field(
            resolver=read_catalog, description="What can be asked: metrics with their definitions, and dimensions."
        ),
    }


def _root(name: str, fields: dict[str, Any], description: str) -> type:
    return strawberry.type(type(name, (), fields), description=description)
