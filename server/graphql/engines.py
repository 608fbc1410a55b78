"""An engine for everybody who asks: who has the same roles sees the same schema."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from itertools import islice

from semantic import Caller
from server.access import DeniedError, Principal
from server.graphql.engine import Engine, Operation
from server.graphql.kept import Kept
from server.graphql.schema import NoMetricError

MOST_ROLE_SETS = 32
"""Schemas that are kept. Tokens name a handful of sets of roles; a schema takes some hundred milliseconds."""


class Engines:
    """`make` gives the engine of a set of roles; None is the operator's. Safe to use from many threads."""

    def __init__(self, make: Callable[[Caller | None], Engine]) -> None:
        self._make = make
        self._kept: Kept[frozenset[str] | None, Engine] = Kept(MOST_ROLE_SETS, MOST_ROLE_SETS)

    def prepare(self, role_sets: Iterable[frozenset[str] | None]) -> None:
        """Makes the engines of these roles now, so that no first question waits; `CatalogError` where one cannot be."""
        for roles in islice(role_sets, MOST_ROLE_SETS):
            with suppress(NoMetricError):  # whoever asks with them is told
                self._of_roles(roles)

    def has(self, principal: Principal, operation: Operation) -> bool:
        """Whether both the schema and the document are read already. Neither belongs into the event loop."""
        engine = self._kept.get(principal.roles)
        return engine is not None and engine.has(operation)

    def known(self, principal: Principal) -> Engine | None:
        """As `of`, where somebody of his roles was here before."""
        engine = self._kept.peek(principal.roles)
        return None if engine is None else engine.asked_by(principal.caller)

    def of(self, principal: Principal) -> Engine:
        """`DeniedError` where his roles open nothing to him."""
        try:
            engine = self._of_roles(principal.roles)
        except NoMetricError as error:
            scope = {"WWW-Authenticate": 'Bearer realm="clawback", error="insufficient_scope"'}
            raise DeniedError(403, f"the roles of {principal.name} open nothing to him", scope) from error
        return engine.asked_by(principal.caller)

    def _of_roles(self, roles: frozenset[str] | None) -> Engine:
        engine = self._kept.get(roles)
        return engine or self._kept.put(roles, self._make(None if roles is None else Caller(roles)))
