"""One entry of `metrics:` -> Metric. Exactly one key decides the kind, so there is no `type:` to get out of step.

Kinds: an aggregation over `model` or `model.column`; `expr` over other metrics; `metric`, a variation of another one.
"""

import re
from collections.abc import Mapping
from dataclasses import replace

from sqlglot import exp

from semantic.document import Mistakes, Value, check_keys
from semantic.errors import Mark, suggestion
from semantic.expression import ExpressionError, names_in, parse_formula, parse_predicate
from semantic.model import Aggregation, Formula, Measure, Metric, Model, Reasons, Rolling, Snapshot

KINDS = {*Aggregation, "expr", "metric"}
MODIFIERS = {"p", "where", "rolling", "snapshot", "empty"}
OF_A_FORMULA: set[str] = set()
OF_A_VARIATION = {"where", "rolling", "empty"}
META = {"unit", "label", "description", "better", "when_unknown", "when_empty", "when_zero"}
_CODE = re.compile(r"[A-Z][A-Z0-9_]*")
_DURATION = re.compile(r"(\d{1,4}) days?")


def read_metric(
    key: Value,
    body: Value,
    entries: Mapping[str, tuple[Value, Value]],
    models: Mapping[str, Model],
    metrics: dict[str, Metric],
    mistakes: Mistakes,
) -> Metric | None:
    """Reads one metric into `metrics`; a variation reads the metric that it varies first."""
    if body.is_scalar:
        metric = _formula_metric(key, body, mistakes)
        return None if metric is None else metrics.setdefault(key.text, metric)
    if not check_keys(body, {*KINDS, *MODIFIERS, *META}, mistakes):
        return None
    kinds = [k for k, _ in body.entries if k.text in KINDS]
    if len(kinds) != 1:
        given = ", ".join(k.text for k in kinds) or "none"
        mistakes.add(body, f"'{key.text}' needs exactly one kind ({', '.join(sorted(KINDS))}), it has {given}")
        return None
    value = body.get(kinds[0].text)
    assert value is not None
    _check_modifiers(kinds[0].text, body, mistakes)
    if kinds[0].text == "expr":
        metric = _formula_metric(key, value, mistakes)
    elif kinds[0].text == "metric":
        metric = _variation(key, value, body, entries, models, metrics, mistakes)
    else:
        metric = _measure_metric(key, Aggregation(kinds[0].text), value, body, models, mistakes)
    if metric is None:
        return None
    return metrics.setdefault(key.text, _with_meta(metric, key, body, mistakes))


def _check_modifiers(kind: str, body: Value, mistakes: Mistakes) -> None:
    """A modifier that a kind does not have would be silently without effect."""
    allowed = {"expr": OF_A_FORMULA, "metric": OF_A_VARIATION}.get(kind, MODIFIERS)
    for key, _ in body.entries:
        if key.text in MODIFIERS - allowed:
            instead = (
                "give it to the metrics that the formula uses" if kind == "expr" else "declare a measure of its own"
            )
            mistakes.add(key, f"'{key.text}:' has no meaning beside '{kind}:'; {instead}")


def _formula_metric(key: Value, value: Value, mistakes: Mistakes) -> Metric | None:
    try:
        tree = parse_formula(value.text)
    except ExpressionError as error:
        mistakes.add(_inside(value, error.column), str(error))
        return None
    places = {name: place for name, place in names_in(tree).items() if name != "as_of"}
    if not places:
        mistakes.add(value, f"'{key.text}' uses no other metric; a formula combines metrics")
        return None
    formula = Formula(tree, tuple(places), tuple(_inside(value, place) for place in places.values()))
    return Metric(key.text, formula, source_text=value.text, mark=key.mark)


def _inside(value: Value, column: int) -> Mark:
    """A place inside a scalar; exact for plain and quoted text on one line, else the start of the scalar."""
    style = getattr(value.node, "style", None)
    if "\n" in value.text or style in ("|", ">"):
        return value.mark
    return replace(value.mark, column=value.mark.column + max(column - 1, 0) + (1 if style else 0))


