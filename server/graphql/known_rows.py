"""Questions about calls as they were known at an instant: the question of today, asked of what was loaded then."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from semantic import MetricQuery, QueryError, Result
from server.answer import answer_to, compiled
from server.graphql.context import Context
from server.slices import Slice
from store import Rows

_FACT = "request_facts"
_AS_KNOWN = f"{_FACT} AS (SELECT * FROM requests_known_at($known_at))"
"""Stands before a statement, which then reads these rows in place of the table of the same name."""


@dataclass(frozen=True, slots=True)
class Known:
    """What one operation's snapshot says was known at `at`."""

    context: Context
    at: datetime

    def is_anything(self) -> bool:
        """Whether anything had been loaded."""
        rows = self._read("SELECT 1 FROM loads WHERE applied_at <= $known_at AND error IS NULL LIMIT 1", {}).rows
        return bool(rows)

    def ask(self, query: MetricQuery) -> Result:
        """A question about calls alone."""
        plan, statement = compiled(self.context.planner, query, self.context.caller)
        if f"FROM {_FACT}" not in statement.sql or not statement.sql.startswith("WITH "):
            raise QueryError("NOT_ANSWERED", "only what is read from calls can be asked as it was known")
        sql = f"WITH {_AS_KNOWN}, {statement.sql.removeprefix('WITH ')}"
        asked = replace(statement, sql=sql, params={**statement.params, "known_at": self._instant})
        timeout_ms = self.context.deadline.remaining_ms()
        return answer_to((plan, asked), self.context.reader, timeout_ms=timeout_ms).result

    def rows(self, sql: str, chosen: Slice) -> Rows:
        """Rows of `known`, the calls of a slice: `sql` begins with SELECT."""
        known = f"known AS (SELECT * FROM {_FACT} WHERE {chosen.key} IN ({chosen.sql}))"
        return self._read(f"WITH {_AS_KNOWN}, {known} {sql}", chosen.params)

    def _read(self, sql: str, params: Mapping[str, object]) -> Rows:
        timeout_ms = self.context.deadline.remaining_ms()
        return self.context.reader.read(sql, {**params, "known_at": self._instant}, timeout_ms=timeout_ms)

    @property
    def _instant(self) -> datetime:
        return self.at.astimezone(UTC).replace(tzinfo=None)
