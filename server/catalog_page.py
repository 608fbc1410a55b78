"""The catalog as a page: what every metric means, in words and as it is defined. Made from metrics.yaml alone."""

from semantic import Catalog, Metric, dimensions_across_rows, dimensions_of, metrics_across_rows
from server.graphql.discovery import kind_of
from server.graphql.rows import grain_description
from server.keys import Key, keys_of
from server.withheld import mentions

_INTRODUCTION = """# Metrics

Made from `{file}` by `clawback schema --format markdown`. Days are cut in {zone} unless a question names another zone.
"""
_ACROSS_ROWS = "tells of other rows than its own, so it is refused to a caller whom a policy restricts"


def catalog_markdown(catalog: Catalog, hidden: frozenset[str] = frozenset()) -> str:
    """Markdown: one section a metric in the order of the file, then what they are cut and filtered by."""
    file = catalog.file.rpartition("/")[2]
    parts = [_INTRODUCTION.format(file=file, zone=catalog.time_zone)]
    across = metrics_across_rows(catalog)
    parts += [_metric(catalog, m, hidden, is_across=m.name in across) for m in catalog.metrics.values()]
    parts.append("# Dimensions\n\n| name | type | meaning |\n| --- | --- | --- |")
    across = dimensions_across_rows(catalog)
    parts.append("\n".join(_dimension(key, is_across=key.name in across) for key in keys_of(catalog).values()))
    if catalog.filters:
        parts.append("\n# Filters\n\n| name | meaning |\n| --- | --- |")
        parts.append("\n".join(f"| {f.name} | {f.description} |" for f in catalog.filters.values()))
    if catalog.calendar.grains:
        parts.append("\n# Periods\n\n| name | meaning |\n| --- | --- |")
        calendar = catalog.calendar
        parts.append("\n".join(f"| {name} | {grain_description(calendar, name)} |" for name in calendar.grains))
    return "\n".join(parts)


def _metric(catalog: Catalog, metric: Metric, hidden: frozenset[str], *, is_across: bool) -> str:
    names = [name for name in dimensions_of(catalog, metric.name) if not name.startswith("time.")]
    cuts = ", ".join(names) or "time only"
    unit = f", in {metric.unit}" if metric.unit else ""
    lines = [] if mentions(metric.source_text, hidden) else [f"- {kind_of(metric)}: `{metric.source_text}`"]
    lines.append(f"- cut by: {cuts}")
    about = {"owner": metric.owner, "target": metric.target, "deprecated": metric.deprecated}
    lines += [f"- {what}: {said}" for what, said in about.items() if said]
    if metric.is_approximate:
        lines.append("- an estimate")
    if is_across:
        lines.append(f"- {_ACROSS_ROWS}")
    text = "\n".join(lines)
    return f"## {metric.name}\n\n{metric.description or metric.label}{unit}.\n\n{text}\n"


def _dimension(key: Key, *, is_across: bool) -> str:
    values = f" ({', '.join(key.values)})" if key.values else ""
    return f"| {key.name} | {key.type}{values} | {key.description}{f'; {_ACROSS_ROWS}' if is_across else ''} |"
