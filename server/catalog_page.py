"""The catalog as a page: what every metric means, in words and as it is defined. Made from metrics.yaml alone."""

from semantic import Catalog, Dimension, Formula, Metric, dimensions_of

_INTRODUCTION = """# Metrics

Made from `{file}` by `clawback schema --format markdown`. Days are cut in {zone} unless a question names another zone.
"""


def catalog_markdown(catalog: Catalog) -> str:
    """Markdown: one section a metric in the order of the file, then the dimensions."""
    file = catalog.file.rpartition("/")[2]
    parts = [_INTRODUCTION.format(file=file, zone=catalog.time_zone)]
    parts += [_metric(catalog, metric) for metric in catalog.metrics.values()]
    parts.append("# Dimensions\n\n| name | type | meaning |\n| --- | --- | --- |")
    parts.append("\n".join(_dimension(d) for d in catalog.dimensions().values()))
    return "\n".join(parts)


def _metric(catalog: Catalog, metric: Metric) -> str:
    kind = "formula" if isinstance(metric.definition, Formula) else "measure"
    cuts = ", ".join(dimensions_of(catalog, metric.name)) or "time only"
    unit = f", in {metric.unit}" if metric.unit else ""
    return (
        f"## {metric.name}\n\n{metric.description or metric.label}{unit}.\n\n"
        f"- {kind}: `{metric.source_text}`\n- cut by: {cuts}\n"
    )


def _dimension(dimension: Dimension) -> str:
    values = f" ({', '.join(dimension.values)})" if dimension.values else ""
    return f"| {dimension.name} | {dimension.type}{values} | {dimension.description} |"
