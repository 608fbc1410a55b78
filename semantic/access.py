"""Who asks: what a caller's roles let him see, and the claims that row policies compare with.

Applied where a question is planned, so that no way to ask can forget it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache

from semantic.catalog import Catalog
from semantic.metric import Metric
from semantic.model import Dimension, Model
from semantic.query import Scalar


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
    shown = {name: m for name, m in catalog.metrics.items() if _may_see(m, roles)}
    kept_back = {name: m for name, m in catalog.metrics.items() if name not in shown}
    models = {name: _model(model, roles) for name, model in catalog.models.items()}
    return replace(catalog, models=models, metrics=shown, parts={**catalog.parts, **kept_back})


def _model(model: Model, roles: frozenset[str]) -> Model:
    shown = {name: d for name, d in model.dimensions.items() if _may_see(d, roles)}
    hidden = {name: d for name, d in model.dimensions.items() if name not in shown}
    return replace(model, dimensions=shown, hidden=hidden)


def _may_see(part: Metric | Dimension, roles: frozenset[str]) -> bool:
    return not part.access or bool(part.access & roles)
