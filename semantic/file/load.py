"""metrics.yaml -> Catalog, or every mistake in the file at once.

Reading goes from what others rest on to what rests on it: the calendar, models with their joins, then metrics, each
after those that it names, then filters, policies, tests and outcomes.
"""

from collections.abc import Mapping
from dataclasses import replace

from semantic.catalog import Catalog
from semantic.errors import QueryError
from semantic.file.defaults import read_calendar, read_default_access, read_defaults
from semantic.file.document import Mistakes, Value, check_keys, parse_document
from semantic.file.draft import Draft
from semantic.file.expectations import read_checks
from semantic.file.measured import with_measured_dimensions
from semantic.file.metrics import read_metric, uses_of
from semantic.file.models import read_models
from semantic.file.names import folded, is_mapping, is_name, text_of
from semantic.file.order import ordered
from semantic.file.outcomes import read_outcomes
from semantic.file.policies import read_filters, read_policies
from semantic.measure import Each
from semantic.metric import declared_name
from semantic.model import Model
from semantic.reach import reach

TOP_LEVEL = {"version", "name", "defaults", "calendar", "models", "metrics", "filters", "policies", "tests", "outcomes"}


def load_catalog(text: str, file: str = "metrics.yaml") -> Catalog:
    """The catalog that a metrics file declares; `CatalogError` with every mistake where there are any."""
    root = parse_document(text, file)
    mistakes = Mistakes()
    check_keys(root, TOP_LEVEL, mistakes, required=("models", "metrics"))
    version = root.get("version")
    if version is not None and version.text != "1":
        mistakes.add(version, f"version: is 1, not '{version.text}'")
    zone, week_start = read_defaults(root.get("defaults"), mistakes)
    access = read_default_access(root.get("defaults"), mistakes)
    calendar = read_calendar(root.get("calendar"), week_start, mistakes)
    draft = Draft(read_models(root.get("models"), mistakes), calendar, mistakes)
    entries = _read_metrics(root.get("metrics"), draft)
    _check_names(entries, draft.models, mistakes)
    filters = read_filters(root.get("filters"), draft)
    named = root.get("filters")
    policies = read_policies(root.get("policies"), draft)
    checks = read_checks(root.get("tests"), entries, [k.text for k, _ in named.entries] if named else (), draft)
    outcomes = read_outcomes(root.get("outcomes"), mistakes)
    name = text_of(root, "name", mistakes) or "metrics"
    mistakes.raise_if_any()
    metrics = {name: draft.metrics[name] for name in entries}
    catalog = Catalog(
        *(name, zone, draft.models, metrics, file, calendar),
        *(filters, policies, checks, draft.parts, outcomes, access),
    )
    _check_reach(catalog, mistakes)
    models = with_measured_dimensions(catalog, mistakes)
    mistakes.raise_if_any()
    return replace(catalog, models=models)


Entries = Mapping[str, tuple[Value, Value]]


def _read_metrics(value: Value | None, draft: Draft) -> Entries:
    """Fills the draft; all entries that have a name."""
    if value is None or not is_mapping(value, draft.mistakes, "from metric names to definitions"):
        return {}
    entries = {key.text: (key, body) for key, body in value.entries if is_name(key, draft.mistakes, "a metric")}
    declared = {key.text for key, _ in value.entries}
    names, cycles = ordered({name: uses_of(body) for name, (_, body) in entries.items()})
    for cycle in cycles:
        draft.mistakes.add(entries[cycle[0]][0], f"'{cycle[0]}' rests on itself: {' -> '.join(cycle)}")
    sound = frozenset(names)
    for name in (*names, *(n for n in entries if n not in sound)):
        metric = read_metric(*entries[name], declared, draft)
        if metric is not None and name in sound:
            draft.add(metric, entries[name][0])
    return entries


def _check_reach(catalog: Catalog, mistakes: Mistakes) -> None:
    """What a metric is computed for each of must be a cut of all that it rests on, whatever is asked."""
    for metric in catalog.metrics.values():
        if not isinstance(metric.definition, Each) or metric.mark is None:
            continue
        for name, measure in catalog.measures_of(metric.name).items():
            for dimension in metric.definition.by:
                try:
                    reach(catalog, measure, dimension, declared_name(name))
                except QueryError as error:
                    mistakes.add(metric.mark, str(error))


def _check_names(entries: Entries, models: Mapping[str, Model], mistakes: Mistakes) -> None:
    """Metrics and dimensions are fields of one GraphQL row, so no two may share a name after case folding."""
    taken: dict[str, str] = {}
    for model in models.values():
        for dimension in model.dimensions:
            taken.setdefault(folded(dimension), f"the dimension '{dimension}'")
    for name, (key, _) in entries.items():
        if folded(name) in taken:
            mistakes.add(key, f"the metric '{name}' has the same name in GraphQL as {taken[folded(name)]}")
        taken.setdefault(folded(name), f"the metric '{name}'")
