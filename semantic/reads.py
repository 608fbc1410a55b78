"""Which columns of the store a measure or a condition reads, through the names that the file gives them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from sqlglot import exp

from semantic.catalog import Catalog
from semantic.expression import names_in
from semantic.measure import Measure
from semantic.model import Dimension, Join, Model


@dataclass(frozen=True, slots=True)
class Read:
    model: str
    source: str
    column: str
    is_declared: bool = False
    """Whether the column is named by a dimension, a join or a model, and not by what reads it."""


def reads_of(catalog: Catalog, measure: Measure) -> Iterator[Read]:
    """What a measure reads: its value, its conditions, its time, and what says to whom a row belongs."""
    model = catalog.models[measure.model]
    yield from reads_of_trees(catalog, model, [*measure.where, *([measure.value] if measure.value is not None else [])])
    time = measure.time or model.time
    if time is not None:
        yield _read(model, time.column, is_declared=measure.time is None)
    for name in measure.snapshot.per if measure.snapshot else ():
        yield from _of_name(catalog, model, name)
    if measure.funnel is not None:
        yield from _of_name(catalog, model, measure.funnel.by)
    for step in measure.funnel.steps if measure.funnel else ():
        follows = catalog.models[step.model]
        yield from _of_name(catalog, follows, step.by)
        yield from reads_of_trees(catalog, follows, step.where)
        if follows.time is not None:
            yield _read(follows, follows.time.column, is_declared=True)


def reads_of_trees(catalog: Catalog, model: Model, trees: Iterable[exp.Expression]) -> Iterator[Read]:
    """What expressions of a model read."""
    for tree in trees:
        for name in names_in(tree):
            yield from _of_name(catalog, model, name)


def compared_in(catalog: Catalog, model: Model, tree: exp.Expression) -> Iterator[Read]:
    """What a condition compares: what it reads, but for the keys along which it gets there."""
    for name in names_in(tree):
        *roles, plain = name.split(".")
        reached = model
        for role in roles:
            reached = catalog.models[reached.joins[role].target]
        yield from _of_name(catalog, reached, plain)


def reads_of_join(catalog: Catalog, model: Model, join: Join) -> Iterator[Read]:
    """Both sides of a join, and what says which version is in force."""
    target = catalog.models[join.target]
    for mine, theirs in join.columns:
        yield _read(model, mine, is_declared=True)
        yield _read(target, theirs, is_declared=True)
    if join.versions is not None:
        yield _read(target, join.versions.since, is_declared=True)
        if join.versions.until:
            yield _read(target, join.versions.until, is_declared=True)
        if join.versions.at:
            yield _read(model, join.versions.at, is_declared=True)


def reads_of_reached(catalog: Catalog, model: Model, path: Iterable[Join], dimension: Dimension) -> Iterator[Read]:
    """What a dimension reads, with the joins that lead from a model to it."""
    for join in path:
        yield from reads_of_join(catalog, model, join)
        model = catalog.models[join.target]
    yield from _of_dimension(catalog, model, dimension)


def _of_name(catalog: Catalog, model: Model, name: str) -> Iterator[Read]:
    """A column or dimension of a model, or of one that roles lead to."""
    *roles, plain = name.split(".")
    for role in roles:
        join = model.joins[role]
        yield from reads_of_join(catalog, model, join)
        model = catalog.models[join.target]
    dimension = model.dimension(plain)
    yield from [_read(model, plain)] if dimension is None else _of_dimension(catalog, model, dimension)


def _of_dimension(catalog: Catalog, model: Model, dimension: Dimension) -> Iterator[Read]:
    if dimension.measure is not None:
        owner = catalog.models[dimension.measure.model]
        for join in dimension.back:
            yield from reads_of_join(catalog, owner, join)
            owner = catalog.models[join.target]
        yield from (replace(read, is_declared=True) for read in reads_of(catalog, dimension.measure))
    else:
        yield from (_read(model, column, is_declared=True) for column in names_in(dimension.sql))


def _read(model: Model, column: str, *, is_declared: bool = False) -> Read:
    return Read(model.name, model.source, column, is_declared)
