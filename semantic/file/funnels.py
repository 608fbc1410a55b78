"""`funnel:` what follows each row of a model: how often, how many, how long it takes."""

from dataclasses import replace

from sqlglot import exp

from semantic.errors import suggestion
from semantic.file.document import Value, check_keys
from semantic.file.draft import Draft, Entry
from semantic.file.duration import read_duration
from semantic.file.grammar import written
from semantic.file.names import is_column, is_name, one_of
from semantic.measure import Aggregation, Formula, Funnel, Measure, Step
from semantic.metric import Metric, Reasons
from semantic.model import Model

OUTPUTS = ("rate", "count", "starts", "time")
MAX_STEPS = 10


def read_funnel(key: Value, value: Value, draft: Draft) -> Metric | None:
    """The measure of a funnel: for a rate, the count of the converted."""
    keys = {"start", "by", "steps", "within", "output"}
    if not check_keys(value, keys, draft.mistakes, ("start", "by", "steps", "within")):
        return None
    start, by, within, output = (value.get(k) for k in ("start", "by", "within", "output"))
    model = _model(start, draft) if start else None
    length = read_duration(within, draft.mistakes, "within:") if within else None
    is_known = output is None or one_of(output, OUTPUTS, draft.mistakes, "output")
    if by is None or not is_column(by, draft.mistakes):
        return None
    steps = _steps(value.get("steps"), by.text, draft)
    if model is None or length is None or steps is None or not is_known:
        return None
    measure = Measure(model.name, Aggregation.COUNT, funnel=Funnel(by.text, steps, length))
    is_time = output is not None and output.text == "time"
    if is_time:
        measure = replace(measure, aggregation=Aggregation.AVG, is_converted=False)
    elif output is None or output.text != "starts":
        measure = replace(measure, is_converted=True)
    source = f"funnel: {written(value)}"
    return Metric(key.text, measure, "seconds" if is_time else "", source_text=source, mark=key.mark)


def output_of(body: Value) -> str:
    funnel = body.get("funnel")
    output = funnel.get("output") if funnel else None
    return output.text if output else "rate"


def rate(entry: Entry, converted: Metric, reasons: Reasons, draft: Draft) -> Metric | None:
    """The converted of those that start; why nobody starts is why there is no rate."""
    assert isinstance(converted.definition, Measure)
    starts = replace(
        converted, definition=replace(converted.definition, is_converted=None), reasons=Reasons(zero=reasons.empty)
    )
    name = entry.key.text
    over = draft.add_part(f"{name}__converted", converted, entry)
    under = draft.add_part(f"{name}__starts", starts, entry)
    if over is None or under is None:
        return None
    tree = exp.Div(this=exp.column(over), expression=exp.column(under))
    return Metric(name, Formula(tree, (over, under)), "ratio")


def _model(value: Value, draft: Draft, *, needs_time: bool = False) -> Model | None:
    model = draft.models.get(value.text)
    if model is None:
        draft.mistakes.add(value, f"there is no model '{value.text}'; {suggestion(value.text, draft.models)}")
    elif needs_time and model.time is None:
        draft.mistakes.add(value, f"the model '{model.name}' has no time, so its rows are no step that follows another")
        return None
    return model


def _steps(value: Value | None, by: str, draft: Draft) -> tuple[Step, ...] | None:
    if value is None:
        return None
    if not value.items or len(value.items) > MAX_STEPS:
        draft.mistakes.add(
            value, f"steps: is a list of 1 to {MAX_STEPS} steps, such as [{{name: paid, model: orders}}]"
        )
        return None
    steps = [_step(item, by, draft) for item in value.items]
    names: set[str] = set()
    for item in value.items:
        name = item.get("name")
        if name is not None and name.text in names:
            draft.mistakes.add(name, f"two steps are called '{name.text}'")
        names.add(name.text if name else "")
    return tuple(s for s in steps if s) if all(steps) else None


def _step(value: Value, by: str, draft: Draft) -> Step | None:
    if not check_keys(value, {"name", "model", "by", "where"}, draft.mistakes, ("name", "model")):
        return None
    name, of, own, where = (value.get(k) for k in ("name", "model", "by", "where"))
    model = _model(of, draft, needs_time=True) if of else None
    is_named = name is not None and is_name(name, draft.mistakes, "a step")
    if (own is not None and not is_column(own, draft.mistakes)) or model is None or name is None or not is_named:
        return None
    tree = draft.condition(where, {model.name: model}) if where else None
    if where is not None and tree is None:
        return None
    return Step(name.text, model.name, own.text if own else by, (tree,) if tree else ())
