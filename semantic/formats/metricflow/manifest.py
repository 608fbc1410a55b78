"""`semantic_manifest.json`, which dbt writes into `target/`."""

import json
from collections.abc import Iterable

from semantic.formats.metricflow.assemble import Parts, Placed
from semantic.formats.metricflow.project import CustomGrain
from semantic.formats.metricflow.reading import Data, FormatError, part, parts, strangers, text
from semantic.formats.report import Finding

_TOP = {"semantic_models", "metrics", "project_configuration", "saved_queries", "interfaces", "version"}
_PROJECT = {"time_spine_table_configurations", "metadata", "dsi_package_version", "time_spines"}
_SPINE = {"node_relation", "primary_column", "custom_granularities"}


def parts_of_manifest(content: str, file: str, findings: list[Finding]) -> Parts:
    """The parts of a manifest; `FormatError` where it is no JSON or no manifest."""
    try:
        data = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise FormatError(f"{file}: not valid JSON: {error}") from error
    if not isinstance(data, dict) or "semantic_models" not in data:
        raise FormatError(f"{file}: not a semantic manifest; dbt writes one to target/semantic_manifest.json")
    configuration = part(data, "project_configuration")
    findings += strangers(data, _TOP, file)
    findings += strangers(configuration, _PROJECT, f"{file}: project_configuration")
    return Parts(
        list(_placed(parts(data, "semantic_models"), file)),
        list(_placed(parts(data, "metrics"), file)),
        list(_placed(parts(data, "saved_queries"), file)),
        list(grains_of(configuration, file, findings)),
    )


def _placed(items: Iterable[Data], file: str) -> Iterable[Placed]:
    """Each with the place in the project's own files, where the manifest remembers it."""
    for item in items:
        metadata = part(item, "metadata")
        name = text(metadata, "repo_file_path")
        line = text(part(metadata, "file_slice"), "start_line_number")
        yield (f"{name}:{line}" if name and line else name or file), item


def grains_of(configuration: Data, file: str, findings: list[Finding]) -> Iterable[CustomGrain]:
    """The periods of the project's own, which are columns of its calendar tables."""
    for spine in parts(configuration, "time_spines"):
        place = f"{file}: time spine '{text(part(spine, 'node_relation'), 'alias')}'"
        findings += strangers(spine, _SPINE, place)
        for grain in parts(spine, "custom_granularities"):
            name = text(grain, "name").lower()
            yield CustomGrain(name, text(grain, "column_name", name), place)
