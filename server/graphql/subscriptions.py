"""A subscription is the query of the same field, asked again: its text becomes that of a query, letter for letter.

So each push goes the way of every query: the same access, limits, cost, deadline, caches and bytes. Nothing is executed
as a subscription anywhere. Letters are only replaced by as many others, so that errors name the place that the client
sees.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from graphql import (
    DefinitionNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    NamedTypeNode,
    Node,
    OperationType,
    SelectionSetNode,
    Visitor,
    get_operation_ast,
    visit,
)
from graphql.utilities import separate_operations

TICKING = frozenset({"asOf", "ageSeconds", "computedAt", "elapsedHours", "projectedUsd", "breachAt"})
"""Fields that move with the clock alone. They are in every push and are no reason for one."""

Path = tuple[str, ...]
"""Keys of a response, from the outermost to the innermost; lists on the way are all of their items."""


@dataclass(frozen=True, slots=True)
class Pushed:
    """What answers each push of a subscription, or the one query that was asked over a socket."""

    text: str
    """Of the query."""
    field: str | None
    """The root field of the subscription, which says when there is something new; None for a query, asked once."""
    ticking: tuple[Path, ...]
    """Where the answer has values that move with the clock."""


def pushed(document: DocumentNode, text: str, name: str | None) -> Pushed:
    """Of a document that is valid and has this operation, a subscription or a query."""
    operation = get_operation_ast(document, name)
    assert operation is not None, name
    if operation.operation is OperationType.QUERY:
        return Pushed(text, None, ())
    alone = separate_operations(document)[operation.name.value if operation.name else ""]
    kept = {_place(definition) for definition in alone.definitions}
    letters = list(text)
    for definition in document.definitions:
        if _place(definition) not in kept:
            _blank(letters, definition)
    _write(letters, _place(operation)[0], "subscription", "query")
    for node in _conditions(alone):
        _write(letters, _place(node)[0], "Subscription", "Query")
    fragments = {d.name.value: d.selection_set for d in alone.definitions if isinstance(d, FragmentDefinitionNode)}
    fields = list(_fields(operation.selection_set, fragments))
    return Pushed("".join(letters), fields[0].name.value, tuple(dict.fromkeys(_ticking(fields, fragments, ("data",)))))


def _place(node: Node) -> tuple[int, int]:
    assert node.loc is not None, node
    return node.loc.start, node.loc.end


def _blank(letters: list[str], definition: DefinitionNode) -> None:
    """Lines stay where they are."""
    start, end = _place(definition)
    letters[start:end] = [letter if letter in "\r\n" else " " for letter in letters[start:end]]


def _write(letters: list[str], start: int, old: str, new: str) -> None:
    assert "".join(letters[start : start + len(old)]) == old, start
    letters[start : start + len(old)] = new.ljust(len(old))


def _conditions(document: DocumentNode) -> list[NamedTypeNode]:
    """Where fragments say that they are of the root."""
    found: list[NamedTypeNode] = []

    class Conditions(Visitor):
        def enter_fragment_definition(self, node: FragmentDefinitionNode, *_: object) -> None:
            found.append(node.type_condition)

        def enter_inline_fragment(self, node: InlineFragmentNode, *_: object) -> None:
            found.extend(filter(None, [node.type_condition]))

    visit(document, Conditions())
    return [node for node in found if node.name.value == "Subscription"]


def _fields(selection: SelectionSetNode, fragments: dict[str, SelectionSetNode]) -> Iterator[FieldNode]:
    """With fragments spread. A valid document has no circles, and how large it is when spread is limited."""
    for node in selection.selections:
        if isinstance(node, FieldNode):
            yield node
        elif isinstance(node, FragmentSpreadNode):
            yield from _fields(fragments[node.name.value], fragments)
        elif isinstance(node, InlineFragmentNode):
            yield from _fields(node.selection_set, fragments)


def _ticking(fields: Iterable[FieldNode], fragments: dict[str, SelectionSetNode], above: Path) -> Iterator[Path]:
    for node in fields:
        path = (*above, (node.alias or node.name).value)
        if node.name.value in TICKING:
            yield path
        elif node.selection_set:
            yield from _ticking(_fields(node.selection_set, fragments), fragments, path)


def without(body: object, paths: Iterable[Path]) -> object:
    """Takes the values at these paths out of a response, in place."""
    for path in paths:
        _remove(body, path)
    return body


def _remove(body: object, path: Path) -> None:
    if isinstance(body, list):
        for item in body:
            _remove(item, path)
    elif isinstance(body, dict):
        if len(path) == 1:
            body.pop(path[0], None)
        else:
            _remove(body.get(path[0]), path[1:])
