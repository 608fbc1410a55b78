"""The JSON Schema of a metrics file, for completion and hover in an editor. Its words come from the loader's tables.

A schema sees the shape of a file. Names, expressions and what goes together are the matter of `clawback check`.
"""

import json
from collections.abc import Iterable
from typing import Any, get_args

from semantic.file.defaults import WEEKDAYS
from semantic.file.expectations import EXPECTATIONS
from semantic.file.funnels import OUTPUTS
from semantic.file.grammar import ALL_KINDS, KINDS, LAST, MOVES, OWN
from semantic.file.joins import KINDS as JOIN_KINDS
from semantic.file.meta import REASONS, TEXTS
from semantic.file.modifiers import TAKES_OF_A_SNAPSHOT, TAKES_OF_EACH, WINDOWS
from semantic.file.names import COLUMN, NAME
from semantic.file.outcomes import KIND
from semantic.formats.schema_words import WORDS
from semantic.metric import Empty
from semantic.model import DimensionType
from semantic.periods import Grain, Unit

Schema = dict[str, Any]

_TEXT: Schema = {"type": ["string", "number", "boolean"]}
"""The loader takes every scalar as it is written."""
_TRUE: Schema = {"const": True}
_FLAG: Schema = {"type": "boolean"}
_NAME: Schema = {"type": "string", "pattern": f"^{NAME.pattern}$"}
_COLUMN: Schema = {"type": "string", "pattern": f"^{COLUMN.pattern}$"}
_NUMBER: Schema = {"type": ["number", "string"]}
_DAY: Schema = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\d$"}
_LENGTH: Schema = {
    "type": "string",
    "pattern": rf"^\d{{1,7}} ({'|'.join(Unit)})s?$",
    "examples": ["30 days", "1 month", "15 minutes"],
}
_GRAIN: Schema = {"anyOf": [{"enum": list(Grain)}, _NAME]}
_AVERAGES = [unit for unit in Unit if not unit.is_clock]


def metrics_schema() -> Schema:
    """A JSON Schema (2020-12) that every file the loader accepts fulfils."""
    root = _object("file", _top(), required=("models", "metrics"))
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "A metrics file", **root}


def metrics_schema_text() -> str:
    return json.dumps(metrics_schema(), indent=2, ensure_ascii=False)


def _top() -> dict[str, Schema]:
    return {
        "version": {"enum": [1, "1"]},
        "name": _TEXT,
        "defaults": _object(
            "defaults",
            {
                "time_zone": _TEXT,
                "week_start": {"enum": list(WEEKDAYS)},
                "currency": {"const": "USD"},
                "access": _some(_TEXT),
            },
        ),
        "calendar": _object("calendar", {"grains": _named(_grain())}, required=("grains",)),
        "models": _named(_model()),
        "metrics": _named({"anyOf": [_TEXT, _metric()]}),
        "filters": _named(
            _object("filter", {"model": _NAME, "where": _TEXT, "description": _TEXT}, required=("model", "where"))
        ),
        "policies": _named(
            _object("policy", {"model": _NAME, "rows": _TEXT, "unless": _some(_TEXT)}, required=("model", "rows"))
        ),
        "tests": {"type": "array", "items": _test()},
        "outcomes": {
            "type": "object",
            "propertyNames": {"type": "string", "pattern": f"^{KIND.pattern}$"},
            "additionalProperties": _outcome(),
        },
    }


def _outcome() -> Schema:
    return _object(
        "outcome",
        {
            "success": _FLAG,
            "awaits": _some(_TEXT),
            "window": _LENGTH,
            "reverses": _some(_TEXT),
            "within": _LENGTH,
            "idle": _FLAG,
            "description": _TEXT,
        },
    )


def _grain() -> Schema:
    return _object("grain", {"every": _LENGTH, "from": _DAY}, required=("every", "from"))


def _model() -> Schema:
    return _object(
        "model",
        {
            "description": _TEXT,
            "source": _TEXT,
            "key": _some(_COLUMN),
            "time": _time(),
            "joins": _named({"anyOf": [_NAME, _join()]}),
            "dimensions": _named(_dimension()),
            "across_rows": _some(_COLUMN),
        },
        required=("source", "key"),
    )


def _time() -> Schema:
    return {
        "anyOf": [
            _COLUMN,
            _object("time", {"column": _COLUMN, "grain": {"enum": ["day", "instant"]}}, required=("column",)),
        ]
    }


def _join() -> Schema:
    as_of = _object("as_of", {"from": _COLUMN, "until": _COLUMN, "at": _COLUMN}, required=("from",))
    found = _object(
        "join",
        {
            "to": _NAME,
            "column": _COLUMN,
            "columns": {"type": "object", "minProperties": 1, "additionalProperties": _COLUMN},
            "kind": {"enum": list(JOIN_KINDS)},
            "as_of": {"anyOf": [_COLUMN, as_of]},
        },
        required=("to",),
    )
    return {**found, "not": {"required": ["column", "columns"]}}


def _dimension() -> Schema:
    types = list(get_args(DimensionType))
    found = _object(
        "dimension",
        {
            "type": {"enum": types},
            "sql": _TEXT,
            "metric": _NAME,
            "values": _some({"type": ["string", "number", "boolean"]}),
            "label": _TEXT,
            "description": _TEXT,
            "access": _some(_TEXT),
        },
        required=("type",),
    )
    is_enum = {"properties": {"type": {"const": "enum"}}}
    rule = {"if": is_enum, "then": {"required": ["values"]}, "else": {"not": {"required": ["values"]}}}
    return {"anyOf": [{"enum": [t for t in types if t != "enum"]}, {**found, **rule}]}


