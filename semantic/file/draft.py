"""A catalog in the making: what is known while metrics are read, and the hidden metrics that they are made of."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from sqlglot import exp

from semantic.errors import suggestion
from semantic.expression import (
    MAX_LEVELS,
    ExpressionError,
    is_condition,
    levels,
    names_in,
    parse_policy,
    parse_predicate,
)
from semantic.file.document import Mistakes, Value
from semantic.measure import Each, Formula, Measure, Rank
from semantic.metric import Metric
from semantic.model import Dimension, Model
from semantic.periods import Calendar

MAX_NODES = 5_000
"""Of a metric's SQL, each formula written into those that use it."""
MAX_PARTS = 20_000
_OF_A_NAME = 2
"""Levels of a name, which give way to the metric's own."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One metric of the file: its name, what stands under it, and its definition in words."""

    key: Value
    body: Value
    source_text: str

    def named(self, metric: Metric) -> Metric:
        """The metric under the name of the entry."""
        return replace(metric, name=self.key.text, source_text=self.source_text, mark=self.key.mark)


@dataclass(frozen=True, slots=True)
class Draft:
    """Models and calendar are complete; metrics and parts grow while the file is read, each after what it rests on."""

    models: Mapping[str, Model]
    calendar: Calendar
    mistakes: Mistakes
    metrics: dict[str, Metric] = field(default_factory=dict)
    parts: dict[str, Metric] = field(default_factory=dict)
    names: dict[object, str] = field(default_factory=dict)
    """The names of parts by what they are: a part that is the same as another is that other one."""
    sizes: dict[str, tuple[int, int]] = field(default_factory=dict)
    """The nodes and the levels of each metric's SQL."""

    def add(self, metric: Metric, place: Value) -> bool:
        """Whether the metric could be added: it does not grow too large, and what it rests on has no mistake."""
        if not self._fits(metric, place):
            return False
        self.metrics[metric.name] = metric
        return True

    def add_part(self, name: str, metric: Metric, entry: Entry) -> str | None:
        """The name of a hidden metric of an entry; it has a number where another part has the name that was meant."""
        definition = metric.definition
        content = replace(definition, marks=()) if isinstance(definition, Formula) else definition
        key = (content, metric.empty, metric.reasons, metric.unit)
        if key in self.names:
            return self.names[key]
        if len(self.parts) >= MAX_PARTS:
            self.mistakes.add(entry.key, f"the file's variations are made of more than {MAX_PARTS:,} metrics")
            return None
        numbered = (f"{name}_{number}" for number in range(2, MAX_PARTS + 2))
        free = name if name not in self.parts else next(n for n in numbered if n not in self.parts)
        hidden = Metric(
            free,
            definition,
            metric.unit,
            empty=metric.empty,
            reasons=metric.reasons,
            source_text=entry.source_text,
            mark=entry.key.mark,
        )
        if not self._fits(hidden, entry.key):
            return None
        self.parts[free] = hidden
        self.names[key] = free
        return free

    def _fits(self, metric: Metric, place: Value) -> bool:
        definition = metric.definition
        nodes, depth = 1, 1
        if isinstance(definition, Formula):
            if not all(self.metric(name) for name in definition.inputs):
                return False
            uses = [self.sizes[c.name] for c in definition.tree.find_all(exp.Column) if c.name in definition.inputs]
            nodes = sum(1 for _ in definition.tree.walk()) + sum(n for n, _ in uses)
            depth = levels(definition.tree) - _OF_A_NAME + max(d for _, d in uses)
        elif isinstance(definition, Rank | Each):
            nodes, depth = (amount + 10 for amount in self.sizes[definition.of])
        if nodes > MAX_NODES or depth > MAX_LEVELS:
            what = f"{nodes:,} parts" if nodes > MAX_NODES else f"{depth} levels"
            self.mistakes.add(place, f"'{metric.name}' has {what} once its metrics are written in; split it")
            return False
        self.sizes[metric.name] = nodes, depth
        return True

    def metric(self, name: str) -> Metric | None:
        return self.metrics.get(name) or self.parts.get(name)

    def measures_of(self, metric: Metric) -> dict[str, Measure]:
        """The measures that a metric rests on; those of metrics with mistakes are left out."""
        found: dict[str, Measure] = {}
        waiting, met = [metric], {metric.name}
        while waiting:
            current = waiting.pop()
            if isinstance(current.definition, Measure):
                found[current.name] = current.definition
            for name in current.inputs:
                following = self.metric(name)
                if following is not None and name not in met:
                    met.add(name)
                    waiting.append(following)
        return found

    def dimensions(self) -> dict[str, Dimension]:
        return {name: d for model in self.models.values() for name, d in model.dimensions.items()}

    def condition(
        self, value: Value, models: Mapping[str, Model], *, of_a_policy: bool = False
    ) -> exp.Expression | None:
        """A condition over the rows of each of the models; None, with the mistake noted, where it is none."""
        if not value.is_scalar:
            self.mistakes.add(value, f"a condition is a text; this is a {value.kind}")
            return None
        try:
            tree = parse_policy(value.text) if of_a_policy else parse_predicate(value.text)
        except ExpressionError as error:
            self.mistakes.add(value.place(error.column), str(error))
            return None
        if not is_condition(tree):
            self.mistakes.add(value, f"'{value.text}' is neither true nor false; compare it with something")
            return None
        for model in models.values():
            self.check_names(tree, value, model)
        return tree

    def check_names(self, tree: exp.Expression, value: Value, model: Model) -> None:
        """Notes roles that a model does not join. A plain name that is no dimension is a column."""
        for name, place in names_in(tree).items():
            *roles, _ = name.split(".")
            owner = model
            for role in roles:
                if role not in owner.joins:
                    hint = suggestion(role, owner.joins)
                    self.mistakes.add(value.place(place), f"'{owner.name}' has no join '{role}'; {hint}")
                    break
                joined = self.models.get(owner.joins[role].target)
                if joined is None:
                    break
                owner = joined
