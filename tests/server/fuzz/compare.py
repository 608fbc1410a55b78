"""Both paths over one small store, asked the same; a statement that was answered once is not asked of DuckDB again."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random
from typing import cast

from semantic import Catalog
from semantic.planner import Planner
from server.budgets import Breakers
from server.graphql import build_schema
from server.graphql.context import Deadline
from server.graphql.engine import Engine, Operation
from store import Reader, Rows, Store
from store.errors import QueryError
from store.ledger import Ledger
from tests.server.conftest import LIMITS, NOW
from tests.server.fuzz.text import Case, Writer

_REQUEST_ID = re.compile(rb"[0-9a-f]{32}")
PATIENCE_MS = 600_000


class RememberingReader(Reader):
    """Asks DuckDB each statement once: 20,000 operations have a few thousand different ones."""

    def __init__(self, reader: Reader, known: dict[object, Rows | QueryError]) -> None:
        super().__init__(reader._cursor, reader._settled, reader._statements)
        self.version_seen = reader.data_version
        self._known = known

    def read(self, sql: str, params: Mapping[str, object] | None = None, *, timeout_ms: int | None = None) -> Rows:
        key = sql, repr(params)
        if key not in self._known:
            try:
                self._known[key] = super().read(sql, params, timeout_ms=timeout_ms)
            except QueryError as error:
                self._known[key] = error
        found = self._known[key]
        if isinstance(found, QueryError):
            raise found
        return found


class RememberingStore:
    """A store whose snapshots are of one version, and remember."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[object, Rows | QueryError] = {}

    @contextmanager
    def snapshot(self) -> Iterator[Reader]:
        with self._store.snapshot() as reader:
            yield RememberingReader(reader, self._known)

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)


@dataclass(frozen=True)
class Paths:
    """The engine as it is, and one that is graphql-core alone. What they prepare is the same: text becomes a tree."""

    fast: Engine
    plain: Engine
    answers: list[tuple[bytes, bool]] = field(default_factory=list)
    """What the last case was answered with."""

    def difference(self, case: Case) -> str:
        """What is told of a case that is not answered alike; nothing where it is. The last round meets warm caches."""
        known = self.answers
        known.clear()
        for at, variables in enumerate((*case.variables, case.variables[0])):
            operation = Operation(case.text, variables, case.name)
            fast = self._answer(self.fast, operation)
            plain = self._answer(self.plain, operation) if at < len(case.variables) else known[0]
            if at < len(case.variables):
                known.append(plain)
            if fast != plain:
                return f"{case.text}\noperationName {case.name}\nvariables {variables}\nfast  {fast}\nplain {plain}"
        return ""

    def _answer(self, engine: Engine, operation: Operation) -> tuple[bytes, bool]:
        """The body, and whether it ran; ids of requests are random."""
        response = engine.answer(operation, Deadline.after(PATIENCE_MS))
        return _REQUEST_ID.sub(b"-", response.content), response.is_executed


def paths(catalog: Catalog, store: Store) -> Paths:
    schema = build_schema(catalog)
    remembering = cast(Store, RememberingStore(store))
    breakers = Breakers(store, Ledger.open(None))
    about = (schema, catalog, remembering, lambda: NOW, LIMITS, None, None, breakers, None)
    fast, plain = Engine(*about), Engine(*about, is_plain=True)
    fast._planner = plain._planner = Planner(catalog, 100_000)
    plain._documents = fast._documents
    return Paths(fast, plain)


def cases(compared: Paths, seed: int, numbers: Sequence[int]) -> Iterator[Case]:
    """The same for the same seed and numbers, on any machine."""
    for number in numbers:
        yield Writer(compared.fast._strawberry._schema, Random(f"{seed}/{number}")).case()