def _metric() -> Schema:
    found = _object("metric", {**_kinds(), **_modifiers(), **_meta()})
    exclusive = [
        {"not": {"required": [a, b]}} for group in (WINDOWS, MOVES, LAST) for a in group for b in group if a < b
    ]
    return {
        **found,
        "oneOf": [{"required": [kind]} for kind in ALL_KINDS],
        "dependentRequired": {**{key: [kind] for key, kind in OWN.items()}, "percentile": ["p"]},
        "allOf": exclusive,
    }


def _kinds() -> dict[str, Schema]:
    value = {
        "anyOf": [
            {"type": "string", "pattern": r"^[a-z]\w*\.[A-Za-z_]\w*$"},
            _object("value", {"model": _NAME, "value": _NUMBER}, required=("model", "value")),
        ]
    }
    step = _object("step", {"name": _NAME, "model": _NAME, "by": _COLUMN, "where": _TEXT}, required=("name", "model"))
    funnel = {
        "start": _NAME,
        "by": _COLUMN,
        "steps": {"type": "array", "minItems": 1, "items": step},
        "within": _LENGTH,
        "output": {"enum": list(OUTPUTS)},
    }
    return {
        **dict.fromkeys(KINDS, value),
        "count": _NAME,
        "expr": _NUMBER,
        "metric": _NAME,
        "funnel": _object("funnel", funnel, required=("start", "by", "steps", "within")),
    }


def _modifiers() -> dict[str, Schema]:
    keys = _some(_TEXT)
    return {
        "p": {"type": ["number", "string"], "exclusiveMinimum": 0, "exclusiveMaximum": 1},
        "method": {"enum": ["continuous", "discrete"]},
        "approximate": _FLAG,
        "snapshot": _object(
            "snapshot", {"take": {"enum": list(TAKES_OF_A_SNAPSHOT)}, "per": keys, "carry": _FLAG}, ("take", "per")
        ),
        "where": {"type": ["string", "boolean"]},
        "time": _time(),
        "empty": {"enum": [*get_args(Empty), None]},
        "rolling": {"anyOf": [_LENGTH, _object("rolling", _rolling(), required=("window",))]},
        "to_date": _GRAIN,
        "cumulative": _TRUE,
        "shift": _LENGTH,
        "change": _object(
            "change", {"from": _LENGTH, "as": {"enum": ["difference", "percent", "ratio"]}}, required=("from", "as")
        ),
        "share": _one_of_two(_object("share", {"of": keys, "within": _some(_TEXT, can_be_empty=True)})),
        "grain": _one_of_two(_object("cut", {"drop": keys, "keep": _some(_TEXT, can_be_empty=True)})),
        "rank": {"anyOf": [_ENDS, _object("rank", {"first": _ENDS, "within": keys})]},
        "each": _object(
            "each", {"by": keys, "grain": _GRAIN, "take": {"enum": list(TAKES_OF_EACH)}}, required=("take",)
        ),
    }


_ENDS: Schema = {"enum": ["highest", "lowest"]}


def _rolling() -> dict[str, Schema]:
    return {
        "window": _LENGTH,
        "average": {"enum": [str(unit) for unit in _AVERAGES]},
        "partial": {"enum": ["keep", "scale", "null", None]},
    }


def _meta() -> dict[str, Schema]:
    return {
        **{key: {"type": ["string", "number"]} for key in TEXTS},
        **{key: {"type": "string", "pattern": "^[A-Z][A-Z0-9_]{0,62}$"} for key in REASONS},
        "better": {"enum": ["higher", "lower"]},
        "access": _some(_TEXT),
    }


def _test() -> Schema:
    found = _object(
        "test",
        {
            "metric": _NAME,
            "metrics": _some(_NAME),
            "by": _some(_TEXT),
            "grain": _GRAIN,
            "where": _TEXT,
            "filters": _some(_NAME),
            "range": {"type": ["string", "number"]},
            "equals": _NUMBER,
            "between": {"type": "array", "minItems": 2, "maxItems": 2, "items": _NUMBER},
            "sums_to": _NUMBER,
            "not_null": _TRUE,
            "matches_sql": _TEXT,
        },
    )
    expectation = {"oneOf": [{"required": [key]} for key in EXPECTATIONS]}
    return {**found, "allOf": [expectation, {"oneOf": [{"required": [key]} for key in ("metric", "metrics")]}]}


def _object(place: str, properties: dict[str, Schema], required: Iterable[str] = ()) -> Schema:
    """A mapping with these keys and no others, each with its words."""
    words = WORDS[place]
    found: Schema = {
        "type": "object",
        "additionalProperties": False,
        "properties": {key: {"description": words[key], **schema} for key, schema in properties.items()},
    }
    if required:
        found["required"] = list(required)
    return found


def _named(item: Schema) -> Schema:
    return {"type": "object", "propertyNames": _NAME, "additionalProperties": item}


def _some(item: Schema, *, can_be_empty: bool = False) -> Schema:
    """One, or a list of them."""
    return {
        "anyOf": [item, {"type": "array", "items": item, "minItems": 0 if can_be_empty else 1, "uniqueItems": True}]
    }


def _one_of_two(found: Schema) -> Schema:
    return {**found, "minProperties": 1, "maxProperties": 1}
