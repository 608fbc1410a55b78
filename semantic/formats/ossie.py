"""A catalog -> Apache Ossie, the interchange format: datasets, fields, relationships, metrics as SQL expressions.

What Ossie has no words for stands in `custom_extensions` of the vendor `clawback`, which other tools pass on unread,
and is told as lost. A metric whose expression would give another number is not among the metrics.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml
from sqlglot import exp

from semantic.catalog import Catalog
from semantic.formats.ossie_expressions import Expressions
from semantic.formats.report import Converted, Finding, Kind, NotCarriedError, in_order
from semantic.measure import Measure
from semantic.metric import Metric
from semantic.model import Dimension, Join, Model

VERSION = "0.2.0.dev0"
VENDOR = "clawback"
DIALECT = "ANSI_SQL"
_DATATYPES = {
    "string": "String", "enum": "String", "integer": "Integer", "decimal": "Decimal", "boolean": "Boolean",
    "date": "Date", "timestamp": "DateTimeTz",
}  # fmt: skip
_METRIC_TYPES = {"money": "Decimal", "integer": "Integer", "date": "Date", "text": "String"}
_WORDS = ("unit", "format", "label", "better", "owner", "target", "deprecated")
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_UNREAD = "it stands in custom_extensions, which other tools pass on unread"

Data = dict[str, Any]


def export(catalog: Catalog) -> Converted:
    """The Ossie document as YAML, and what it does not say."""
    return _Export(catalog).converted()


@dataclass
class _Export:
    catalog: Catalog
    findings: list[Finding] = field(default_factory=list)
    read: set[tuple[str, str]] = field(default_factory=set)
    """Datasets with the names that some expression reads of them."""
    unread: Data = field(default_factory=dict)
    """What only the extension says, by its place in a metrics file."""

    def converted(self) -> Converted:
        catalog = self.catalog
        relationships = [r for m in catalog.models.values() for r in self._relationships(m)]
        metrics = [m for metric in catalog.metrics.values() for m in self._metric(metric)]
        self._beside_the_metrics()
        model = _filled(
            name=catalog.name,
            datasets=[self._dataset(m) for m in catalog.models.values()],
            relationships=relationships,
            metrics=metrics,
            custom_extensions=_extension(self.unread),
        )
        document = {"version": VERSION, "semantic_model": [model], "dialects": [DIALECT], "vendors": [VENDOR]}
        text = yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=120)
        return Converted(text, in_order(self.findings))

    def _dataset(self, model: Model) -> Data:
        joins = [j for m in self.catalog.models.values() for j in m.joins.values() if j.target == model.name]
        if model.across_rows:
            what = "whoever reads the document may see what rows hold of other rows"
            self._lose(f"model '{model.name}'", "across_rows", what, "restrict it where it is used")
        unique = {tuple(theirs for _, theirs in join.columns) for join in joins if join.is_one_to_one}
        return _filled(
            name=model.name,
            source=model.source,
            primary_key=list(model.key),
            unique_keys=[list(columns) for columns in sorted(unique)],
            description=model.description,
            fields=[*self._dimensions(model), *self._columns(model, joins)],
        )

    def _dimensions(self, model: Model) -> Iterator[Data]:
        for dimension in model.dimensions.values():
            place = f"model '{model.name}', dimension '{dimension.name}'"
            if dimension.metric:
                self._lose(place, f"metric: {dimension.metric}", "a field is of one row")
                self.unread.setdefault("dimensions", {})[f"{model.name}.{dimension.name}"] = dimension.metric
                continue
            if dimension.access:
                self._lose(place, "access", "whoever reads the document may see it", "restrict it where it is used")
            yield _dimension(dimension, Expressions(self.catalog).field(dimension.sql))

    def _columns(self, model: Model, joins: Iterable[Join]) -> Iterator[Data]:
        """The time, and every column that a key, a join or a metric reads under its own name."""
        time = model.time
        if time is not None and time.column not in model.dimensions:
            datatype = "Date" if time.is_date else "DateTimeTz"
            yield _filled(**_field(time.column), dimension={"is_time": True}, datatype=datatype)
        paired = {theirs for join in joins for _, theirs in join.columns}
        paired |= {mine for join in model.joins.values() for mine, _ in join.columns}
        named = {name for dataset, name in self.read if dataset == model.name}
        told = {*model.dimensions, *([time.column] if time else [])}
        yield from (_field(column) for column in sorted({*model.key, *paired, *named} - told))

    def _relationships(self, model: Model) -> Iterator[Data]:
        for join in model.joins.values():
            if join.versions is not None:
                self._lose(f"model '{model.name}', join '{join.role}'", "as_of", "a relationship has no versions")
                known = {"to": join.target, "columns": dict(join.columns), "from": join.versions.since}
                self.unread.setdefault("joins", {})[f"{model.name}.{join.role}"] = known
                continue
            yield _filled(
                name=f"{model.name}_{join.role}",
                **{"from": model.name},
                to=join.target,
                from_columns=[mine for mine, _ in join.columns],
                to_columns=[theirs for _, theirs in join.columns],
                custom_extensions=_extension({"role": join.role} if join.role != join.target else {}),
            )

    def _metric(self, metric: Metric) -> Iterator[Data]:
        place = f"metric '{metric.name}'"
        known = _said(metric)
        if metric.access:
            self._lose(place, "access", "whoever reads the document may see it", "restrict it where it is used")
        try:
            tree = Expressions(self.catalog).of(metric)
        except NotCarriedError as error:
            self._lose(place, error.construct, error.what)
            self.unread.setdefault("metrics", {})[metric.name] = {"definition": metric.source_text, **known}
            return
        self.read |= {(column.table, column.name) for column in tree.find_all(exp.Column)}
        if isinstance(metric.definition, Measure) and metric.empty == "zero" and not metric.definition.is_count:
            self.findings.append(Finding(Kind.DIFFERS, place, "empty: zero", "no rows are null there, not 0"))
        yield _filled(
            name=metric.name,
            expression=_expression(tree),
            description=metric.description,
            datatype=_METRIC_TYPES.get(metric.type, ""),
            custom_extensions=_extension(known),
        )

    def _beside_the_metrics(self) -> None:
        catalog = self.catalog
        if catalog.access:
            what = "whoever reads the document may see all of it"
            self._lose("defaults", "access", what, "restrict it where it is used")
            self.unread["access"] = sorted(catalog.access)
        for named in catalog.filters.values():
            self._lose(f"filter '{named.name}'", "filter", "there are no conditions with a name")
            known = {"model": named.model, "where": named.where.sql(dialect="duckdb")}
            self.unread.setdefault("filters", {})[named.name] = known
        for policy in catalog.policies.values():
            advice = "restrict the rows where they are stored"
            self._lose(f"policy '{policy.name}'", "policy", "everybody sees all rows there", advice)
        for grain in catalog.calendar.grains.values():
            self._lose(f"grain '{grain.name}'", "calendar", "there are no periods of one's own")
            known = {"every": str(grain.length), "from": grain.origin.isoformat()}
            self.unread.setdefault("grains", {})[grain.name] = known
        week = _WEEKDAYS[catalog.calendar.week_start]
        for key, value, usual in (("time_zone", catalog.time_zone, "UTC"), ("week_start", week, "monday")):
            if value != usual:
                self.unread[key] = value
                self.findings.append(Finding(Kind.DIFFERS, "defaults", f"{key}: {value}", "other tools cut as they do"))
        if catalog.checks:
            what = f"{len(catalog.checks)} of them have no counterpart and change no number"
            self.findings.append(Finding(Kind.LEFT_OUT, "tests", "tests", what))

    def _lose(self, place: str, construct: str, what: str, advice: str = _UNREAD) -> None:
        self.findings.append(Finding(Kind.LOST, place, construct, what, advice))


def _dimension(dimension: Dimension, tree: exp.Expression) -> Data:
    return _filled(
        name=dimension.name,
        expression=_expression(tree),
        dimension={"is_time": dimension.type in ("date", "timestamp")},
        label=dimension.label,
        description=dimension.description,
        datatype=_DATATYPES[dimension.type],
        custom_extensions=_extension(_filled(values=list(dimension.values), access=sorted(dimension.access))),
    )


def _field(column: str) -> Data:
    return {"name": column, "expression": _expression(exp.column(column))}


def _expression(tree: exp.Expression) -> Data:
    return {"dialects": [{"dialect": DIALECT, "expression": tree.sql()}]}


def _said(metric: Metric) -> Data:
    """What a metric says of itself beside its definition."""
    reasons = {"unknown": metric.reasons.unknown, "empty": metric.reasons.empty, "zero": metric.reasons.zero}
    return _filled(
        **{word: getattr(metric, word) for word in _WORDS},
        empty=metric.empty if metric.empty != "null" else "",
        reasons={key: code for key, code in reasons.items() if code},
        access=sorted(metric.access),
    )


def _filled(**values: Any) -> Data:
    """The keys that have a value."""
    return {key: value for key, value in values.items() if value or isinstance(value, bool)}


def _extension(data: Data) -> list[Data]:
    return [{"vendor_name": VENDOR, "data": json.dumps(data, ensure_ascii=False)}] if data else []
