"""A filter such as `{{ Dimension('session__outcome') }} = 'failed'` -> SQL text and the things that it refers to.

Inside the braces stands a call that is also a Python expression, so Python's own parser reads it. Nothing is run.
"""

import ast
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from semantic.formats.report import NotCarriedError

_CALL = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
GRAINS = (
    "nanosecond", "microsecond", "millisecond", "second", "minute", "hour", "day", "week", "month", "quarter", "year",
)  # fmt: skip
METRIC_TIME = "metric_time"


@dataclass(frozen=True, slots=True)
class Reference:
    """`path` is the entities on the way (of a metric, those it is grouped by), `name` what stands at its end."""

    kind: Literal["dimension", "entity", "metric"]
    path: tuple[str, ...]
    name: str
    grain: str = ""
    date_part: str = ""

    def __str__(self) -> str:
        return "__".join((*self.path, self.name, *([self.grain] if self.grain else ())))


Piece = str | Reference


def pieces_of(template: str) -> tuple[Piece, ...]:
    """SQL text and references in turn; `NotCarriedError` for Jinja that is more than references."""
    if "{%" in template or "{#" in template:
        raise NotCarriedError(f"filter {template}", "is a Jinja program", "write the condition out")
    pieces: list[Piece] = []
    for number, piece in enumerate(_CALL.split(template)):
        pieces.append(_reference(piece.strip()) if number % 2 else piece)
    return tuple(p for p in pieces if p != "")


def rendered(pieces: Iterable[Piece], sql_of: Callable[[Reference], str]) -> str:
    """The filter as one line of SQL."""
    text = "".join(p if isinstance(p, str) else sql_of(p) for p in pieces)
    return " ".join(text.split())


def _reference(call: str) -> Reference:
    try:
        tree = ast.parse(call, mode="eval").body
        return _read_call(tree)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        what = "is neither a dimension, an entity nor a metric"
        raise NotCarriedError(f"filter {{{{ {call} }}}}", what, "write its value out") from error


def _read_call(tree: ast.expr) -> Reference:
    """`Dimension(name)`, `TimeDimension(name, grain)`, `Entity(name)` or `Metric(name, group_by)`, perhaps with
    `.grain(g)` or `.date_part(p)` behind it. `ValueError` for anything else."""
    grain = date_part = ""
    while isinstance(tree, ast.Call) and isinstance(tree.func, ast.Attribute):
        (argument,) = tree.args
        if tree.func.attr == "grain":
            grain = str(ast.literal_eval(argument)).lower()
        elif tree.func.attr == "date_part":
            date_part = str(ast.literal_eval(argument)).lower()
        else:
            raise ValueError(tree.func.attr)
        tree = tree.func.value
    if not isinstance(tree, ast.Call) or not isinstance(tree.func, ast.Name):
        raise ValueError("not a call")
    given = dict(zip(_PARAMETERS[tree.func.id], tree.args, strict=False)) if tree.func.id in _PARAMETERS else None
    if given is None:
        raise ValueError(tree.func.id)
    values = {name: ast.literal_eval(value) for name, value in given.items()}
    values |= {k.arg: ast.literal_eval(k.value) for k in tree.keywords if k.arg}
    if tree.func.id == "Metric":
        by = values.get("group_by", ())
        path = tuple(str(b).lower() for b in (by if isinstance(by, list | tuple) else [by]))
        return Reference("metric", path, str(values.get("name") or values.get("metric_name", "")).lower())
    return _named(tree.func.id, values, grain, date_part)


_PARAMETERS = {
    "Dimension": ("name", "entity_path"),
    "TimeDimension": ("name", "grain", "entity_path", "descending", "date_part"),
    "Entity": ("name", "entity_path"),
    "Metric": ("name", "group_by"),
}
_LONG_NAMES = {
    "name": ("name", "dimension_name", "time_dimension_name", "entity_name"),
    "grain": ("grain", "time_granularity_name"),
    "date_part": ("date_part", "date_part_name"),
}


def _named(function: str, values: dict[str, object], grain: str, date_part: str) -> Reference:
    found = {key: next((values[n] for n in names if n in values), "") for key, names in _LONG_NAMES.items()}
    *links, name = str(found["name"]).lower().split("__")
    grain = grain or str(found["grain"] or "").lower()
    if links and name in GRAINS and function != "Entity":
        grain = grain or name
        *links, name = links
    path = values.get("entity_path", ())
    before = [str(p) for p in path] if isinstance(path, list | tuple) else [str(path)]
    kind: Literal["dimension", "entity"] = "entity" if function == "Entity" else "dimension"
    return Reference(kind, (*before, *links), name, grain, date_part or str(found["date_part"] or "").lower())
