"""A MetricFlow project -> a metrics file and what could not come along.

Three written forms are read: dbt's compiled `semantic_manifest.json`, YAML with `semantic_models:` and measures, and
YAML of 2026, in which dbt models carry their semantics themselves. All three become one `Project`, and that the file.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlglot import Dialect

from semantic.formats.metricflow.assemble import Parts, assemble
from semantic.formats.metricflow.checked import loadable
from semantic.formats.metricflow.manifest import parts_of_manifest
from semantic.formats.metricflow.metrics import Metrics
from semantic.formats.metricflow.models import Models, carried_models
from semantic.formats.metricflow.names import names_of
from semantic.formats.metricflow.project import Project
from semantic.formats.metricflow.queries import told_queries
from semantic.formats.metricflow.reading import FormatError
from semantic.formats.metricflow.yaml_files import parts_of_files
from semantic.formats.metrics_yaml import Plain
from semantic.formats.report import Converted, Finding, Kind, in_order

__all__ = ["FormatError", "Options", "import_files", "import_manifest"]


@dataclass(frozen=True, slots=True)
class Options:
    """`dialect` is the one of the project's SQL; `grains` says what its own periods are: length and first day.

    `exact` keeps counts over no rows null, as they are there, at the price of sums of ones.
    """

    name: str = "metrics"
    dialect: str = "duckdb"
    exact: bool = False
    grains: Mapping[str, tuple[str, str]] = field(default_factory=dict)


_DEFAULTS = Options()


def import_manifest(text: str, file: str = "semantic_manifest.json", options: Options = _DEFAULTS) -> Converted:
    """The metrics file for a compiled manifest; `FormatError` where the text is none."""
    findings: list[Finding] = []
    return _converted(parts_of_manifest(text, file, findings), options, findings)


def import_files(files: Mapping[str, str], options: Options = _DEFAULTS) -> Converted:
    """The metrics file for YAML texts by file name; `FormatError` where they hold no semantic model."""
    findings: list[Finding] = []
    return _converted(parts_of_files(files, findings), options, findings)


def _converted(parts: Parts, options: Options, findings: list[Finding]) -> Converted:
    if Dialect.get(options.dialect) is None:
        raise FormatError(
            f"'{options.dialect}' is not a dialect of SQL that is known here, such as snowflake or bigquery"
        )
    project = assemble(parts, findings)
    names = names_of(project, findings)
    models = carried_models(project, names, options.dialect, findings)
    metrics = Metrics(models, frozenset(options.grains), findings, options.exact)
    metrics.carry_all()
    findings += _of_the_whole(project, models, metrics, options)
    document: dict[str, Plain] = {
        "version": 1,
        "name": options.name,
        "defaults": {"time_zone": "UTC", "week_start": "monday"},
        **_calendar(options),
        "models": models.written(),
        "metrics": metrics.written,
    }
    return Converted(loadable(document, findings), in_order(findings))


def _calendar(options: Options) -> dict[str, Plain]:
    if not options.grains:
        return {}
    return {"calendar": {"grains": {name: {"every": e, "from": day} for name, (e, day) in options.grains.items()}}}


def _of_the_whole(project: Project, models: Models, metrics: Metrics, options: Options) -> list[Finding]:
    """What is not about one metric: own periods, saved queries, and counts over no rows."""
    found = list(told_queries(project, models, metrics.entries))
    for grain in project.grains.values():
        if grain.name not in options.grains:
            what = f"is the column {grain.column} of a table, of which only the data knows the periods"
            advice = f"say what it is: --grain '{grain.name}=3 months,2026-02-01'"
            found.append(Finding(Kind.LOST, grain.place, f"custom granularity {grain.name}", what, advice))
    if metrics.counts:
        place = f"metrics {', '.join(sorted(metrics.counts))}"
        what = "are 0 where there are no rows; theirs are null unless filled"
        found.append(Finding(Kind.DIFFERS, place, "counts", what, "import with --exact to keep the nulls"))
    return found
