"""Metrics -> entries of `metrics:`, each after what it rests on. What cannot be carried is left out, and told."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from semantic.formats.metricflow.aggregates import body_of
from semantic.formats.metricflow.changes import kind_of_change
from semantic.formats.metricflow.conversions import funnel_of
from semantic.formats.metricflow.durations import duration, nature, shift_differs, window_differs, window_of
from semantic.formats.metricflow.entries import Entry, with_words
from semantic.formats.metricflow.measured import measured
from semantic.formats.metricflow.models import Models, Scope
from semantic.formats.metricflow.project import (
    Aggregated,
    Conversion,
    Cumulative,
    Derived,
    Input,
    Metric,
    Ratio,
    Simple,
    Window,
)
from semantic.formats.metricflow.resolve import condition
from semantic.formats.metricflow.sql import carried_formula, columns_in, quoted
from semantic.formats.metricflow.variations import Variation
from semantic.formats.metrics_yaml import Plain
from semantic.formats.report import Finding, Kind, NotCarriedError


@dataclass
class Metrics:
    """The metrics of the file so far. `grains` are the project's own periods that the file declares."""

    models: Models
    grains: frozenset[str]
    findings: list[Finding]
    exact: bool = False
    written: dict[str, Plain] = field(default_factory=dict)
    entries: dict[str, Entry] = field(default_factory=dict)
    counts: list[str] = field(default_factory=list)
    """Metrics that are 0 where theirs are null."""
    _lost: set[str] = field(default_factory=set)
    _trail: list[str] = field(default_factory=list)
    _parts: dict[str, Entry] = field(default_factory=dict)

    def carry_all(self) -> None:
        self.models.measured = lambda scope, reference: measured(self.models, scope, reference, self.entry)
        for name, metric in self.models.project.metrics.items():
            if not metric.is_hidden:
                try:
                    self.entry(name)
                except NotCarriedError:  # told where it was met
                    continue
        self._drop_unused_parts()

    def _drop_unused_parts(self) -> None:
        """Variations that were made for a metric which could not be carried after all."""
        asked = {entry.name for entry in self.entries.values()}
        while unused := self.written.keys() - asked - self._named():
            for name in unused:
                del self.written[name]

    def _named(self) -> set[str]:
        """The metrics that others name."""
        found: set[str] = set()
        for body in self.written.values():
            formula = body if isinstance(body, str) else body.get("expr", "") if isinstance(body, Mapping) else ""
            found |= columns_in(str(formula)) if formula else set()
            found |= {str(body["metric"])} if isinstance(body, Mapping) and "metric" in body else set()
        return found

    def entry(self, name: str) -> Entry:
        """A metric of the project as it stands in the file; `NotCarriedError` where it does not."""
        if name in self.entries:
            return self.entries[name]
        metric = self.models.project.metrics.get(name)
        if metric is None:
            raise NotCarriedError(f"metric '{name}'", "is not declared", "declare it")
        if name in self._trail:
            raise NotCarriedError(f"metric '{name}'", f"rests on itself: {' -> '.join([*self._trail, name])}")
        if name not in self._lost:
            self._trail.append(name)
            try:
                self.entries[name] = self._made(metric)
                return self.entries[name]
            except NotCarriedError as error:
                told = [f for f in self.findings if f.kind is not Kind.DIFFERS or f.place != metric.place]
                self.findings[:] = [*told, error.at(metric.place)]
                self._lost.add(name)
            finally:
                self._trail.pop()
        raise NotCarriedError(f"metric '{name}'", "is not in the file, and this one rests on it", "see there")

    def _made(self, metric: Metric) -> Entry:
        match metric.definition:
            case Simple(base=base):
                return self._simple(metric, base)
            case Ratio(numerator=numerator, denominator=denominator):
                over = self._input(metric, numerator, "numerator")
                under = self._input(metric, denominator, "denominator")
                return self._formula(metric, f"{quoted(over.name)} / {quoted(under.name)}", (over, under))
            case Derived() as derived:
                return self._derived(metric, derived)
            case Cumulative() as cumulative:
                return self._cumulative(metric, cumulative)
            case Conversion() as conversion:
                return self._conversion(metric, conversion)

    def _simple(self, metric: Metric, base: Aggregated) -> Entry:
        name = self.models.names.metrics[metric.name]
        body, scope = self._measured(metric, base)
        is_snapshot = "snapshot" in body
        if not base.fill or base.fill == "0":
            is_aggregate = not is_snapshot and not any("Metric(" in f for f in (*base.filters, *metric.filters))
            entry = Entry(name, frozenset({scope}), is_snapshot=is_snapshot, is_aggregate=is_aggregate)
            return self._add(name, body, metric, entry)
        known = self.models.names.new_metric(f"{name}_known")
        part = Entry(known, frozenset({scope}), is_snapshot=is_snapshot)
        self.written[known] = body
        return self._formula(metric, f"coalesce({quoted(known)}, {base.fill})", (part,))

    def _measured(self, metric: Metric, base: Aggregated) -> tuple[dict[str, Plain], Scope]:
        """The aggregate with its time, its filters and those of the metric, and what it is over no rows."""
        aggregate, models = base.aggregate, self.models
        scope = Scope(aggregate.model, aggregate.time)
        found = body_of(aggregate, models, lambda *told: self._differs(metric, *told), exact=self.exact)
        body = found.written(condition(models, scope, (*base.filters, *metric.filters)))
        if "snapshot" in body and "where" in body:
            self._differs(
                metric, "filter", "chooses among the rows of the moment; theirs finds the moment among the chosen"
            )
        if aggregate.time and aggregate.time != models.times.get(aggregate.model):
            body["time"] = models.time_of(aggregate.model, aggregate.time)
        if isinstance(metric.definition, Cumulative) and base.fill not in ("", "0"):
            raise NotCarriedError(f"fill_nulls_with {base.fill}", "a window is over 0 or nothing", "fill with 0")
        if base.fill == "0" and not found.is_count:
            body["empty"] = "zero"
            self._differs(metric, "fill_nulls_with", "rows that do not know their value stay null; no rows are 0")
        elif not base.fill and found.is_count:
            self.counts.append(models.names.metrics[metric.name])
        return body, scope

    def _input(self, metric: Metric, given: Input, role: str) -> Entry:
        """Another metric as this one uses it: itself, or a variation of it with a name of its own."""
        if given.to_grain:
            what, advice = "a period's first day cannot be read", f"what has come since is to_date: {given.to_grain}"
            raise NotCarriedError(f"offset_to_grain {given.to_grain}", what, advice)
        name = self.models.names.metrics[metric.name]
        wanted = f"{name}_{given.alias or role}"
        return self._varied(metric, self.entry(given.name), (*given.filters, *metric.filters), given.offset, wanted)

    def _varied(
        self, metric: Metric, entry: Entry, filters: tuple[str, ...], offset: Window | None, wanted: str
    ) -> Entry:
        owner = self.models.names.metrics[metric.name]
        varied = Variation(self.models, self.written, self._parts, filters, offset, owner).of(entry, wanted)
        if offset is not None:
            self._differs(metric, f"offset_window {offset}", *shift_differs(offset))
        return varied

    def _derived(self, metric: Metric, derived: Derived) -> Entry:
        if change := self._change(metric, derived):
            return change
        inputs = {i.alias or i.name: self._input(metric, i, i.name) for i in derived.inputs}
        names = {alias: quoted(entry.name) for alias, entry in inputs.items()}
        formula = carried_formula(derived.sql, self.models.dialect, names)
        if "greatest(" in formula.lower() or "least(" in formula.lower():
            self._differs(metric, "greatest, least", "are unknown where an argument is; some databases leave it out")
        return self._formula(metric, formula, tuple(inputs.values()))

    def _change(self, metric: Metric, derived: Derived) -> Entry | None:
        """A metric beside its own earlier value, where the expression is one of the usual ones."""
        now = [i for i in derived.inputs if i.offset is None and not i.to_grain]
        before = [i for i in derived.inputs if i.offset is not None]
        if len(now) != 1 or len(before) != 1 or (now[0].name, now[0].filters) != (before[0].name, before[0].filters):
            return None
        offset = before[0].offset
        kind = kind_of_change(derived.sql, now[0].alias or now[0].name, before[0].alias or before[0].name)
        of = self._input(metric, now[0], now[0].name)
        if not kind or offset is None or of.is_nested or of.natures - {nature(offset)}:
            return None
        self._differs(metric, f"offset_window {offset}", *shift_differs(offset))
        name = self.models.names.metrics[metric.name]
        body: dict[str, Plain] = {
            "metric": of.name,
            "change": {"from": duration(offset, "offset_window"), "as": kind},
        }
        return self._add(name, body, metric, Entry(name, of.scopes, of.natures | {nature(offset)}))

    def _formula(self, metric: Metric, formula: str, inputs: tuple[Entry, ...]) -> Entry:
        name = self.models.names.metrics[metric.name]
        entry = Entry(
            name,
            frozenset[Scope]().union(*(i.scopes for i in inputs)),
            frozenset[str]().union(*(i.natures for i in inputs)),
            formula,
            inputs,
            any(i.is_windowed for i in inputs),
            any(i.is_nested for i in inputs),
            any(i.is_snapshot for i in inputs),
        )
        return self._add(name, {"expr": formula}, metric, entry)

    def _cumulative(self, metric: Metric, cumulative: Cumulative) -> Entry:
        name = self.models.names.metrics[metric.name]
        base = self._base(cumulative.base)
        if isinstance(base, Aggregated):
            body, scope = self._measured(metric, base)
            of = Entry(name, frozenset({scope}), is_snapshot="snapshot" in body)
        else:
            filters = (*base.filters, *metric.filters)
            of = self._varied(metric, self.entry(base.name), filters, base.offset, f"{name}_input")
            body = {"metric": of.name}
        if of.is_windowed or of.is_snapshot or of.is_nested:
            what = "a window over a balance" if of.is_snapshot else "a window over a window"
            raise NotCarriedError("cumulative", f"{what} has no meaning here")
        body |= window_of(cumulative, self.grains)
        for told in window_differs(cumulative):
            self._differs(metric, *told)
        is_nested = cumulative.period_agg == "average"
        if is_nested:
            body["each"] = {"grain": "day", "take": "avg"}
            self._differs(metric, "period_agg average", "counts a day without rows as 0 where it is a count")
        entry = Entry(name, of.scopes, of.natures, is_windowed=True, is_nested=is_nested)
        return self._add(name, body, metric, entry)

    def _base(self, source: Aggregated | Input) -> Aggregated | Input:
        """What a window is over: a metric that is just this aggregate, where there is one."""
        if isinstance(source, Input):
            return source
        for name, metric in self.models.project.metrics.items():
            if metric.definition == Simple(source) and not metric.filters and not metric.is_hidden:
                return Input(name)
        return source

    def _conversion(self, metric: Metric, conversion: Conversion) -> Entry:
        name = self.models.names.metrics[metric.name]
        body, scope = funnel_of(conversion, metric, self.models, lambda *told: self._differs(metric, *told))
        return self._add(name, body, metric, Entry(name, frozenset({scope})))

    def _add(self, name: str, body: Mapping[str, Plain], metric: Metric, entry: Entry) -> Entry:
        self.written[name] = with_words(body, metric, name)
        return entry

    def _differs(self, metric: Metric, construct: str, what: str, advice: str = "") -> None:
        self.findings.append(Finding(Kind.DIFFERS, metric.place, construct, what, advice))
