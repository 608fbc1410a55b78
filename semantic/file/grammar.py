"""The modifiers of one entry taken together: which kinds have them, and which of them exclude each other."""

from semantic.file.document import Value
from semantic.file.draft import Draft
from semantic.file.models import read_time
from semantic.file.modifiers import WINDOWS, read_empty, read_grain_cut, read_shift, read_window
from semantic.file.variations import Variation
from semantic.measure import Aggregation
from semantic.metric import Metric

KINDS = tuple(a for a in Aggregation if a not in (Aggregation.APPROXIMATE_DISTINCT, Aggregation.DISCRETE_PERCENTILE))
ALL_KINDS = (*KINDS, "expr", "funnel", "metric")
OWN = {"p": "percentile", "method": "percentile", "approximate": "count_distinct", "snapshot": "sum"}
"""Modifiers that only one kind has."""
OF_ROWS = ("where", "time", "empty")
MOVES = ("shift", "change")
LAST = ("share", "grain", "rank", "each")
MODIFIERS = (*OWN, *OF_ROWS, *WINDOWS, *MOVES, *LAST)
_EXCLUSIVE = (WINDOWS, MOVES, LAST)


def check_together(kind: str, value: Value, body: Value, draft: Draft) -> None:
    """Notes modifiers that would be silently without effect, or of which only one can have its way."""
    for key, _ in body.entries:
        reason = _why_not(kind, key.text)
        if reason:
            draft.mistakes.add(key, f"'{key.text}:' has no meaning beside '{kind}:'; {reason}")
    for names in _EXCLUSIVE:
        given = [key for key, _ in body.entries if key.text in names]
        for key in given[1:]:
            draft.mistakes.add(
                key, f"'{key.text}:' and '{given[0].text}:' exclude each other; make a metric of one and vary that"
            )
    if body.get("change") and (share := body.get("share")):
        draft.mistakes.add(
            share, "a share is a part of a sum, which a change is not; declare the share, then change it"
        )
    output = value.get("output") if kind == "funnel" else None
    if kind == "funnel" and (empty := body.get("empty")) and (output is None or output.text == "rate"):
        draft.mistakes.add(empty, "a rate of nothing is null; give empty: to a funnel with output: count")


def _why_not(kind: str, modifier: str) -> str:
    if modifier in OWN and kind != OWN[modifier]:
        if modifier == "snapshot" and kind in KINDS:
            return ""  # told by the measure, in its own words
        if kind in ("metric", "expr"):
            return "declare a measure of its own"
        return f"only '{OWN[modifier]}:' has it"
    if kind == "expr" and modifier in OF_ROWS:
        return "give it to the metrics that the formula uses, or vary the formula: {metric: NAME, ..}"
    return ""


def read_variation(body: Value, base: Metric | None, draft: Draft) -> Variation:
    """What an entry changes of its base; where there is no base, its mistakes are noted all the same."""
    measures = draft.measures_of(base) if base else {}
    models = {m.model: draft.models[m.model] for m in measures.values()}
    where, time = body.get("where"), body.get("time")
    tree = draft.condition(where, models) if where else None
    column = read_time(time, draft.mistakes)
    if time is not None and len(models) > 1 and base is not None:
        names = ", ".join(models)
        draft.mistakes.add(
            time,
            f"'{base.name}' rests on several models ({names}), which have no time column in common; vary its metrics",
        )
    return Variation(
        (tree,) if tree else (),
        column,
        read_empty(body.get("empty"), draft),
        read_window(body, draft),
        read_shift(body.get("shift"), draft),
        read_grain_cut(body.get("grain"), draft),
    )


def conditions(body: Value) -> str:
    """What narrows or moves a metric, in words: for the catalog's reader. 0 for no rows goes without saying."""
    given = [(name, value) for name in MODIFIERS if (value := body.get(name))]
    return "".join(f", {name}: {written(value)}" for name, value in given if name != "empty" or value.text == "carry")


def written(value: Value) -> str:
    """A part of the file on one line."""
    if value.kind == "mapping":
        return ", ".join(f"{k.text} {_inner(v)}" for k, v in value.entries)
    return " and ".join(_inner(v) for v in value.items) or value.text


def _inner(value: Value) -> str:
    """Two levels are shown; an alias could make a third one endless."""
    if value.kind == "mapping":
        return f"({', '.join(f'{k.text} {v.text}'.strip() for k, v in value.entries)})"
    return " and ".join(item.text or _flat(item) for item in value.items) or value.text


def _flat(value: Value) -> str:
    return f"({', '.join(f'{k.text} {v.text}'.strip() for k, v in value.entries)})"
