"""All `metrics` fields of one operation that ask about the same slice are one statement.

Before the first field is resolved, the questions of all of them are known. Those that differ in their metrics alone and
rest on the same rows are asked together, and each field finds its answer when its turn comes. Whatever goes wrong here
goes wrong again there, at its own field: a field whose answer is not found asks for itself.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from graphql import GraphQLError, GraphQLResolveInfo

from semantic import MetricQuery, QueryError
from semantic.together import can_share, joined_query, part_of, slice_of_query
from server.answer import Answer, Planned, answer_to, compiled
from server.graphql.context import Context
from store import StoreError

Ahead = Callable[[Context, GraphQLResolveInfo[Any], Mapping[str, Any]], Iterable[MetricQuery]]
"""Takes the arguments as the resolver does. Gives the questions that a field will ask, or raises what it will raise."""

_ASKS = "__asks__"


def asks(ahead: Ahead, resolver: Callable[..., Any]) -> None:
    """Says of a root field's resolver what it will ask."""
    setattr(resolver, _ASKS, ahead)


def asked_by(resolver: Callable[..., Any]) -> Ahead | None:
    found: Ahead | None = getattr(resolver, _ASKS, None)
    return found


def ask_together(context: Context, fields: Iterable[tuple[Ahead, GraphQLResolveInfo[Any], Mapping[str, Any]]]) -> None:
    """Puts answers into `context.found` for questions that were asked together."""
    slices: dict[object, list[MetricQuery]] = {}
    for ahead, info, arguments in fields:
        try:
            for query in ahead(context, info, arguments):
                # 1, True and Decimal(1) are equal; as values of a filter they are not the same
                alike = slices.setdefault((slice_of_query(query), repr((query.where, query.having))), [])
                if query not in alike:
                    alike.append(query)
        except (QueryError, GraphQLError):
            continue  # the field says it
    for queries in slices.values():
        for group in _groups(context, queries):
            _ask(context, group)


def _groups(context: Context, queries: Sequence[MetricQuery]) -> Iterable[list[MetricQuery]]:
    """Questions of one slice that can share a statement, two and more."""
    if len(queries) < 2:
        return []
    groups: list[list[tuple[MetricQuery, Planned]]] = []
    for query in queries:
        try:
            planned = compiled(context.planner, query, context.caller)
        except QueryError:
            continue  # the field says it
        group = next((g for g in groups if can_share(g[0][1][0], planned[0])), None)
        if group is None:
            groups.append([(query, planned)])
        else:
            group.append((query, planned))
    return [[query for query, _ in group] for group in groups if len(group) > 1]


def _ask(context: Context, queries: list[MetricQuery]) -> None:
    try:
        planned = compiled(context.planner, joined_query(queries), context.caller)
    except QueryError:
        return
    try:
        answer = answer_to(planned, context.reader, timeout_ms=context.deadline.remaining_ms())
    except (QueryError, StoreError):  # the store's own words are not for a caller with roles: he gets a QueryError
        context.begin_anew()  # no field has seen the version that ended with the failed statement
        return
    for query in queries:
        found = Answer(part_of(answer.shaped, query), *compiled(context.planner, query, context.caller))
        context.found[query, repr((query.where, query.having))] = found
