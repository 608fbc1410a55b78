"""Metrics and saved queries from the manifest's form; the older YAML writes references, windows and filters shorter."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from semantic.formats.metricflow.elements import COMMON, read_aggregate, unused_settings
from semantic.formats.metricflow.filters import GRAINS
from semantic.formats.metricflow.project import (
    Aggregated,
    Conversion,
    Cumulative,
    Definition,
    Derived,
    Input,
    Measure,
    Metric,
    Ratio,
    SavedQuery,
    Simple,
    Source,
    Window,
)
from semantic.formats.metricflow.reading import Data, FormatError, flag, part, parts, strangers, text, texts
from semantic.formats.report import Finding, Kind

_METRIC = {
    *COMMON, "type", "datatype", "type_params", "filter", "time_granularity", "meta", "tags", "enabled", "group",
    "resource_type", "package_name", "path", "original_file_path", "unique_id", "fqn", "refs", "depends_on", "sources",
    "metrics", "created_at", "unrendered_config",
}  # fmt: skip
_PARAMS = {
    "measure", "input_measures", "numerator", "denominator", "expr", "window", "grain_to_date", "metrics",
    "conversion_type_params", "cumulative_type_params", "metric_aggregation_params", "join_to_timespine",
    "fill_nulls_with", "is_private",
}  # fmt: skip
CARRIED_META = ("unit", "format", "better", "owner", "target")
"""Keys of `config.meta` that mean the same here."""


@dataclass(frozen=True, slots=True)
class MetricReader:
    """Reads metrics that may name the given measures."""

    measures: Mapping[str, Measure]

    def read(self, data: Data, place: str, findings: list[Finding]) -> Metric:
        name = text(data, "name")
        if not name:
            raise FormatError(f"{place}: a metric without a name")
        where = f"{place}: metric '{name}'"
        params, config = part(data, "type_params"), part(data, "config")
        findings += strangers(data, _METRIC, where)
        findings += strangers(params, _PARAMS, where)
        findings += unused_settings(data, where)
        meta = {**part(data, "meta"), **part(config, "meta")}
        if others := sorted(set(meta) - set(CARRIED_META)):
            findings.append(Finding(Kind.LEFT_OUT, where, f"meta {', '.join(others)}", "has no counterpart"))
        if grain := text(data, "time_granularity"):
            findings.append(Finding(Kind.LEFT_OUT, where, f"time_granularity: {grain}", "a question names its grain"))
        if flag(params, "is_private"):
            what = "is in the file only where another metric rests on it, and can then be asked for"
            findings.append(Finding(Kind.LEFT_OUT, where, "hidden", what))
        return Metric(
            name,
            self._definition(text(data, "type", "simple").lower(), name, params, where),
            where,
            read_filters(data.get("filter"), where),
            text(data, "label"),
            text(data, "description"),
            {key: text(meta, key) for key in CARRIED_META if key in meta},
            flag(params, "is_private"),
        )

    def _definition(self, kind: str, name: str, params: Data, place: str) -> Definition:
        match kind:
            case "simple":
                return Simple(self._simple(name, params, place))
            case "ratio":
                return Ratio(
                    read_input(params.get("numerator"), f"{place}, numerator"),
                    read_input(params.get("denominator"), f"{place}, denominator"),
                )
            case "derived":
                inputs = tuple(read_input(i, place) for i in params.get("metrics") or ())
                return Derived(text(params, "expr"), inputs)
            case "cumulative":
                return self._cumulative(params, place)
            case "conversion":
                return self._conversion(part(params, "conversion_type_params"), place)
        raise FormatError(f"{place}: '{kind}' is no type of metric")

    def _simple(self, name: str, params: Data, place: str) -> Aggregated:
        own = part(params, "metric_aggregation_params")
        fill = text(params, "fill_nulls_with")
        if not own:
            used = self._measure(params.get("measure"), place)
            return replace(used, fill=used.fill or fill)
        given = params.get("measure")
        written = given if isinstance(given, Mapping) else {}
        aggregate = replace(read_aggregate(own, text(own, "semantic_model")), sql=text(params, "expr", name))
        filters = read_filters(written.get("filter"), place)
        return Aggregated(aggregate, filters, text(written, "fill_nulls_with", fill))

    def _measure(self, given: object, place: str) -> Aggregated:
        """A measure as a metric uses it: its name, or its name with a filter and a fill."""
        used: Data = given if isinstance(given, Mapping) else {"name": given}
        name = text(used, "name")
        if name not in self.measures:
            raise FormatError(f"{place}: there is no measure '{name}'")
        filters = read_filters(used.get("filter"), place)
        return Aggregated(self.measures[name].aggregate, filters, text(used, "fill_nulls_with"))

    def _cumulative(self, params: Data, place: str) -> Cumulative:
        own = part(params, "cumulative_type_params")
        return Cumulative(
            self._source(own.get("metric"), params.get("measure"), place),
            read_window(own.get("window") or params.get("window"), place),
            text(own, "grain_to_date", text(params, "grain_to_date")).lower(),
            text(own, "period_agg", "first").lower(),
        )

    def _conversion(self, params: Data, place: str) -> Conversion:
        constants = parts(params, "constant_properties")
        return Conversion(
            self._source(params.get("base_metric"), params.get("base_measure"), f"{place}, base"),
            self._source(params.get("conversion_metric"), params.get("conversion_measure"), f"{place}, conversion"),
            text(params, "entity"),
            text(params, "calculation", "conversion_rate").lower(),
            read_window(params.get("window"), place),
            tuple((text(c, "base_property"), text(c, "conversion_property")) for c in constants),
        )

    def _source(self, metric: object, measure: object, place: str) -> Source:
        return read_input(metric, place) if metric else self._measure(measure, place)


def read_input(given: object, place: str) -> Input:
    """Another metric: its name, or a mapping with what is done to it."""
    data: Data = given if isinstance(given, Mapping) else {"name": given}
    name = text(data, "name") or text(data, "measure")
    if not name:
        raise FormatError(f"{place}: names no metric")
    offset = read_window(data.get("offset_window"), place)
    filters = read_filters(data.get("filter"), place)
    return Input(name, text(data, "alias"), filters, offset, text(data, "offset_to_grain").lower())


def read_window(given: object, place: str) -> Window | None:
    """`7 days`, or `{count: 7, granularity: day}`."""
    if not given:
        return None
    if isinstance(given, Mapping):
        count, unit = text(given, "count"), text(given, "granularity").lower()
    else:
        count, _, unit = str(given).strip().lower().partition(" ")
    if not count.isdigit() or not unit:
        raise FormatError(f"{place}: a window is a count and a grain, such as `7 days`; this is {given!r}")
    return Window(int(count), unit[:-1] if unit[:-1] in GRAINS else unit)


def read_filters(given: object, place: str) -> tuple[str, ...]:
    """A text, a list of texts, or the manifest's `where_filters`."""
    match given:
        case None | "":
            return ()
        case str():
            return (given.strip(),)
        case list():
            return tuple(f for item in given for f in read_filters(item, place))
        case Mapping():
            if "where_sql_template" in given:
                return read_filters(given["where_sql_template"], place)
            return read_filters(given.get("where_filters"), place)
    raise FormatError(f"{place}: a filter is a text or a list of texts; this is {given!r}")


def read_saved_query(data: Data, place: str) -> SavedQuery:
    params = part(data, "query_params")
    return SavedQuery(
        text(data, "name"),
        place,
        texts(params, "metrics"),
        texts(params, "group_by"),
        read_filters(params.get("where"), place),
        texts(params, "order_by"),
        text(params, "limit"),
    )
