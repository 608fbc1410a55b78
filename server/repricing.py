"""The calls of a slice, added up by what prices them on both sides: on their own model and on another one.

The store adds up, `finance.what_if` prices the sums. A call is compared only where both sides have a price for it and
its cost is known; any other is in neither side, and counted under the reason.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_FLOOR, Decimal
from typing import Any, Literal

from finance.pricing import PriceBook
from finance.what_if import BUCKETS, Calls, Comparison, Group, Rate, compare, rates_of
from server.price_lines import lines_known
from server.slices import Slice
from store import Price, Reader

Key = Literal["session_id", "request_key"]

_TOKENS = tuple(f"{name}_tokens" for name in ("uncached_input", *BUCKETS[1:]))
_LARGEST = 2**62
_PROMPT = " + ".join(f"call.{column}" for column in _TOKENS[:-1])


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Calls that are in neither side."""

    reason: str
    calls: int
    paid_usd: Decimal
    """What is known of their cost."""


@dataclass(frozen=True, slots=True)
class Part:
    """One session or one call of a comparison."""

    key: str
    comparison: Comparison


@dataclass(frozen=True, slots=True)
class Repricing:
    """The calls of `chosen` on their own rates and on those of one other model."""

    reader: Reader
    chosen: Slice
    own: list[Rate]
    target: list[Rate]
    multiplier: Decimal
    remaining_ms: Callable[[], int]
    sessions: Slice | None = None
    """Only calls of these sessions."""

    @classmethod
    def of(
        cls,
        reader: Reader,
        chosen: Slice,
        target: tuple[str, str],
        multiplier: Decimal,
        remaining_ms: Callable[[], int],
    ) -> "Repricing":
        """`target` is a provider and a model; it has no rates where the book has no line of it."""
        lines: list[Price] = lines_known(reader, timeout_ms=remaining_ms())
        book = PriceBook(lines)
        names = reader.read(
            "SELECT DISTINCT provider, model FROM request_facts"
            f" WHERE request_key IN ({chosen.sql}) AND provider IS NOT NULL AND model IS NOT NULL ORDER BY ALL",
            chosen.params,
            timeout_ms=remaining_ms(),
        ).rows
        own = rates_of(book, lines, [(str(provider), str(model)) for provider, model in names])
        return cls(reader, chosen, own, rates_of(book, lines, [target]), multiplier, remaining_ms)

    def within(self, sessions: Slice) -> "Repricing":
        """The same calls, as far as they are of these sessions."""
        return replace(self, sessions=_apart(sessions))

    def compared(self) -> tuple[list[Group], list[LeftOut]]:
        groups, left_out = [], []
        for problem, own, target, calls, paid, *tokens in self._sums(self.multiplier):
            if problem is not None:
                left_out.append(LeftOut(str(problem), int(calls), Decimal(paid or 0)))
            else:
                groups.append(Group(own, target, Calls(calls, tuple(map(int, tokens))), paid))
        return groups, left_out

    def groups_at(self, multiplier: Decimal) -> list[Group]:
        """The compared calls as they fall into rates with so many times the tokens."""
        return replace(self, multiplier=multiplier).compared()[0]

    def touched_sessions(self) -> int:
        """Sessions with a compared call."""
        ((count,),) = self._read("SELECT count(DISTINCT session_id) FROM sided WHERE problem IS NULL", self.multiplier)
        return int(count)

    def tasks(self) -> tuple[int, int]:
        """Of the sessions with a compared call: those whose task is decided, and those where it succeeded."""
        ((decided, succeeded),) = self._read(
            "SELECT count(*), count(*) FILTER (WHERE task_result = 'success') FROM session_facts"
            " WHERE task_result IN ('success', 'failure')"
            " AND session_id IN (SELECT session_id FROM sided WHERE problem IS NULL)",
            self.multiplier,
        )
        return int(decided), int(succeeded)

    def largest(self, key: Key, first: int) -> list[Part]:
        """The sessions or calls with the largest saving; of equal ones the first by name.

        They are found by binary numbers and priced exactly, so two savings that differ by less than a billionth may
        stand in one order or the other at the end of the list.
        """
        found = self._read(
            f"SELECT {key} FROM sided WHERE problem IS NULL AND {key} IS NOT NULL"
            f" GROUP BY {key} ORDER BY round(sum(own_usd - target_usd), 9) DESC, {key} LIMIT {first:d}",
            self.multiplier,
        )
        keys = [str(row[0]) for row in found]
        groups: dict[str, list[Group]] = {name: [] for name in keys}
        for name, _, own, target, calls, paid, *tokens in self._sums(self.multiplier, key, keys):
            groups[name].append(Group(own, target, Calls(calls, tuple(map(int, tokens))), paid))
        parts = [Part(name, compare(self.own, self.target, of, self.multiplier)) for name, of in groups.items()]
        return sorted(parts, key=lambda part: (-part.comparison.saving_usd, part.key))

    def _sums(self, multiplier: Decimal, key: Key | None = None, keys: Sequence[str] = ()) -> list[tuple[Any, ...]]:
        rates = (f"CASE WHEN problem IS NULL THEN {side} END" for side in ("own", "target"))
        columns = [*([key] if key else []), "problem", *rates]
        sums = ["count(*)", "sum(cost_usd)", *(f"sum({column})" for column in _TOKENS)]
        only = f"WHERE problem IS NULL AND {key} IN (SELECT unnest($keys::VARCHAR[]))" if key else ""
        sql = f"SELECT {', '.join((*columns, *sums))} FROM sided {only} GROUP BY {', '.join(columns)} ORDER BY ALL"
        return self._read(sql, multiplier, {"keys": list(keys)} if key else {})

    def _read(self, sql: str, multiplier: Decimal, more: dict[str, object] | None = None) -> list[tuple[Any, ...]]:
        params = {**self.chosen.params, **_rate_params("own", self.own, Decimal(1)), **(more or {})}
        params |= {**_rate_params("target", self.target, multiplier), "multiplier": float(multiplier)}
        only = ""
        if self.sessions is not None:
            only = f"AND call.session_id IN ({self.sessions.sql})"
            params |= self.sessions.params
        return self.reader.read(f"{_sided(self.chosen, only)}\n{sql}", params, timeout_ms=self.remaining_ms()).rows


