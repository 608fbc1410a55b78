"""Who asks: what a caller's roles let him see, and the claims that row policies compare with.

Applied where a question is planned, so that no way to ask can forget it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache

from semantic.catalog import Catalog, NamedFilter
from semantic.metric import Metric
from semantic.model import Dimension, Model
from semantic.query import Scalar
from semantic.reads import Read, compared_in, reads_of_reached


@dataclass(frozen=True, slots=True)
class Caller:
    """`claims` are what is known of the caller, such as his teams; a policy names them `:caller.teams`."""

    roles: frozenset[str] = frozenset()
    claims: Mapping[str, Scalar | tuple[Scalar, ...]] = field(default_factory=dict)


def visible(catalog: Catalog, caller: Caller | None) -> Catalog:
    """The catalog as a caller sees it; the whole of it for the operator, who is no caller (None)."""
    return catalog if caller is None else _seen_by(catalog, caller.roles)


@lru_cache(maxsize=256)
def _seen_by(catalog: Catalog, roles: frozenset[str]) -> Catalog:
    shown = {name: m for name, m in catalog.metrics.items() if _may_see(catalog, m, roles)}
    kept_back = {name: m for name, m in catalog.metrics.items() if name not in shown}
    models = {name: _model(catalog, model, roles) for name, model in catalog.models.items()}
    seen = replace(catalog, models=models, metrics=shown, parts={**catalog.parts, **kept_back})
    return replace(seen, filters={name: f for name, f in catalog.filters.items() if not _is_telling(seen, f)})


def _model(catalog: Catalog, model: Model, roles: frozenset[str]) -> Model:
    shown = {name: d for name, d in model.dimensions.items() if _may_see(catalog, d, roles)}
    hidden = {name: d for name, d in model.dimensions.items() if name not in shown}
    return replace(model, dimensions=shown, hidden=hidden)


def _may_see(catalog: Catalog, part: Metric | Dimension, roles: frozenset[str]) -> bool:
    access = part.access or catalog.access
    return not access or bool(access & roles)


def _is_telling(seen: Catalog, named: NamedFilter) -> bool:
    """Whether a filter compares what a hidden dimension shows: who may choose by it learns it."""
    read = {_place(r) for r in compared_in(seen, seen.models[named.model], named.where)}
    hidden = ((model, d) for model in seen.models.values() for d in model.hidden.values())
    return any(_place(r) in read for model, d in hidden for r in reads_of_reached(seen, model, (), d))


def _place(read: Read) -> tuple[str, str]:
    """Databases take a column under any case of its name."""
    return read.model, read.column.lower()