def _measure_metric(
    key: Value, kind: Aggregation, value: Value, body: Value, models: Mapping[str, Model], mistakes: Mistakes
) -> Metric | None:
    name, _, column = value.text.partition(".")
    model = models.get(name)
    if model is None:
        mistakes.add(value, f"there is no model '{name}'; {suggestion(name, models)}")
        return None
    if kind is Aggregation.COUNT:
        if column:
            mistakes.add(value, f"count takes a model (its rows are counted); use count_distinct for '{column}'")
    elif not re.fullmatch(r"[A-Za-z_]\w*", column):
        mistakes.add(value, f"{kind} takes 'model.column', such as {name}.cost_usd; this is '{value.text}'")
        return None
    fraction = _fraction(kind, body, mistakes)
    where = _where(body.get("where"), model, mistakes)
    rolling, snapshot = _rolling(body, kind, model, mistakes), _snapshot(body, kind, model, mistakes)
    measure = Measure(name, kind, column or None, fraction, where, rolling, snapshot)
    _check_windows(measure, model, body, mistakes)
    return Metric(key.text, measure, source_text=f"{kind}: {value.text}{_conditions(body)}", mark=key.mark)


def _variation(
    key: Value,
    value: Value,
    body: Value,
    entries: Mapping[str, tuple[Value, Value]],
    models: Mapping[str, Model],
    metrics: dict[str, Metric],
    mistakes: Mistakes,
) -> Metric | None:
    name = value.text
    within = {k: v for k, v in entries.items() if k != key.text}  # so that two variations of each other end
    if name not in within:
        mistakes.add(value, f"there is no metric '{name}' to vary; {suggestion(name, within)}")
        return None
    origin = metrics.get(name) or read_metric(*within[name], within, models, metrics, mistakes)
    if origin is None:
        return None
    if not isinstance(origin.definition, Measure):
        mistakes.add(value, f"'{name}' is a formula; vary the metrics that it rests on: {origin.source_text}")
        return None
    model = models[origin.definition.model]
    where = (*origin.definition.where, *_where(body.get("where"), model, mistakes))
    rolling = _rolling(body, origin.definition.aggregation, model, mistakes) or origin.definition.rolling
    definition = replace(origin.definition, where=where, rolling=rolling)
    if definition == origin.definition:
        mistakes.add(body, f"'{key.text}' varies nothing of '{name}'; give it a where: or rolling:")
    _check_windows(definition, model, body, mistakes)
    source = f"{origin.source_text}{_conditions(body)}"
    return replace(
        origin, name=key.text, definition=definition, label="", description="", source_text=source, mark=key.mark
    )


def _check_windows(measure: Measure, model: Model, body: Value, mistakes: Mistakes) -> None:
    if measure.rolling and measure.snapshot:
        mistakes.add(body, "a snapshot has one value a period; it cannot roll")
    if (measure.rolling or measure.snapshot) and model.time is None:
        mistakes.add(body, f"the model '{model.name}' has no time, so nothing can roll or be carried over it")


def _conditions(body: Value) -> str:
    """What narrows a measure, in words: for the catalog's reader."""
    parts = [(name, body.get(name)) for name in ("p", "where", "rolling", "snapshot")]
    return "".join(f", {name}: {_written(value)}" for name, value in parts if value)


def _written(value: Value) -> str:
    if value.kind == "mapping":
        return ", ".join(f"{k.text} {_written(v)}" for k, v in value.entries)
    return " and ".join(v.text for v in value.items) or value.text