def _apart(chosen: Slice) -> Slice:
    """With names of its own for its parameters, so that it can stand beside another slice."""
    names = {name: f"of_session_{name}" for name in chosen.params}
    sql = re.sub(r"\$(\w+)", lambda found: f"${names[found[1]]}", chosen.sql)
    return replace(chosen, sql=sql, params={names[name]: value for name, value in chosen.params.items()})


def _sided(chosen: Slice, only: str) -> str:
    """`sided`: the calls with their rates, and why one is not compared."""
    return f"""
        WITH {_rates("own")}, {_rates("target")},
        sided AS (
            SELECT call.request_key, call.session_id, call.cost_usd, {", ".join(f"call.{c}" for c in _TOKENS)},
                own.number AS own, target.number AS target, {_usd("own")} AS own_usd,
                {_usd("target")} AS target_usd, {_problem()} AS problem
            FROM request_facts AS call
            LEFT JOIN own ON own.provider = call.provider AND own.model = call.model AND {_holds("own")}
            LEFT JOIN target ON {_holds("target")}
            WHERE call.request_key IN ({chosen.sql}) {only}
        )"""


def _rates(side: str) -> str:
    columns = {"number": "INTEGER", "provider": "VARCHAR", "model": "VARCHAR", "is_dated": "BOOLEAN"}
    columns |= {"starts_at": "TIMESTAMP", "ends_at": "TIMESTAMP", "prompt_over": "BIGINT", "prompt_up_to": "BIGINT"}
    columns |= {**dict.fromkeys(BUCKETS, "DOUBLE"), "fee": "DOUBLE", "has_tier": "BOOLEAN"}
    listed = ", ".join(f"unnest(${side}_{name}::{kind}[]) AS {name}" for name, kind in columns.items())
    return f"{side} AS (SELECT {listed})"


def _rate_params(side: str, rates: list[Rate], multiplier: Decimal) -> dict[str, object]:
    """Prompts are counted as they were: over a threshold with so many times the tokens is over a lower one without."""

    def whole(threshold: int | None) -> int | None:
        if threshold is None:
            return None
        return min(int((threshold / multiplier).to_integral_value(ROUND_FLOOR)), _LARGEST)

    params: dict[str, object] = {
        "number": [rate.number for rate in rates],
        "provider": [rate.provider for rate in rates],
        "model": [rate.model for rate in rates],
        "is_dated": [rate.starts_at is not None for rate in rates],
        "starts_at": [rate.starts_at and rate.starts_at.replace(tzinfo=None) for rate in rates],
        "ends_at": [rate.ends_at and rate.ends_at.replace(tzinfo=None) for rate in rates],
        "prompt_over": [whole(rate.prompt_over) for rate in rates],
        "prompt_up_to": [whole(rate.prompt_up_to) for rate in rates],
        "fee": [float(rate.fee) for rate in rates],
        "has_tier": [rate.prompt_over is not None for rate in rates],
    }
    for place, bucket in enumerate(BUCKETS):
        prices = [rate.prices[place] for rate in rates]
        params[bucket] = [None if price is None else float(price) for price in prices]
    return {f"{side}_{name}": value for name, value in params.items()}


def _holds(side: str) -> str:
    return f"""{side}.is_dated = (call.started_at IS NOT NULL)
        AND (NOT {side}.is_dated OR call.started_at >= {side}.starts_at)
        AND ({side}.ends_at IS NULL OR call.started_at < {side}.ends_at)
        AND ({side}.prompt_over IS NULL OR {_PROMPT} > {side}.prompt_over)
        AND ({side}.prompt_up_to IS NULL OR {_PROMPT} <= {side}.prompt_up_to)"""


def _usd(side: str) -> str:
    """For the order only: a binary number."""
    tokens = " + ".join(f"call.{c} * coalesce({side}.{b}, 0)" for c, b in zip(_TOKENS, BUCKETS, strict=True))
    return f"({tokens}) / 1e6{' * $multiplier' if side == 'target' else ''} + {side}.fee"


def _problem() -> str:
    used = list(zip(_TOKENS, BUCKETS, strict=True))
    own = " OR ".join(f"(call.{column} > 0 AND own.{bucket} IS NULL)" for column, bucket in used)
    cases = {
        "call.output_tokens IS NULL": "MISSING_USAGE",
        "call.unpriced_part IS NOT NULL": "PART_WITHOUT_PRICE",
        f"own.number IS NULL OR {own}": "NO_PRICE_OF_ITS_OWN",
        "target.number IS NULL": "NO_TARGET_PRICE",
    }
    cases |= {
        f"call.{column} > 0 AND target.{bucket} IS NULL": f"NO_TARGET_PRICE_FOR_{bucket.upper()}"
        for column, bucket in used
    }
    totals = " OR ".join(f"{side}.has_tier OR {side}.fee <> 0" for side in ("own", "target"))
    cases |= {f"call.scope = 'session' AND ({totals})": "TOTAL_OF_CALLS", "call.cost_usd IS NULL": "COST_UNKNOWN"}
    return "CASE " + " ".join(f"WHEN {case} THEN '{reason}'" for case, reason in cases.items()) + " END"
