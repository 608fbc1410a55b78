"""metrics.yaml -> Catalog, or every mistake in the file at once.

Reading goes from top to bottom: models first (their joins are checked when all are known), then metrics, whose names
are resolved when all are known. One function a part of the file.
"""

import re
from dataclasses import replace
from typing import cast, get_args

from sqlglot import exp

from semantic.calendar import zone_names
from semantic.document import Mistakes, Value, check_keys, parse_document
from semantic.errors import suggestion
from semantic.expression import ExpressionError, names_in, parse_column
from semantic.measures import read_metric
from semantic.model import Catalog, Dimension, DimensionType, Formula, Join, Measure, Metric, Model

TOP_LEVEL = {"version", "name", "defaults", "models", "metrics"}
MODEL_KEYS = {"source", "key", "time", "joins", "dimensions", "description"}
DIMENSION_KEYS = {"type", "sql", "values", "description"}
NAME = re.compile(r"(?!.*__)[a-z][a-z0-9_]{0,62}")
"""Two underscores in a row belong to the compiler: `cost__rows`, `session__agent`."""
TABLES_OF_A_STATEMENT = {"keys", "periods"}
"""Names that a statement gives to tables of its own."""
MAX_FORMULA_NODES = 5_000
RESERVED = {"as_of", "time", "rows", "totals", "evidence", "on_day", "from_day", "until_day", "is_asked"}


def load_catalog(text: str, file: str = "metrics.yaml") -> Catalog:
    """The catalog that a metrics file declares; `CatalogError` with every mistake where there are any."""
    root = parse_document(text, file)
    mistakes = Mistakes()
    check_keys(root, TOP_LEVEL, mistakes, required=("models", "metrics"))
    models = _models(root.get("models"), mistakes)
    _check_shared_dimensions(models, mistakes)
    metrics = _metrics(root.get("metrics"), models, mistakes)
    zone = _time_zone(root.get("defaults"), mistakes)
    mistakes.raise_if_any()
    name = root.get("name")
    return Catalog(name.text if name else "metrics", zone, models, metrics, file)


def _time_zone(defaults: Value | None, mistakes: Mistakes) -> str:
    if defaults is None or not check_keys(defaults, {"time_zone", "week_start", "currency"}, mistakes):
        return "UTC"
    zone, week, currency = (defaults.get(k) for k in ("time_zone", "week_start", "currency"))
    if week and week.text != "monday":
        mistakes.add(week, "weeks start on monday (ISO 8601)")
    if currency and currency.text != "USD":
        mistakes.add(currency, "amounts are in USD; convert them when they are loaded")
    if zone is None:
        return "UTC"
    if zone.text not in zone_names():
        mistakes.add(zone, f"'{zone.text}' is not a time zone; use a name such as Europe/Berlin")
    return zone.text


def _models(value: Value | None, mistakes: Mistakes) -> dict[str, Model]:
    if value is None:
        return {}
    if value.kind != "mapping":
        mistakes.add(value, "expected a mapping from model names to models")
        return {}
    models = {}
    for key, body in value.entries:
        if key.text in TABLES_OF_A_STATEMENT:
            mistakes.add(key, f"'{key.text}' is reserved and cannot name a model")
        elif _is_name(key, mistakes, "a model") and check_keys(body, MODEL_KEYS, mistakes, ("source", "key")):
            models[key.text] = _model(key, body, mistakes)
    for key, body in value.entries:
        joins = body.get("joins")
        if key.text in models and joins is not None:
            models[key.text] = replace(models[key.text], joins=_joins(key.text, joins, models, mistakes))
    return models


def _model(name: Value, body: Value, mistakes: Mistakes) -> Model:
    key = body.get("key")
    key_columns = tuple(v.text for v in (key.items or (key,))) if key else ()
    source, time = body.get("source"), body.get("time")
    if source and not re.fullmatch(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)?", source.text):
        mistakes.add(source, f"'{source.text}' is not the name of a table or view")
    column, is_date = _time_column(time, mistakes)
    dimensions = _dimensions(body.get("dimensions"), mistakes)
    described = body.get("description")
    text = described.text if described else ""
    source_name = source.text if source else ""
    return Model(name.text, source_name, key_columns, column, is_date, dimensions, {}, text, name.mark)