def _with_meta(metric: Metric, key: Value, body: Value, mistakes: Mistakes) -> Metric:
    texts = {k: v.text for k, v in ((k.text, v) for k, v in body.entries) if k in META}
    for name in ("when_unknown", "when_empty", "when_zero"):
        code = body.get(name)
        if code and not _CODE.fullmatch(code.text):
            mistakes.add(code, f"a reason is a code in capitals, such as NO_SESSIONS; this is '{code.text}'")
    better, empty = body.get("better"), body.get("empty")
    if better and better.text not in {"higher", "lower"}:
        mistakes.add(better, "better: is higher or lower")
    if empty and empty.text not in {"null", "zero"}:
        mistakes.add(empty, "empty: is null or zero")
    old = metric.reasons
    return replace(
        metric,
        unit=texts.get("unit", metric.unit),
        label=texts.get("label", metric.label) or metric.name.replace("_", " ").capitalize(),
        description=texts.get("description", metric.description),
        better="higher" if texts.get("better") == "higher" else "lower" if texts.get("better") else metric.better,
        empty=("zero" if empty.text == "zero" else "null") if empty else metric.empty,
        reasons=Reasons(
            texts.get("when_unknown", old.unknown), texts.get("when_empty", old.empty), texts.get("when_zero", old.zero)
        ),
    )


def _where(value: Value | None, model: Model, mistakes: Mistakes) -> tuple[exp.Expression, ...]:
    if value is None:
        return ()
    try:
        tree = parse_predicate(value.text)
    except ExpressionError as error:
        mistakes.add(_inside(value, error.column), str(error))
        return ()
    for name in names_in(tree):
        role = name.rpartition(".")[0]
        if role and role not in model.joins:
            mistakes.add(value, f"'{model.name}' has no join '{role}'; {suggestion(role, model.joins)}")
    return (tree,)


def _fraction(kind: Aggregation, body: Value, mistakes: Mistakes) -> str | None:
    value = body.get("p")
    if kind is Aggregation.MEDIAN:
        return "0.5"
    if kind is not Aggregation.PERCENTILE:
        if value:
            mistakes.add(value, "only a percentile has p")
        return None
    if value is None or not value.is_number or not 0 < float(value.text) < 1:
        mistakes.add(value or body, "a percentile needs p between 0 and 1, such as p: 0.95")
        return None
    return value.text


def _rolling(body: Value, kind: Aggregation, model: Model, mistakes: Mistakes) -> Rolling | None:
    value = body.get("rolling")
    if value is None:
        return None
    window = value if value.is_scalar else value.get("window")
    average = None if value.is_scalar else value.get("average")
    if not value.is_scalar:
        check_keys(value, {"window", "average"}, mistakes, ("window",))
    matched = _DURATION.fullmatch(window.text) if window else None
    if matched is None or int(matched[1]) == 0:
        mistakes.add(window or value, "a window is a number of days, such as 30 days")
        return None
    if kind not in (Aggregation.SUM, Aggregation.COUNT):
        mistakes.add(value, f"only a sum or a count can roll over days, not {kind}")
    if average and average.text != "month":
        mistakes.add(average, "average: is month (30.4375 days)")
    return Rolling(int(matched[1]), average is not None)


def _snapshot(body: Value, kind: Aggregation, model: Model, mistakes: Mistakes) -> Snapshot | None:
    value = body.get("snapshot")
    if value is None:
        return None
    if not check_keys(value, {"take", "per", "carry"}, mistakes, ("take", "per")):
        return None
    take, per, carry = value.get("take"), value.get("per"), value.get("carry")
    if take and take.text != "last":
        mistakes.add(take, "take: is last")
    if carry and not carry.truth:
        mistakes.add(carry, "a balance is carried until the next one; carry: is true")
    if kind is not Aggregation.SUM:
        mistakes.add(value, f"a snapshot is a sum over entities, not {kind}")
    names = tuple(v.text for v in (per.items or (per,))) if per else ()
    for name in names:
        if name not in model.dimensions:
            hint = suggestion(name, model.dimensions)
            mistakes.add(per or value, f"'{model.name}' has no dimension '{name}'; {hint}")
    return Snapshot(names)
