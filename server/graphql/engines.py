"""An engine for everybody who asks: who has the same roles sees the same schema."""

from collections.abc import Callable
from functools import lru_cache

from semantic import Caller
from server.access import DeniedError, Principal
from server.graphql.engine import Engine
from server.graphql.schema import NoMetricError

MOST_ROLE_SETS = 32
"""Schemas that are kept. Tokens name a handful of sets of roles; a schema takes some hundred milliseconds."""


class Engines:
    """`make` gives the engine of a set of roles; None is the operator's. Safe to use from many threads."""

    def __init__(self, make: Callable[[Caller | None], Engine]) -> None:
        self._of_roles = lru_cache(MOST_ROLE_SETS)(lambda roles: make(None if roles is None else Caller(roles)))

    def prepare(self, roles: frozenset[str] | None) -> None:
        """Makes the engine of these roles now; `CatalogError` where it cannot be made."""
        self._of_roles(roles)

    def of(self, principal: Principal) -> Engine:
        """`DeniedError` where his roles open nothing to him."""
        try:
            engine = self._of_roles(principal.roles)
        except NoMetricError as error:
            raise DeniedError(403, f"the roles of {principal.name} open no metric to him") from error
        return engine.asked_by(principal.caller)