def _time_column(value: Value | None, mistakes: Mistakes) -> tuple[str | None, bool]:
    if value is None:
        return None, False
    if value.is_scalar:
        return value.text, False
    if not check_keys(value, {"column", "grain"}, mistakes, ("column",)):
        return None, False
    grain, column = value.get("grain"), value.get("column")
    if grain and grain.text not in {"day", "instant"}:
        mistakes.add(grain, "the grain of a time column is 'day' (a date) or 'instant' (a time in UTC)")
    return (column.text if column else None), bool(grain and grain.text == "day")


def _dimensions(value: Value | None, mistakes: Mistakes) -> dict[str, Dimension]:
    if value is None:
        return {}
    if value.kind != "mapping":
        mistakes.add(value, "expected a mapping from dimension names to types")
        return {}
    found = {}
    for key, body in value.entries:
        if _is_name(key, mistakes, "a dimension"):
            found[key.text] = _dimension(key, body, mistakes)
    return found


def _dimension(key: Value, body: Value, mistakes: Mistakes) -> Dimension:
    kind = body if body.is_scalar else body.get("type")
    if not body.is_scalar:
        check_keys(body, DIMENSION_KEYS, mistakes, ("type",))
    types = get_args(DimensionType)
    if kind is not None and kind.text not in types:
        mistakes.add(kind, f"'{kind.text}' is not a type of dimension; {suggestion(kind.text, types)}")
    values = body.get("values")
    is_enum = kind is not None and kind.text == "enum"
    if is_enum and (values is None or not values.items):
        mistakes.add(body, f"the enum '{key.text}' needs its values: [..]")
    if values is not None and not is_enum:
        mistakes.add(values, "only an enum has values")
    sql, described = body.get("sql"), body.get("description")
    return Dimension(
        key.text,
        cast(DimensionType, kind.text if kind else "string"),
        _column(sql, mistakes) if sql else exp.column(key.text),
        tuple(v.text for v in values.items) if values else (),
        described.text if described else "",
        key.mark,
    )


def _column(value: Value, mistakes: Mistakes) -> exp.Expression:
    try:
        tree = parse_column(value.text)
    except ExpressionError as error:
        mistakes.add(value, str(error))
        return exp.null()
    for name in names_in(tree):
        if "." in name:
            mistakes.add(value, f"'{name}' is of another model; a dimension reads columns of its own model")
    return tree


def _joins(owner: str, value: Value, models: dict[str, Model], mistakes: Mistakes) -> dict[str, Join]:
    if value.kind != "mapping":
        mistakes.add(value, "expected a mapping from roles to models, such as {session: sessions}")
        return {}
    joins = {}
    for role, body in value.entries:
        target = body if body.is_scalar else body.get("to")
        column = None if body.is_scalar else body.get("column")
        if not body.is_scalar:
            check_keys(body, {"to", "column"}, mistakes, ("to",))
        if not _is_name(role, mistakes, "a role") or target is None:
            continue
        if role.text == owner:
            mistakes.add(role, f"'{owner}' cannot join under its own name; name the role that the other model plays")
            continue
        if target.text not in models:
            mistakes.add(target, f"there is no model '{target.text}'; {suggestion(target.text, models)}")
            continue
        key = models[target.text].key
        if len(key) != 1:
            mistakes.add(target, f"'{target.text}' has a key of {len(key)} columns; a join needs a key of one column")
            continue
        joins[role.text] = Join(role.text, target.text, column.text if column else key[0])
    return joins


