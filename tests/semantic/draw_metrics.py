"""Random metrics: every kind, and the modifiers that go together with it and with what it varies."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from tests.semantic.brute_meaning import Eached, Formula, Meaning, Ranked, Total, meaning
from tests.semantic.brute_refusals import totals_of
from tests.semantic.brute_rows import Rows, uses
from tests.semantic.draw_sql import condition, scalar
from tests.semantic.draws import CALENDAR, CLOCK, LONG, Draws
from tests.semantic.worlds import (
    Change,
    Cut,
    Each,
    Entry,
    Funnel,
    Length,
    Rank,
    Share,
    Snapshot,
    Step,
    Table,
    Term,
    Time,
    Window,
    World,
)

KINDS = (
    *("sum",) * 8, *("count",) * 4, "avg", "avg", "min", "max", *("count_distinct",) * 3, "median", "percentile",
    "percentile", "percentile", "stddev", "stddev", "first", "last", *("funnel",) * 4,
)  # fmt: skip
NUMBERS = ("n", "usd", "secs")
CODES = {"when_unknown": "NOT_KNOWN", "when_empty": "NOTHING", "when_zero": "ZERO"}
OPERATIONS = ("+", "-", "-", "*", "/", "/", "/", "least", "greatest", "coalesce", "negative", "if positive")
LENGTHS: Mapping[str, tuple[str, ...]] = {
    CLOCK: ("5 minute", "30 minute", "90 minute", "1 hour", "2 hour", "24 hour", "1 day", "2 day"),
    CALENDAR: ("1 day", "2 day", "7 day", "10 day", "30 day", "1 week", "2 week", "1 month", "2 month"),
    LONG: ("7 day", "30 day", "90 day", "2 week", "1 month", "3 month", "1 quarter", "2 quarter", "1 year"),
}
SHIFTS: Mapping[str, tuple[str, ...]] = {
    CLOCK: ("5 minute", "30 minute", "1 hour", "2 hour", "24 hour", "1 day"),
    CALENDAR: ("1 day", "7 day", "10 day", "1 week", "2 week", "1 month", "1 month"),
    LONG: ("1 day", "1 week", "1 month", "1 month", "1 quarter", "3 month", "1 year", "1 year"),
}
GRAINS: Mapping[str, tuple[str, ...]] = {
    CLOCK: ("hour", "day", "day", "week"),
    CALENDAR: ("day", "week", "month"),
    LONG: ("week", "month", "quarter", "year"),
}
AVERAGES = ("day", "week", "month", "quarter", "year")
TAKES = ("sum", "avg", "min", "max", "median", "stddev")
NO_UNIT = ("date", "text")


@dataclass(frozen=True, slots=True)
class Metrics:
    """Draws the metrics of one world, one after the other."""

    draws: Draws

    def drawn(self, world: World) -> World:
        for i in range(self.draws.whole(4, 6)):
            world = self._with(world, f"m{i}", self._measure(world))
        for i in range(self.draws.whole(1, 3)):
            world = self._with(world, f"f{i}", self._formula(world))
        for i in range(self.draws.whole(3, 5)):
            varied = self._varied(world)
            world = self._with(world, f"v{i}", varied) if varied else world
        return world

    def _with(self, world: World, called: str, entry: Entry) -> World:
        access = frozenset({"auditor"}) if self.draws.maybe(0.04) else frozenset[str]()
        return replace(world, metrics={**world.metrics, called: replace(entry, access=access)})

    # --- measures

    def _measure(self, world: World) -> Entry:
        table, kind = self.draws.one(list(world.tables.values())), self.draws.one(KINDS)
        if kind in ("first", "last") and table.time is None:
            kind = "max"
        if kind == "funnel":
            entry = self._funnel(world)
            if entry is None:
                return self._measure(world)
        else:
            entry = self._aggregate(world, table, kind)
        made = meaning(replace(world, metrics={"x": entry}), "x")
        return self._modified(world, entry, made, 0.3)

    def _aggregate(self, world: World, table: Table, kind: str) -> Entry:
        draws = self.draws
        value, unit = None, ""
        if kind != "count":
            value, unit = scalar(draws, world.tables, table, kind)
        entry = Entry(
            kind=kind,
            model=table.name,
            value=value,
            unit=unit,
            p=draws.one(("0.9", "0.25", "0.05", "0.5")) if kind == "percentile" else "",
            is_discrete=kind == "percentile" and draws.maybe(0.5),
            is_approximate=kind == "count_distinct" and draws.maybe(0.4),
        )
        if kind == "sum" and table.time and table.dimensions and draws.maybe(0.4):
            per = tuple(draws.some(list(table.dimensions), 1, 2))
            take = draws.one(("last", "last", "first", "min", "max", "avg"))
            return replace(entry, snapshot=Snapshot(per, take, draws.maybe(0.6)))
        return entry

    def _funnel(self, world: World) -> Entry | None:
        draws = self.draws
        dated = [t for t in world.tables.values() if t.time]
        if not dated:
            return None
        start = draws.one(dated)
        following = [t for t in dated if t.time == start.time or draws.maybe(0.2)]
        steps = []
        for place in range(draws.one((1, 1, 2, 3))):
            model = draws.one(following or dated)
            where = condition(draws, world.tables, model) if draws.maybe(0.3) else None
            steps.append(Step(f"step{place}", model.name, draws.one(("", "", "who", "team")), where))
        lengths = [n for n in LENGTHS[draws.scale] if start.time and not (start.time.is_date and _is_clock(n))]
        output = draws.one(("rate", "rate", "count", "starts", "time"))
        return Entry(kind="funnel", funnel=Funnel(start.name, "who", tuple(steps), _length(draws.one(lengths)), output))

    # --- modifiers

    def _modified(self, world: World, entry: Entry, made: Meaning, chance: float) -> Entry:
        """With some of the modifiers that go with what the entry is so far."""
        draws = self.draws
        totals = list(totals_of(made))
        if _rests_on_others(made):
            return self._on_top(world, entry, made) if draws.maybe(0.8) else entry
        models = {t.model for t in totals}
        table = world.tables[next(iter(models))]
        is_dated = all(t.time or world.tables[t.model].time for t in totals)
        has_rows = entry.kind != "expr" and len(models) == 1
        if has_rows and draws.maybe(0.35):
            entry = replace(entry, where=condition(draws, world.tables, table))
        if has_rows and draws.maybe(0.15) and not any(t.funnel for t in totals):
            by_clock = any(_by_clock(t) for t in totals)
            entry = replace(
                entry, time=draws.one([t for t in TIMES if t != table.time and not (by_clock and t.is_date)])
            )
            is_dated = True
        found = [entry.time or t.time or world.tables[t.model].time for t in totals]
        has_days = any(t is not None and t.is_date for t in found)
        can_roll = is_dated and not any(t.snapshot or t.empty == "carry" for t in totals)
        if can_roll and draws.maybe(chance):
            entry = replace(entry, window=self._window(world, totals, has_days=has_days))
        is_rate = any(t.funnel for t in totals) and isinstance(made, Formula)
        if draws.maybe(0.4) and not is_rate and entry.kind != "expr":
            can_carry = is_dated and not (entry.window or any(t.window or t.snapshot for t in totals))
            words = ["null", *(["carry", "carry"] if can_carry else []), *([] if _is_text(entry) else ["zero"])]
            entry = replace(entry, empty=draws.one(words))
        if is_dated and draws.maybe(chance * 0.6) and not any(t.shift for t in totals):
            if draws.maybe(0.5) or _is_text(entry):
                entry = replace(entry, shift=self._length(SHIFTS, has_days=has_days))
            else:
                how = draws.one(("difference", "percent", "ratio"))
                entry = replace(entry, change=Change(self._length(SHIFTS, has_days=has_days), how))
        if draws.maybe(chance):
            entry = self._on_top(world, entry, made)
        if entry.change or entry.share:  # whose reasons are then theirs, and whose those of their base?
            return entry
        codes = {key: code for key, code in CODES.items() if draws.maybe(0.15)}
        return replace(entry, codes=codes)

    def _window(self, world: World, totals: Sequence[Total], *, has_days: bool) -> Window:
        draws = self.draws
        kind = draws.one(("rolling",) * 5 + ("to_date", "to_date", "cumulative", "cumulative"))
        if kind == "to_date":
            grains = [g for g in (*GRAINS[draws.scale], *world.grains) if g != "hour"]
            return Window("to_date", grain=draws.one(grains))
        if kind == "cumulative":
            return Window(kind)
        length = self._length(LENGTHS, has_days=has_days)
        can_average = not length.minutes and all(t.kind in ("sum", "count") and not t.output for t in totals)
        average = ""
        if can_average and draws.maybe(0.75):
            average = draws.one(AVERAGES if length.days else AVERAGES[2:])
        partials = ("", "keep", "scale", "null") if average else ("", "keep", "null")
        return Window(kind, length, average, draws.one(partials) if not length.minutes else "")

    def _length(self, choices: Mapping[str, Sequence[str]], *, has_days: bool) -> Length:
        """One that is not of the clock where there are dates."""
        found = [_length(text) for text in choices[self.draws.scale]]
        return self.draws.one([f for f in found if not (has_days and f.minutes)])

    def _on_top(self, world: World, entry: Entry, made: Meaning) -> Entry:
        """With a share, other keys, a place among the rows, or a value of each of something."""
        draws = self.draws
        totals = list(totals_of(made))
        is_sum = isinstance(made, Total) and made.kind in ("sum", "count") and not entry.change
        is_sum = is_sum and "carry" not in (entry.empty, *(t.empty for t in totals))
        is_text = _is_text(entry) or any(_is_text_value(world, t) for t in totals)
        choices = [*(("rank", "each", "each") if not is_text else ()), *(("share",) * 3 if is_sum else ())]
        choices += ["grain"] if not _rests_on_others(made) else []
        choices = [c for c in choices if c != "each" or not _rests_on_others(made)]
        if not choices:
            return entry
        names = self._names(world, totals)
        # By their plain names, which mean a dimension by whatever joins it is asked; test_reviewed.py names roles.
        plain = sorted({n if n.startswith("time.") else n.rpartition(".")[2] for n in names})
        keys = [*plain, "time"]
        match draws.one(choices):
            case "rank":
                return replace(entry, rank=Rank(draws.one(("highest", "lowest")), tuple(draws.some(plain, 0, 1))))
            case "share":
                within = "all" if draws.maybe(0.5) else tuple(draws.some(plain, 0, 1))
                of = tuple(draws.some(keys, 1, 2))
                return replace(entry, share=Share(of=of) if draws.maybe(0.5) else Share(within=within))
            case "grain":
                is_keep = draws.maybe(0.5)
                return replace(entry, cut=Cut(tuple(draws.some(keys, 1, 2)), keeps=is_keep))
        by = tuple(draws.some(names, 0, 2))
        is_dated = all(t.time or world.tables[t.model].time for t in totals)
        grains = [g for g in (*GRAINS[draws.scale], *world.grains) if g != "hour"]
        grain = draws.one(grains) if is_dated and draws.maybe(0.6) else ""
        if not by and not grain:
            return entry
        return replace(entry, each=Each(draws.one(TAKES), by, grain))

    def _names(self, world: World, totals: Sequence[Total]) -> list[str]:
        """What the measures can all be cut by."""
        names = reached(world, totals)
        is_dated = all(t.time or world.tables[t.model].time for t in totals)
        if is_dated and self.draws.maybe(0.2) and not any(t.snapshot for t in totals):
            names += ["time.weekday", "time.month"]
        return names

    # --- formulas and variations

    def _formula(self, world: World) -> Entry:
        draws = self.draws
        names = [n for n in world.metrics if self._is_number(world, n)]
        if not names:
            return Entry(kind="count", model=next(iter(world.tables)))
        term = self._term(names, draws.one((1, 1, 2)))
        if not uses(term):
            term = Term("+", parts=(term, Term("metric", names[0])))
        codes = {"when_unknown": "NO_ANSWER"} if draws.maybe(0.2) else {}
        if draws.maybe(0.08):
            return Entry(kind="expr", formula=Term("days_after", parts=(term,)), unit="date", codes=codes)
        entry = Entry(kind="expr", formula=term, unit=draws.one(("", "USD")), codes=codes)
        return self._moved(world, entry) if draws.maybe(0.3) else entry

    def _moved(self, world: World, entry: Entry) -> Entry:
        """A formula with the modifiers that need no model."""
        made = meaning(replace(world, metrics={**world.metrics, "x": entry}), "x")
        return replace(self._modified(world, entry, made, 0.5), codes=entry.codes)

    def _term(self, names: Sequence[str], depth: int) -> Term:
        draws = self.draws
        if not depth or draws.maybe(0.1):
            is_number = draws.maybe(0.2)
            return (
                Term("number", draws.one(("0", "2", "0.5", "30.4375")))
                if is_number
                else Term("metric", draws.one(names))
            )
        op = draws.one(OPERATIONS)
        return Term(op, parts=tuple(self._term(names, depth - 1) for _ in range(1 if op == "negative" else 2)))

    def _is_number(self, world: World, called: str) -> bool:
        made = meaning(world, called)
        return (
            not isinstance(made, Ranked)
            and world.metrics[called].unit not in NO_UNIT
            and not any(_is_text_value(world, t) for t in totals_of(made))
            and not _is_day(made)
        )

    def _varied(self, world: World) -> Entry | None:
        draws = self.draws
        origin = draws.one(list(world.metrics))
        made = meaning(world, origin)
        if isinstance(made, Ranked) or _is_day(made):
            return None
        unit = world.metrics[origin].unit
        entry = Entry(kind="metric", varies=origin, unit=unit if unit in NO_UNIT else "")
        for _ in range(5):
            varied = self._modified(world, entry, made, 0.5)
            if replace(varied, codes={}) != entry:
                return varied
        return None


def reached(world: World, totals: Sequence[Total]) -> list[str]:
    """The dimensions that all measures reach in one way, by all their names."""
    rows = Rows(world, None)
    sets = []
    for table in (world.tables[t.model] for t in totals):
        names = set(table.dimensions)
        for path, target in rows.ways(table):
            names |= set(target.dimensions) | {".".join((*path, n)) for n in target.dimensions}
        sets.append({n for n in names if len(rows.paths_to(table, n)) == 1})
    return sorted(set.intersection(*sets))


TIMES = (Time("seen_at"), Time("seen_on", is_date=True), Time("due_at"), Time("due_on", is_date=True))


def _length(text: str) -> Length:
    count, _, unit = text.partition(" ")
    return Length(int(count), unit)


def _by_clock(total: Total) -> bool:
    lengths = (total.shift, total.window.length if total.window else None)
    return any(length is not None and length.minutes for length in lengths)


def _is_clock(text: str) -> bool:
    return _length(text).minutes > 0


def _is_text(entry: Entry) -> bool:
    return entry.unit in NO_UNIT


def _is_text_value(world: World, total: Total) -> bool:
    if total.kind not in ("min", "max", "first", "last") or total.value is None:
        return False
    return total.value.op == "name" and total.value.name.rpartition(".")[2] not in NUMBERS


def _is_day(made: Meaning) -> bool:
    return isinstance(made, Formula) and made.term.op == "days_after"


def _rests_on_others(made: Meaning) -> bool:
    """Whether it is of a rank, or of each of something, which no modifier may change."""
    if isinstance(made, Formula):
        return any(_rests_on_others(m) for m in made.inputs.values())
    return isinstance(made, Eached | Ranked)
