"""What a client selected, as it will be answered: fragments spread, @skip and @include applied, duplicates merged.

Selected dimensions become groups, so a field that is skipped must not count. Hence graphql-core's own collection of
fields, the one that execution uses, and never the text of the query.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from graphql import GraphQLObjectType, GraphQLResolveInfo, get_argument_values
from graphql.execution.collect_fields import CollectedFields, FieldDetails, FragmentDetails, collect_subfields

from semantic import QueryError
from server.names import Vocabulary

_EVIDENCE_WIDTH = 4


@dataclass(frozen=True, slots=True)
class Columns:
    """What is selected under `rows` or under `totals`, each name once, in the order of the selection."""

    metrics: tuple[str, ...]
    by: tuple[str, ...]
    grain: str | None
    evidence: bool
    width: int
    """Values of a row in the response, roughly."""


@dataclass(frozen=True, slots=True)
class Selection:
    """What one `metrics` field is asked for; `rows` and `totals` are None where they are not selected."""

    rows: Columns | None
    totals: Columns | None
    fields: frozenset[str]
    """All fields of `Metrics` that are selected."""


@dataclass(frozen=True, slots=True)
class _Field:
    """One field of the response, with every node of the query that asks for it."""

    name: str
    arguments: Mapping[str, Any]
    nodes: list[FieldDetails]


def selection_of(info: GraphQLResolveInfo[Any], vocabulary: Vocabulary) -> Selection:
    """`QueryError` where the selection is not one question."""
    fragments = {name: FragmentDetails(definition) for name, definition in info.fragments.items()}
    collect = partial(collect_subfields, info.schema, fragments, info.variable_values, info.operation)

    def fields_of(type_name: str, nodes: list[FieldDetails]) -> list[_Field]:
        parent = info.schema.type_map[type_name]
        assert isinstance(parent, GraphQLObjectType)
        return _fields(parent, collect(parent, nodes), info)

    parts = fields_of("Metrics", [FieldDetails(node, None) for node in info.field_nodes])
    names = [part.name for part in parts]
    if names.count("rows") > 1:
        raise QueryError("ROWS_TWICE", "rows are selected twice; ask for metrics twice, each under a name of its own")

    def columns_of(name: str, type_name: str) -> Columns | None:
        fields = [field for part in parts if part.name == name for field in fields_of(type_name, part.nodes)]
        return _columns(name, fields, vocabulary) if name in names else None

    return Selection(columns_of("rows", "MetricsRow"), columns_of("totals", "MetricsTotals"), frozenset(names))


def _fields(parent: GraphQLObjectType, collected: CollectedFields, info: GraphQLResolveInfo[Any]) -> list[_Field]:
    """Without __typename, which no type declares."""
    return [
        _Field(name, get_argument_values(parent.fields[name], details[0].node, info.variable_values), details)
        for details in collected.grouped_field_set.values()
        if (name := details[0].node.name.value) in parent.fields
    ]


def _columns(part: str, fields: list[_Field], vocabulary: Vocabulary) -> Columns:
    evidence = [field.arguments["metric"].value for field in fields if field.name == "evidence"]
    metrics = [vocabulary.metrics[field.name] for field in fields if field.name in vocabulary.metrics]
    if not metrics and not evidence:
        example = next(iter(vocabulary.metrics), "")
        raise QueryError("NO_METRICS", f"no metric is selected under {part}; select at least one, such as {example}")
    return Columns(
        metrics=tuple(dict.fromkeys((*metrics, *evidence))),
        by=tuple(dict.fromkeys(vocabulary.keys[f.name] for f in fields if f.name in vocabulary.keys)),
        grain=_grain(fields),
        evidence=bool(evidence),
        width=len(fields) + _EVIDENCE_WIDTH * len(evidence),
    )


def _grain(fields: list[_Field]) -> str | None:
    grains = sorted({str(field.arguments["grain"].value) for field in fields if field.name == "time"})
    if len(grains) > 1:
        both = " and ".join(grain.upper() for grain in grains)
        raise QueryError("TWO_GRAINS", f"rows are cut by {both} at once; a question has one grain, so ask twice")
    return grains[0] if grains else None
