"""One measure of `metrics:`: an aggregation over a model's rows, a column or a scalar of them."""

import re
from dataclasses import replace

from sqlglot import exp

from semantic.errors import suggestion
from semantic.expression import ExpressionError, parse_column
from semantic.file.document import Value, check_keys
from semantic.file.draft import Draft
from semantic.file.modifiers import read_snapshot
from semantic.file.names import COLUMN, flag_of, one_of
from semantic.measure import Aggregation, Measure
from semantic.model import Model

_FRACTION = re.compile(r"0?\.\d{1,9}")


def read_measure(kind: Aggregation, value: Value, body: Value, draft: Draft) -> Measure | None:
    """The measure without what a variation could add, too."""
    found = _subject(kind, value, draft)
    if found is None:
        return None
    model, tree = found
    measure = Measure(model.name, _aggregation(kind, body, draft), tree, _fraction(kind, body, draft))
    snapshot = body.get("snapshot")
    if snapshot is not None and kind is not Aggregation.SUM:
        draft.mistakes.add(snapshot, f"a snapshot is a sum over entities, not {kind}")
        return None
    return replace(measure, snapshot=read_snapshot(snapshot, model, draft))


def _subject(kind: Aggregation, value: Value, draft: Draft) -> tuple[Model, exp.Expression | None] | None:
    """The model and the value of each row; no value for a count of rows."""
    if not value.is_scalar:
        return _scalar(kind, value, draft)
    name, _, column = value.text.partition(".")
    model = draft.models.get(name)
    if model is None:
        draft.mistakes.add(value, f"there is no model '{name}'; {suggestion(name, draft.models)}")
        return None
    if kind is Aggregation.COUNT:
        if not column:
            return model, None
        draft.mistakes.add(value, f"count takes a model (its rows are counted); use count_distinct for '{column}'")
        return None
    if not COLUMN.fullmatch(column):
        draft.mistakes.add(value, f"{kind} takes 'model.column', such as {name}.cost_usd; this is '{value.text}'")
        return None
    return model, exp.column(column)


def _scalar(kind: Aggregation, value: Value, draft: Draft) -> tuple[Model, exp.Expression] | None:
    if kind is Aggregation.COUNT:
        draft.mistakes.add(value, "count takes a model (its rows are counted); narrow it with where:")
        return None
    if not check_keys(value, {"model", "value"}, draft.mistakes, ("model", "value")):
        return None
    name, text = value.get("model"), value.get("value")
    model = draft.models.get(name.text) if name else None
    if name is not None and model is None:
        draft.mistakes.add(name, f"there is no model '{name.text}'; {suggestion(name.text, draft.models)}")
    if text is None:
        return None
    try:
        tree = parse_column(text.text)
    except ExpressionError as error:
        draft.mistakes.add(text.place(error.column), str(error))
        return None
    if model is None:
        return None
    draft.check_names(tree, text, model)
    return model, tree


def _aggregation(kind: Aggregation, body: Value, draft: Draft) -> Aggregation:
    method = body.get("method")
    is_discrete = method is not None and one_of(method, ("continuous", "discrete"), draft.mistakes, "method")
    if kind is Aggregation.PERCENTILE and method is not None and is_discrete and method.text == "discrete":
        return Aggregation.DISCRETE_PERCENTILE
    if flag_of(body.get("approximate"), draft.mistakes, "approximate") and kind is Aggregation.COUNT_DISTINCT:
        return Aggregation.APPROXIMATE_DISTINCT
    return kind


def _fraction(kind: Aggregation, body: Value, draft: Draft) -> str | None:
    if kind is Aggregation.MEDIAN:
        return "0.5"
    if kind is not Aggregation.PERCENTILE:
        return None
    value = body.get("p")
    if value is None or not _FRACTION.fullmatch(value.text) or not value.text.strip("0."):
        draft.mistakes.add(value or body, "a percentile needs p between 0 and 1, such as p: 0.95")
        return None
    return value.text


def natural_unit(measure: Measure, draft: Draft) -> str:
    """That a value of the rows is a text or a day, where it is a dimension that says so; else nothing is known."""
    keeps_value = measure.aggregation in (Aggregation.MIN, Aggregation.MAX, Aggregation.FIRST, Aggregation.LAST)
    if not keeps_value or not isinstance(measure.value, exp.Column):
        return ""
    model = draft.models[measure.model]
    *roles, name = (part.name for part in measure.value.parts)
    for role in roles:
        model = draft.models[model.joins[role].target]
    dimension = model.dimensions.get(name)
    return _UNITS.get(dimension.type, "") if dimension else ""


_UNITS = {"string": "text", "enum": "text", "date": "date"}
