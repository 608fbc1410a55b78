"""Saved queries have no place in a metrics file; each is told as the question that asks the same."""

from collections.abc import Iterator, Mapping
from shlex import quote

from semantic.formats.metricflow.entries import Entry
from semantic.formats.metricflow.filters import GRAINS, METRIC_TIME, Reference, pieces_of, rendered
from semantic.formats.metricflow.models import Models, Scope
from semantic.formats.metricflow.project import Project, SavedQuery
from semantic.formats.metricflow.resolve import name_in_question
from semantic.formats.metricflow.sql import joined
from semantic.formats.report import Finding, Kind, NotCarriedError


def told_queries(project: Project, models: Models, entries: Mapping[str, Entry]) -> Iterator[Finding]:
    for query in project.saved_queries:
        what = "a metrics file holds no questions"
        try:
            advice = f"ask: {_command(query, models, entries)}"
        except NotCarriedError as error:
            advice = f"ask its metrics by hand ({error})"
        yield Finding(Kind.LOST, query.place, f"saved query '{query.name}'", what, advice)


def _command(query: SavedQuery, models: Models, entries: Mapping[str, Entry]) -> str:
    missing = [name for name in query.metrics if name not in entries]
    if missing or not query.metrics:
        raise NotCarriedError("metrics", f"{', '.join(missing) or 'none'} is not in the file")
    asked = [entries[name] for name in query.metrics]
    scope = min(asked[0].scopes, key=lambda s: (s.model, s.time), default=Scope(""))
    words = ["clawback", "query", *(entry.name for entry in asked)]
    for item in query.group_by:
        reference = _reference(item)
        if reference.name == METRIC_TIME:
            words += ["--grain", reference.grain or "day"]
        else:
            words += ["--by", name_in_question(models, scope.model, reference)]
    if where := joined([_condition(models, scope, template) for template in query.filters]):
        words += ["--where", where]
    if query.limit:
        words += ["--limit", query.limit]
    return " ".join(quote(word) for word in words)


def _condition(models: Models, scope: Scope, template: str) -> str:
    """A filter of a question: over dimensions; the time is given as a range."""

    def name(reference: Reference) -> str:
        if reference.name == METRIC_TIME or reference.kind == "metric":
            raise NotCarriedError(
                f"filter {reference}", "a question names its time as a range", "use --since and --until"
            )
        return name_in_question(models, scope.model, reference)

    return rendered(pieces_of(template), name)


def _reference(item: str) -> Reference:
    """`metric_time__month`, `session__agent`, or a call such as `TimeDimension('metric_time', 'month')`."""
    if "(" in item:
        (piece,) = pieces_of(item if "{{" in item else f"{{{{ {item} }}}}")
        if isinstance(piece, Reference):
            return piece
    *path, name = item.lower().split("__")
    if path and name in GRAINS:
        return Reference("dimension", tuple(path[:-1]), path[-1], name)
    return Reference("dimension", tuple(path), name)
