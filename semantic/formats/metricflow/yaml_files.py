"""A project's YAML files, older and newer form side by side -> parts in the manifest's form."""

from collections.abc import Iterable, Mapping
from typing import Any

from semantic.errors import CatalogError
from semantic.file.document import Value, parse_document
from semantic.formats.metricflow.assemble import Parts
from semantic.formats.metricflow.manifest import grains_of
from semantic.formats.metricflow.model_form import grains_of_model, older_metric, older_model
from semantic.formats.metricflow.project import CustomGrain
from semantic.formats.metricflow.reading import FormatError, part, plain, text
from semantic.formats.report import Finding

_ALONE = {"semantic_model", "metric", "saved_query", "project_configuration"}
"""Keys of documents that hold one thing each, as MetricFlow itself writes them."""


def parts_of_files(files: Mapping[str, str], findings: list[Finding]) -> Parts:
    """The parts of YAML texts by file name; `FormatError` with every file that is no YAML."""
    found = Parts()
    broken = []
    for file, content in sorted(files.items()):
        for first_line, document in _documents(content):
            try:
                root = parse_document("\n" * first_line + document, file)
            except CatalogError as error:
                broken.append(str(error))
                continue
            _read(root, file, found, findings)
    if broken:
        raise FormatError("\n".join(broken))
    return found


def _documents(content: str) -> Iterable[tuple[int, str]]:
    """The documents of a stream that are not empty, each with the number of lines before it."""
    lines: list[str] = []
    start = 0
    for number, line in enumerate([*content.split("\n"), "---"]):
        if line.rstrip() == "---" or line.startswith("--- "):
            if any(ln.strip() and not ln.lstrip().startswith("#") for ln in lines):
                yield start, "\n".join(lines)
            lines, start = [], number + 1
        else:
            lines.append(line)


def _read(root: Value, file: str, found: Parts, findings: list[Finding]) -> None:
    if alone := [key.text for key, _ in root.entries if key.text in _ALONE]:
        for key in alone:
            body = root.get(key)
            if body is not None:
                _read_alone(key, body, file, found, findings)
        return
    for model in _items(root, "semantic_models"):
        found.models.append((_place(model, file), plain(model)))
    for metric in _items(root, "metrics"):
        found.metrics.append((_place(metric, file), older_metric(plain(metric), "", "")))
    for query in _items(root, "saved_queries"):
        found.saved_queries.append((_place(query, file), plain(query)))
    for model in _items(root, "models"):
        _read_model(model, file, found, findings)


def _read_alone(key: str, body: Value, file: str, found: Parts, findings: list[Finding]) -> None:
    place, data = _place(body, file), plain(body)
    match key:
        case "semantic_model":
            found.models.append((place, data))
        case "metric":
            found.metrics.append((place, older_metric(data, "", "")))
        case "saved_query":
            found.saved_queries.append((place, data))
        case _:
            found.grains += grains_of(data, file, findings)


def _read_model(model: Value, file: str, found: Parts, findings: list[Finding]) -> None:
    """A dbt model: a calendar table, a semantic model with its metrics, or nothing of ours."""
    data = plain(model)
    if not isinstance(data, Mapping):
        raise FormatError(f"{_place(model, file)}: a model should be a mapping")
    place = _place(model, file)
    spine = f"{place}: time spine '{text(data, 'name')}'"
    found.grains += (CustomGrain(name, column, spine) for name, column in grains_of_model(data))
    if not _is_semantic(data.get("semantic_model")):
        return
    older = older_model(data, place, findings)
    found.models.append((place, older))
    own_time = text(part(older, "defaults"), "agg_time_dimension")
    metrics = model.get("metrics")
    for metric in metrics.items if metrics else ():
        found.metrics.append((_place(metric, file), older_metric(plain(metric), older["name"], own_time)))


def _is_semantic(given: Any) -> bool:
    if isinstance(given, Mapping):
        return text(given, "enabled", "true").lower() == "true"
    return given is True


def _items(root: Value, key: str) -> tuple[Value, ...]:
    value = root.get(key)
    return value.items if value else ()


def _place(value: Value, file: str) -> str:
    return f"{file}:{value.mark.line}"
