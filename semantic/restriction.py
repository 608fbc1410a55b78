"""What policies leave of a model to a caller: the conditions on its rows, and the columns that he may not read at all.

Conditions take rows away. A column in which a row holds what is known of other rows (`across_rows:`) would still tell
of those, so a caller from whom rows of the model may be kept back is refused whatever reads it.
"""

from collections.abc import Iterable, Iterator

from semantic import combine
from semantic.access import Caller
from semantic.catalog import Catalog
from semantic.errors import QueryError
from semantic.metric import declared_name
from semantic.model import Model
from semantic.plan import Condition, Fact
from semantic.query import MetricQuery
from semantic.reach import paths
from semantic.reads import Read, reads_of, reads_of_reached, reads_of_trees


def guards(catalog: Catalog, model: Model, caller: Caller | None) -> Iterator[Condition]:
    """What policies restrict a caller to, for rows of a model and of the models that it joins."""
    if caller is None:
        return
    for policy in catalog.policies.values():
        if policy.unless & caller.roles:
            continue
        ways = [path for path, target in paths(catalog, model.name) if target.name == policy.model]
        ways += [()] if policy.model == model.name else []
        missing = [claim for claim in combine.claims_in(policy.rows) if claim not in caller.claims]
        if ways and missing:
            raise QueryError("NO_CLAIM", f"the policy '{policy.name}' needs to know the caller's '{missing[0]}'")
        yield from ((path, policy.rows) for path in ways)


def check_own_rows(catalog: Catalog, query: MetricQuery, fact: Fact, caller: Caller | None) -> None:
    """Raises `QueryError` where a fact tells a caller of rows that policies may keep from him."""
    if caller is None or not catalog.policies:
        return
    for asked, reads in _reads_of_fact(catalog, query, fact):
        for read in _across_rows(catalog, reads):
            if any(guards(catalog, catalog.models[read.model], caller)):
                what = f"{asked} tells of other rows of {read.model} than its own"
                raise QueryError("NOT_ALLOWED", f"{what}, some of which may be hidden from the caller")


def metrics_across_rows(catalog: Catalog) -> frozenset[str]:
    """The metrics that read what a row holds of other rows, themselves or through what they rest on."""
    return frozenset(
        name
        for name in catalog.metrics
        if any(_is_across(catalog, reads_of(catalog, measure)) for measure in catalog.measures_of(name).values())
    )


def dimensions_across_rows(catalog: Catalog) -> frozenset[str]:
    """The dimensions that are made of what a row holds of other rows."""
    return frozenset(
        name
        for model in catalog.models.values()
        for name, dimension in model.dimensions.items()
        if _is_across(catalog, reads_of_reached(catalog, model, (), dimension))
    )


def _reads_of_fact(catalog: Catalog, query: MetricQuery, fact: Fact) -> Iterator[tuple[str, Iterator[Read]]]:
    """All that a fact reads, with what in the question asks for it."""
    for name, measure in fact.measures.items():
        yield f"'{declared_name(name)}'", reads_of(catalog, measure)
    for name, reached in fact.reached.items():
        yield f"'{name}'", reads_of_reached(catalog, fact.model, reached.path, reached.dimension)
    for name, (_, where) in zip(query.filters, fact.filters, strict=True):
        named = catalog.filters[name]
        yield f"the filter '{name}'", reads_of_trees(catalog, catalog.models[named.model], [where])


def _across_rows(catalog: Catalog, reads: Iterable[Read]) -> Iterator[Read]:
    """Databases take a column under any case of its name."""
    for read in reads:
        columns = catalog.models[read.model].across_rows
        if columns and read.column.lower() in {column.lower() for column in columns}:
            yield read


def _is_across(catalog: Catalog, reads: Iterable[Read]) -> bool:
    return any(True for _ in _across_rows(catalog, reads))