def _check_shared_dimensions(models: dict[str, Model], mistakes: Mistakes) -> None:
    first: dict[str, Dimension] = {}
    for model in models.values():
        for dimension in model.dimensions.values():
            known = first.setdefault(dimension.name, dimension)
            if dimension.mark and (known.type, known.values) != (dimension.type, dimension.values):
                mistakes.add(
                    dimension.mark,
                    f"'{dimension.name}' is declared otherwise at {known.mark}; one name means one thing, so give "
                    "both the same type and values, or another name",
                )


def _metrics(value: Value | None, models: dict[str, Model], mistakes: Mistakes) -> dict[str, Metric]:
    if value is None:
        return {}
    if value.kind != "mapping":
        mistakes.add(value, "expected a mapping from metric names to definitions")
        return {}
    entries = {key.text: (key, body) for key, body in value.entries}
    metrics: dict[str, Metric] = {}
    for key, body in value.entries:
        if _is_name(key, mistakes, "a metric") and key.text not in metrics:
            read_metric(key, body, entries, models, metrics, mistakes)
    _check_names(metrics, models, mistakes)
    for metric in metrics.values():
        _check_formula(metric, metrics, set(entries), mistakes)
    return metrics


def _check_names(metrics: dict[str, Metric], models: dict[str, Model], mistakes: Mistakes) -> None:
    """Metrics and dimensions are fields of one GraphQL row, so no two may share a name after case folding."""
    taken: dict[str, str] = {}
    for model in models.values():
        for dimension in model.dimensions:
            taken.setdefault(dimension.replace("_", ""), f"the dimension '{dimension}'")
    for metric in metrics.values():
        folded = metric.name.replace("_", "")
        if metric.mark and folded in taken:
            mistakes.add(metric.mark, f"the metric '{metric.name}' has the same name in GraphQL as {taken[folded]}")
        taken.setdefault(folded, f"the metric '{metric.name}'")


def _check_formula(metric: Metric, metrics: dict[str, Metric], declared: set[str], mistakes: Mistakes) -> None:
    if not isinstance(metric.definition, Formula) or metric.mark is None:
        return
    for name, mark in zip(metric.definition.inputs, metric.definition.marks, strict=True):
        if name not in declared:
            mistakes.add(mark, f"'{name}' is not a metric; {suggestion(name, declared - {metric.name})}")
    if path := _cycle(metric.name, metrics):
        mistakes.add(metric.mark, f"'{metric.name}' rests on itself: {' -> '.join(path)}")
    elif (size := _size(metric.name, metrics, {})) > MAX_FORMULA_NODES:
        mistakes.add(metric.mark, f"'{metric.name}' has {size:,} parts once its metrics are written in; split it")


def _size(name: str, metrics: dict[str, Metric], known: dict[str, int]) -> int:
    """The parts of a metric's SQL, each formula written into those that use it. The metrics have no cycle."""
    metric = metrics.get(name)
    if metric is None or isinstance(metric.definition, Measure):
        return 1
    if name not in known:
        uses = [c.name for c in metric.definition.tree.find_all(exp.Column) if c.name in metrics]
        known[name] = sum(1 for _ in metric.definition.tree.walk()) + sum(_size(u, metrics, known) for u in uses)
    return known[name]


def _cycle(name: str, metrics: dict[str, Metric]) -> tuple[str, ...]:
    """The way from a metric back to itself, or nothing."""
    trail: list[tuple[str, ...]] = [(name,)]
    seen: set[str] = set()
    while trail:
        path = trail.pop()
        metric = metrics.get(path[-1])
        if metric is None or isinstance(metric.definition, Measure):
            continue
        for following in metric.definition.inputs:
            if following == name:
                return (*path, name)
            if following not in seen:
                seen.add(following)
                trail.append((*path, following))
    return ()


def _is_name(value: Value, mistakes: Mistakes, what: str) -> bool:
    if not NAME.fullmatch(value.text):
        mistakes.add(
            value, f"'{value.text}' cannot name {what}: use lower case letters, digits and single _, a letter first"
        )
        return False
    if value.text in RESERVED:
        mistakes.add(value, f"'{value.text}' is reserved and cannot name {what}")
        return False
    return True
