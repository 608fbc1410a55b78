"""The examples that GraphiQL offers: of those that are shipped, what the reader's own schema can answer.

An example names fields, and fields tell what there is to ask: a list for everybody would tell a router of the cash.
"""

import asyncio
from collections.abc import Sequence

from starlette.requests import Request

from server.access import DeniedError, Identify
from server.assets import Example
from server.graphql.engine import Engine, Operation
from server.graphql.engines import MOST_ROLE_SETS, Engines
from server.graphql.kept import Kept
from server.graphql.subscriptions import Pushed


class ExamplesFor:
    """The examples of a request: none where nobody is known to ask, or his roles open nothing."""

    def __init__(self, examples: Sequence[Example], engines: Engines, identify: Identify) -> None:
        self._examples = examples
        self._engines = engines
        self._identify = identify
        self._kept: Kept[frozenset[str] | None, tuple[Example, ...]] = Kept(MOST_ROLE_SETS, MOST_ROLE_SETS)

    async def __call__(self, request: Request) -> tuple[Example, ...]:
        try:
            principal = self._identify(request)
            found = self._kept.get(principal.roles)
            if found is None:  # to make a schema and to validate against it is nothing for the event loop
                found = await asyncio.to_thread(lambda: self._answerable(self._engines.of(principal)))
                self._kept.put(principal.roles, found)
        except DeniedError:
            return ()
        return found

    def _answerable(self, engine: Engine) -> tuple[Example, ...]:
        asked = ((example, engine.pushed(Operation(example.query))) for example in self._examples)
        return tuple(example for example, found in asked if isinstance(found, Pushed))
