"""An engine for everybody who asks: who has the same roles sees the same schema."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import lru_cache
from itertools import islice

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

    def prepare(self, role_sets: Iterable[frozenset[str] | None]) -> None:
        """Makes the engines of these roles now, so that no first question waits; `CatalogError` where one cannot be."""
        for roles in islice(role_sets, MOST_ROLE_SETS):
            with suppress(NoMetricError):  # whoever asks with them is told
                self._of_roles(roles)

    def of(self, principal: Principal) -> Engine:
        """`DeniedError` where his roles open nothing to him."""
        try:
            engine = self._of_roles(principal.roles)
        except NoMetricError as error:
            scope = {"WWW-Authenticate": 'Bearer realm="clawback", error="insufficient_scope"'}
            raise DeniedError(403, f"the roles of {principal.name} open nothing to him", scope) from error
        return engine.asked_by(principal.caller)
