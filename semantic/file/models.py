"""`models:` -> tables with what may be asked of them. Joins are read when all models are known."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import cast, get_args

from sqlglot import exp

from semantic.errors import suggestion
from semantic.expression import ExpressionError, names_in, parse_column
from semantic.file.document import Mistakes, Value, check_keys
from semantic.file.joins import read_joins
from semantic.file.names import (
    TABLES_OF_A_STATEMENT,
    folded,
    is_column,
    is_mapping,
    is_name,
    roles_in,
    text_of,
    texts_in,
)
from semantic.measure import Time
from semantic.model import Dimension, DimensionType, Model

MODEL_KEYS = {"source", "key", "time", "joins", "dimensions", "description", "across_rows"}
DIMENSION_KEYS = {"type", "sql", "metric", "values", "label", "description", "access"}
_UNREADABLE = Time("")
"""In place of a time that is told to be wrong, so that nothing else is said to have no time."""
_TABLE = re.compile(r"[A-Za-z_]\w{0,127}(\.[A-Za-z_]\w{0,127})?")


def read_models(value: Value | None, mistakes: Mistakes) -> dict[str, Model]:
    models: dict[str, Model] = {}
    if value is None or not is_mapping(value, mistakes, "from model names to models"):
        return models
    for key, body in value.entries:
        if key.text in TABLES_OF_A_STATEMENT:
            mistakes.add(key, f"'{key.text}' is reserved and cannot name a model")
        elif is_name(key, mistakes, "a model"):
            check_keys(body, MODEL_KEYS, mistakes, ("source", "key"))
            models[key.text] = _model(key, body, mistakes)
    for key, body in value.entries:
        joins = body.get("joins")
        if key.text in models and joins is not None:
            models[key.text] = replace(models[key.text], joins=read_joins(models[key.text], joins, models, mistakes))
    _check_shared_dimensions(models, mistakes)
    return models


def read_time(value: Value | None, mistakes: Mistakes) -> Time | None:
    """A column that says when: its name, or a mapping that says whether it holds dates."""
    if value is None:
        return None
    if value.is_scalar:
        return Time(value.text) if is_column(value, mistakes) else None
    if not check_keys(value, {"column", "grain"}, mistakes, ("column",)):
        return None
    grain, column = value.get("grain"), value.get("column")
    if grain and grain.text not in {"day", "instant"}:
        mistakes.add(grain, "the grain of a time column is 'day' (a date) or 'instant' (a time in UTC)")
    if column is None or not is_column(column, mistakes):
        return None
    return Time(column.text, is_date=bool(grain and grain.text == "day"))


def _model(name: Value, body: Value, mistakes: Mistakes) -> Model:
    source, key, time, across = (body.get(k) for k in ("source", "key", "time", "across_rows"))
    if source and not _TABLE.fullmatch(source.text):
        mistakes.add(source, f"'{source.text}' is not the name of a table or view")
    if source and source.text.lower().partition("__")[0] in TABLES_OF_A_STATEMENT:
        mistakes.add(source, f"'{source.text}' is what statements call a table of their own; read it through a view")
    columns, held = _columns(key, mistakes), _columns(across, mistakes)
    if key is not None and key.kind == "list" and not key.items:
        mistakes.add(key, "a key has at least one column")
    if across is not None and across.kind == "list" and not across.items:
        mistakes.add(across, "name at least one column; leave the key out where rows hold nothing of others")
    return Model(
        name.text,
        source.text if source else "",
        columns,
        read_time(time, mistakes) or (_UNREADABLE if time or body.kind != "mapping" else None),
        _dimensions(body.get("dimensions"), mistakes),
        {},
        text_of(body, "description", mistakes),
        name.mark,
        across_rows=held,
    )


def _columns(value: Value | None, mistakes: Mistakes) -> tuple[str, ...]:
    found = texts_in(value, mistakes, "the name of a column")
    return tuple(v.text for v in found if is_column(v, mistakes))


def _dimensions(value: Value | None, mistakes: Mistakes) -> dict[str, Dimension]:
    found: dict[str, Dimension] = {}
    if value is None or not is_mapping(value, mistakes, "from dimension names to types"):
        return found
    for key, body in value.entries:
        is_name(key, mistakes, "a dimension")
        found[key.text] = _dimension(key, body, mistakes)
    return found


def _dimension(key: Value, body: Value, mistakes: Mistakes) -> Dimension:
    kind = body if body.is_scalar else body.get("type")
    if not body.is_scalar:
        check_keys(body, DIMENSION_KEYS, mistakes, ("type",))
    types = get_args(DimensionType)
    if kind is not None and kind.text not in types:
        mistakes.add(kind, f"'{kind.text}' is not a type of dimension; {suggestion(kind.text, types)}")
    sql, metric = body.get("sql"), body.get("metric")
    if sql is not None and metric is not None:
        mistakes.add(metric, f"'{key.text}' is an expression or a metric, not both")
    return Dimension(
        key.text,
        cast(DimensionType, kind.text if kind else "string"),
        _column(sql, mistakes) if sql else exp.column(key.text),  # of no meaning where a metric gives the value
        _values(key, body, kind, mistakes),
        text_of(body, "description", mistakes),
        text_of(body, "label", mistakes),
        roles_in(body.get("access"), mistakes),
        key.mark,
        text_of(body, "metric", mistakes),
    )


def _values(key: Value, body: Value, kind: Value | None, mistakes: Mistakes) -> tuple[str, ...]:
    """The values of an enum, and of nothing else."""
    values = body.get("values")
    is_enum = kind is not None and kind.text == "enum"
    if is_enum and (values is None or not values.items):
        mistakes.add(body, f"the enum '{key.text}' needs its values: [..]")
        return ()
    if values is not None and not is_enum:
        mistakes.add(values, "only an enum has values")
        return ()
    return tuple(v.text for v in texts_in(values, mistakes, "a value"))


def _column(value: Value, mistakes: Mistakes) -> exp.Expression:
    try:
        tree = parse_column(value.text)
    except ExpressionError as error:
        mistakes.add(value.place(error.column), str(error))
        return exp.null()
    for name, place in names_in(tree).items():
        if "." in name:
            mistakes.add(
                value.place(place), f"'{name}' is of another model; a dimension reads columns of its own model"
            )
    return tree


def _check_shared_dimensions(models: Mapping[str, Model], mistakes: Mistakes) -> None:
    """A name means one thing in all models, and no two names are one in GraphQL."""
    first: dict[str, Dimension] = {}
    for model in models.values():
        for dimension in model.dimensions.values():
            known = first.setdefault(folded(dimension.name), dimension)
            if dimension.mark is None:
                continue
            if known.name != dimension.name:
                mistakes.add(
                    dimension.mark,
                    f"the dimension '{dimension.name}' has the same name in GraphQL as '{known.name}' at {known.mark}",
                )
            elif (known.type, known.values, known.access) != (dimension.type, dimension.values, dimension.access):
                mistakes.add(
                    dimension.mark,
                    f"'{dimension.name}' is declared otherwise at {known.mark}; one name means one thing, so give "
                    "both the same type, values and access, or another name",
                )
