"""Why a question cannot be answered: the codes of all reasons, each of which is right to give."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from zoneinfo import available_timezones

from semantic import MetricQuery
from tests.semantic.brute_calendar import CLOCK, TOO_MANY, Calendar
from tests.semantic.brute_meaning import Eached, Formula, Meaning, Ranked, Total, meaning
from tests.semantic.brute_reading import PARTS
from tests.semantic.brute_rows import Rows, comparisons
from tests.semantic.worlds import Case, Length, Table

ORDINARY = ("minute", "hour", "day", "week", "month", "quarter", "year")
SNAPSHOT_BY_CLOCK = frozenset({"BAD_GRAIN", "NO_SUCH_GRAIN"})


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """A measure as a question meets it: by which keys, in which periods."""

    total: Total
    names: tuple[str, ...]
    grain: str | None


def totals_of(made: Meaning) -> Iterator[Total]:
    """The measures that a metric rests on."""
    match made:
        case Total():
            yield made
        case Formula():
            for following in made.inputs.values():
                yield from totals_of(following)
        case Eached() | Ranked():
            yield from totals_of(made.of)


def leaves_of(made: Meaning) -> Iterator[Total | Eached]:
    """The measures of a metric, and what is evaluated apart for each of something."""
    match made:
        case Total() | Eached():
            yield made
        case Formula():
            for following in made.inputs.values():
                yield from leaves_of(following)
        case Ranked():
            yield from leaves_of(made.of)


def inner_names(made: Eached, names: tuple[str, ...]) -> tuple[str, ...]:
    return (*names, *(n for n in made.each.by if n not in names))


def is_cut(total: Total, names: tuple[str, ...], grain: str | None) -> bool:
    """Whether a measure leaves out any of the asked keys."""
    return any(total.leaves_out(key) for key in (*names, *(["time"] if grain else [])))


def refusals(case: Case) -> frozenset[str]:
    return frozenset(_Refusals(case).codes())


class _Refusals:
    def __init__(self, case: Case) -> None:
        self.world, self.query, self.caller = case.world, case.query, case.caller
        self.rows = Rows(case.world, case.caller)

    def codes(self) -> Iterator[str]:
        query = self.query
        for name in query.metrics:
            if name not in self.world.metrics or not self._sees(name):
                yield "UNKNOWN_METRIC"
                return
        grains = (*ORDINARY, *self.world.grains)
        if query.grain is not None and query.grain not in grains:
            yield "UNKNOWN_GRAIN"
            return
        yield from self._spoiled(query)
        if query.zone is not None and query.zone not in available_timezones():
            yield "UNKNOWN_ZONE"
            return
        asked = {*query.metrics, *query.by, *(["time"] if query.grain else [])}
        if any(o.by not in asked for o in query.order_by):
            yield "BAD_ORDER"
        self.calendar = Calendar(self.world, query)
        made = [meaning(self.world, n) for n in query.metrics]
        yield from self._filters(made)
        for met in self._met(made, query.by, query.grain):
            yield from self._of(met)
        for leaf in [leaf for m in made for leaf in leaves_of(m)]:
            if isinstance(leaf, Eached):
                yield from self._each(leaf, query.grain)
        yield from self._clock(query)

    def _spoiled(self, query: MetricQuery) -> Iterator[str]:
        if any(c.dimension not in query.metrics for c in comparisons(query.having)):
            yield "BAD_HAVING"
        if query.limit is not None and query.limit < 1:
            yield "BAD_LIMIT"
        if query.time.start and query.time.end and query.time.end <= query.time.start:
            yield "BAD_TIME"
        if any(name not in self.world.filters for name in query.filters):
            yield "UNKNOWN_FILTER"

    def _sees(self, name: str) -> bool:
        access = self.world.metrics[name].access
        return self.caller is None or not access or bool(access & self.caller.roles)

    # --- where measures are met

    def _met(self, made: list[Meaning], names: tuple[str, ...], grain: str | None) -> Iterator[Asked]:
        for one in made:
            leaves = list(leaves_of(one))
            is_cut_alone = all(isinstance(leaf, Total) and is_cut(leaf, names, grain) for leaf in leaves)
            for leaf in leaves:
                if isinstance(leaf, Eached):
                    yield from self._met([leaf.of], inner_names(leaf, names), leaf.each.grain or grain)
                    continue
                if is_cut_alone or not is_cut(leaf, names, grain):
                    yield Asked(replace(leaf, cuts=()), names, grain)
                if is_cut(leaf, names, grain):
                    kept = tuple(n for n in names if not leaf.leaves_out(n))
                    yield Asked(replace(leaf, cuts=()), kept, None if leaf.leaves_out("time") else grain)

    # --- one measure

    def _of(self, met: Asked) -> Iterator[str]:
        table = self.world.tables[met.total.model]
        time = met.total.time or table.time
        names = (*met.names, *(c.dimension for c in comparisons(self.query.where)))
        for name in names:
            yield from self._dimension(table, met, name)
        limits = self.query.time.start or self.query.time.end
        if time is None and (met.grain or limits):
            yield "NO_TIME"
        if met.grain in CLOCK and time is not None and time.is_date:
            yield "NO_SUCH_GRAIN"
        if met.grain in CLOCK and met.total.snapshot:
            yield from SNAPSHOT_BY_CLOCK
        window = met.total.window
        if window and window.length and (met.grain in CLOCK) != bool(window.length.minutes):
            yield "BAD_WINDOW"
        if met.total.shift:
            yield from self._shift(met.total.shift, met.grain)
            if met.grain is None and met.total.shift.minutes and time is not None and time.is_date:
                yield "BAD_SHIFT"
        yield from self._claims(met.total)

    def _dimension(self, table: Table, met: Asked, name: str) -> Iterator[str]:
        if name.startswith("time.") and name.removeprefix("time.") not in PARTS:
            yield "UNKNOWN_DIMENSION"
            return
        if name.startswith("time."):
            time = met.total.time or table.time
            if time is None or met.total.snapshot or (time.is_date and name == "time.hour"):
                yield "UNREACHABLE_DIMENSION"
            return
        plain = name.rpartition(".")[2]
        known = [t.dimensions[plain] for t in self.world.tables.values() if plain in t.dimensions]
        if not any(self.rows.sees(d) for d in known):
            yield "UNKNOWN_DIMENSION"
        elif not (paths := self.rows.paths_to(table, name)):
            yield "UNREACHABLE_DIMENSION"
        elif len(paths) > 1:
            yield "AMBIGUOUS_DIMENSION"

    def _shift(self, length: Length, grain: str | None) -> Iterator[str]:
        if grain is None:
            if not (self.query.time.start and self.query.time.end):
                yield "NEEDS_RANGE"
            return
        period, _ = self.calendar.length(grain)
        whole = [
            period.minutes and length.minutes and length.minutes % period.minutes == 0,
            period.days and length.days and length.days % period.days == 0,
            period.months and length.months and length.months % period.months == 0,
            grain == "day" and length.months,
        ]
        if not any(whole):
            yield "BAD_SHIFT"

    def _claims(self, total: Total) -> Iterator[str]:
        models = [total.model, *(s.model for s in total.funnel.steps)] if total.funnel else [total.model]
        for model in models:
            for policy, _ in self.rows.policies_on(self.world.tables[model]):
                if any(claim not in self.rows.claims for claim in policy.rows.claims()):
                    yield "NO_CLAIM"

    # --- the question

    def _filters(self, made: list[Meaning]) -> Iterator[str]:
        models = {t.model for m in made for t in totals_of(m)}
        for name in self.query.filters:
            if name not in self.world.filters:
                continue
            wanted = self.world.filters[name].model
            for model in models:
                paths = [p for p, t in self.rows.ways(self.world.tables[model]) if t.name == wanted]
                if model != wanted and len(paths) != 1:
                    yield "UNREACHABLE_FILTER"

    def _each(self, leaf: Eached, grain: str | None) -> Iterator[str]:
        """Whether the asked periods are made of whole ones of the inner grain."""
        inner = leaf.each.grain
        if inner and grain and not self._is_made_of(grain, inner):
            yield "BAD_GRAIN"
        for leaf_within in leaves_of(leaf.of):
            if isinstance(leaf_within, Eached):
                yield from self._each(leaf_within, inner or grain)

    def _is_made_of(self, grain: str, inner: str) -> bool:
        if grain in CLOCK or inner in CLOCK:
            return inner in CLOCK and CLOCK.get(grain, 60) >= CLOCK[inner]
        (outer, origin), (length, start) = self.calendar.length(grain), self.calendar.length(inner)
        if outer.months and length.months:
            apart = (origin.year - start.year) * 12 + origin.month - start.month
            return outer.months % length.months == 0 and apart % length.months == 0
        if length.days == 1:
            return True
        return bool(outer.days and length.days) and (
            outer.days % length.days == 0 and (origin - start).days % length.days == 0
        )

    def _clock(self, query: MetricQuery) -> Iterator[str]:
        if query.grain not in CLOCK:
            return
        start, end = query.time.start, query.time.end
        if start is None or end is None:
            yield "NEEDS_RANGE"
        elif (end - start).total_seconds() / 60 / CLOCK[query.grain] > TOO_MANY:
            yield "TOO_LARGE"
