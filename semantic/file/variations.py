"""A metric changed: a further filter, another window, a shift, keys left out. A formula changes by its measures.

A formula over changed measures is never a mean of ratios. The changed measures are hidden metrics of the catalog.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from sqlglot import exp

from semantic.file.draft import Draft, Entry
from semantic.measure import Aggregation, Cumulative, Cut, Each, Formula, Measure, Rank, Rolling, Time, ToDate, Window
from semantic.metric import Empty, Metric, Reasons
from semantic.periods import Duration, Unit

Named = Callable[[str], str]
"""What a changed metric is called, from the name of the metric."""


@dataclass(frozen=True, slots=True)
class Variation:
    """What changes of a metric; None for what stays."""

    where: tuple[exp.Expression, ...] = ()
    time: Time | None = None
    empty: Empty | None = None
    window: Window | None = None
    shift: Duration | None = None
    cut: Cut | None = None

    @property
    def is_nothing(self) -> bool:
        return not self.where and not any((self.time, self.empty, self.window, self.shift, self.cut))


@dataclass(frozen=True, slots=True)
class Changer:
    """Applies one variation; what a formula rests on is changed once, however often it is used."""

    draft: Draft
    entry: Entry
    variation: Variation
    named: Named
    reasons: Reasons | None = None
    """Of the parts, in place of their own reasons to be empty or 0."""
    done: dict[str, str | None] = field(default_factory=dict)

    def changed(self, metric: Metric) -> Metric | None:
        """The metric with the variation; None, with the mistake noted, where it has no meaning."""
        match metric.definition:
            case Measure() as measure:
                empty = self.variation.empty or metric.empty
                varied = self._measure(metric.name, measure)
                return None if varied is None else replace(metric, definition=varied, empty=empty)
            case Formula() as formula:
                rebuilt = self._formula(formula)
                return None if rebuilt is None else replace(metric, definition=rebuilt)
            case Rank(of=of) | Each(of=of):
                kind = "ranks" if isinstance(metric.definition, Rank) else "aggregates"
                instead = instead_of(of, "change")
                self._refuse(f"'{metric.name}' {kind} another metric and cannot be changed; {instead}")
        return None

    def part(self, name: str) -> str | None:
        """The name of the hidden metric that is `name` changed; None where there is none."""
        if name not in self.done:
            metric = self.draft.metric(name)
            made = self.changed(metric) if metric else None
            self.done[name] = self._add(self.named(name), made) if made else None
        return self.done[name]

    def _add(self, name: str, made: Metric) -> str | None:
        if self.reasons:
            made = replace(made, reasons=replace(self.reasons, unknown=made.reasons.unknown))
        return self.draft.add_part(name, made, self.entry)

    def _formula(self, formula: Formula) -> Formula | None:
        names = {name: self.part(name) for name in formula.inputs}
        if not all(names.values()):
            return None
        tree = formula.tree.copy()
        for column in list(tree.find_all(exp.Column)):
            if column.name in names:
                column.set("this", exp.to_identifier(names[column.name]))
        return Formula(tree, tuple(dict.fromkeys(n for n in names.values() if n)))

    def _measure(self, name: str, measure: Measure) -> Measure | None:
        change = self.variation
        shift = _longer(measure.shift, change.shift)
        if measure.shift and change.shift and shift is None:
            already = f"'{name}' is shifted by {measure.shift} already"
            self._refuse(f"{already}; {change.shift} cannot be added to that", "shift", "change")
            return None
        definition = replace(
            measure,
            where=(*measure.where, *(w for w in change.where if w not in measure.where)),
            time=change.time or measure.time,
            window=change.window or measure.window,
            carry=measure.carry if change.empty is None else change.empty == "carry",
            shift=shift,
            cut=_narrower(measure.cut, change.cut),
        )
        refused = why_not(definition, self.draft)
        if refused:
            self._refuse(refused[1], refused[0], "change" if refused[0] == "shift" else refused[0])
        return None if refused else definition

    def _refuse(self, message: str, *modifiers: str) -> None:
        body = self.entry.body
        places = [place for place in map(body.get, modifiers) if place]
        self.draft.mistakes.add(places[0] if places else body, message)


def instead_of(of: str, verb: str) -> str:
    """What to do with what a metric is made over, which may be a part without a name in the file."""
    return (
        f"declare what it is made of as a metric and {verb} that"
        if "__" in of
        else f"{verb} '{of}', which it is made of"
    )


def why_not(measure: Measure, draft: Draft) -> tuple[str, str] | None:
    """The modifier of a measure that does not go with the rest of it, and why."""
    window = measure.window
    name = {Rolling: "rolling", ToDate: "to_date", Cumulative: "cumulative"}.get(type(window), "")
    if window and measure.snapshot:
        return name, "a snapshot has one value a period; it cannot roll"
    if measure.carry and window:
        return "empty", "empty: carry has no meaning beside a window, which reads earlier periods by itself"
    if measure.carry and measure.snapshot:
        return "empty", "empty: carry has no meaning beside a snapshot; give the snapshot carry: true"
    if measure.average and measure.aggregation not in (Aggregation.SUM, Aggregation.COUNT):
        return name, f"only a sum or a count has an average over a window, not {measure.aggregation}"
    time = measure.time or draft.models[measure.model].time
    if time is not None:
        clock = _by_the_clock(measure) if time.is_date else ""
        of = f"the time of '{measure.model}' is a date; use days or more"
        return (clock, f"{clock}: is of the clock, and {of}") if clock else None
    return next(((key, _no_time(measure.model, what)) for key, what in _needs(measure, name) if what), None)


def _needs(measure: Measure, window: str) -> Iterator[tuple[str, str]]:
    """The modifiers that read the time, with what they do."""
    yield window, "it cannot be read over a window" if measure.window else ""
    yield "snapshot", "it has no last row of a period" if measure.snapshot else ""
    yield "empty", "nothing is earlier to be carried over" if measure.carry else ""
    yield "shift", "there is nothing earlier to be read" if measure.shift else ""
    yield "funnel", "nothing follows another row" if measure.funnel else ""
    is_ordered = measure.aggregation in (Aggregation.FIRST, Aggregation.LAST)
    yield measure.aggregation, "it has no first and no last row" if is_ordered else ""


def _by_the_clock(measure: Measure) -> str:
    """The modifier that reads hours or minutes."""
    if isinstance(measure.window, Rolling) and measure.window.length.unit.is_clock:
        return "rolling"
    return "shift" if measure.shift and measure.shift.unit.is_clock else ""


def _no_time(model: str, what: str) -> str:
    return f"the model '{model}' has no time, so {what}; give the model a time:"


def _longer(first: Duration | None, second: Duration | None) -> Duration | None:
    """Both lengths together; None where they are of different kinds."""
    if first is None or second is None:
        return first or second
    for amount, unit in (("days", Unit.DAY), ("months", Unit.MONTH), ("minutes", Unit.MINUTE)):
        mine, other = getattr(first, amount), getattr(second, amount)
        if mine and other:
            return Duration(mine + other, unit)
    return None


def _narrower(first: Cut | None, second: Cut | None) -> Cut | None:
    """The keys that neither leaves out."""
    if first is None or second is None:
        return first or second
    if first.keeps and second.keeps:
        return Cut(first.names & second.names, keeps=True)
    if not first.keeps and not second.keeps:
        return Cut(first.names | second.names)
    kept, dropped = (first, second) if first.keeps else (second, first)
    return Cut(kept.names - dropped.names, keeps=True)
