"""How large a document may be, checked before it is validated: one pass, linear however fragments spread fragments.

The depth and the number of fields in what reads the schema itself (`__schema`, `__type`) are exempt: the standard
introspection query is deep, and graphql-core bounds such queries with a rule of its own.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from graphql import (
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    Node,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
)

from server.graphql.value_limits import TooLargeError, check_literals

__all__ = ["MAX_BODY_BYTES", "MAX_COMMENTS", "MAX_TOKENS", "TooLargeError", "check_size"]

MAX_BODY_BYTES = 64 * 1024
MAX_TOKENS = 1_000
MAX_COMMENTS = 200
MAX_DEPTH = 12
MAX_FIELDS = 1_000
MAX_ROOT_FIELDS = 5
MAX_ALIASES = 100
MAX_REPEATS = 20
"""Of one field at one place. Validation compares each with each of them, so that 500 would take it 100 ms."""
MAX_DIRECTIVES = 50
MAX_DIRECTIVES_AT_ONE_PLACE = 4
MAX_VARIABLES = 50
MAX_NESTING = 100
"""Fields and fragments within each other; keeps this pass far from the interpreter's own limit."""


@dataclass(frozen=True, slots=True)
class _Size:
    """Of a selection, with every fragment spread out in it."""

    depth: int = 0
    fields: int = 0
    aliases: int = 0
    directives: int = 0
    repeats: dict[str, int] = field(default_factory=dict)
    """How often the answer's key is asked for at this place, or below it where that is more."""
    top: int = 0


def check_size(document: DocumentNode) -> None:
    """Raises `TooLargeError` where an operation is too deep or too wide, or a fragment that nothing spreads repeats."""
    definitions = document.definitions
    fragments = {d.name.value: d for d in definitions if isinstance(d, FragmentDefinitionNode)}
    measured = _Measured(fragments)
    for operation in definitions:
        if isinstance(operation, OperationDefinitionNode):
            _check_variables(operation)
            _check(measured.selections(operation.selection_set), operation)
    for name, fragment in fragments.items():
        _check_repeats(measured.fragment(name, 1), fragment)


def _check_variables(operation: OperationDefinitionNode) -> None:
    variables = operation.variable_definitions or ()
    _at_most(MAX_VARIABLES, len(variables), "variables", operation)
    for variable in variables:
        _check_directives(variable.directives, variable)
        if variable.default_value is not None:
            check_literals([variable.default_value])
    _check_directives(operation.directives, operation)


def _check(size: _Size, node: OperationDefinitionNode) -> None:
    _at_most(MAX_DEPTH, size.depth, "levels of fields", node)
    _at_most(MAX_FIELDS, size.fields, "fields", node)
    _at_most(MAX_ROOT_FIELDS, size.top, "fields at the top", node)
    _at_most(MAX_ALIASES, size.aliases, "aliases", node)
    _at_most(MAX_DIRECTIVES, size.directives, "directives", node)
    _check_repeats(size, node)


def _check_repeats(size: _Size, node: Node) -> None:
    for key, times in size.repeats.items():
        if times > MAX_REPEATS:
            problem = f"a field is asked for at most {MAX_REPEATS} times at one place, at or below '{key[:40]}' it is"
            raise TooLargeError(f"{problem} {times:,} times", node)


def _at_most(most: int, found: int, what: str, operation: OperationDefinitionNode) -> None:
    if found > most:
        raise TooLargeError(f"an operation has at most {most:,} {what}, this has {found:,}", operation)


def _check_directives(directives: Iterable[DirectiveNode] | None, node: Node) -> int:
    found = list(directives or ())
    if len(found) > MAX_DIRECTIVES_AT_ONE_PLACE:
        problem = f"at most {MAX_DIRECTIVES_AT_ONE_PLACE} directives are at one place, here are {len(found):,}"
        raise TooLargeError(problem, node)
    for directive in found:
        check_literals(argument.value for argument in directive.arguments or ())
    return len(found)


@dataclass
class _Measured:
    """Each fragment is measured once; one that spreads itself counts nothing, as validation will refuse it."""

    fragments: dict[str, FragmentDefinitionNode]
    sizes: dict[str, _Size] = field(default_factory=dict)

    def selections(self, node: SelectionSetNode | None, nesting: int = 1) -> _Size:
        if node is None:
            return _Size()
        if nesting > MAX_NESTING:
            raise TooLargeError(f"fields and fragments are nested more than {MAX_NESTING} times", node)
        return _together([self._selection(selection, nesting) for selection in node.selections])

    def fragment(self, name: str, nesting: int) -> _Size:
        if name not in self.sizes:
            self.sizes[name] = _Size()
            if definition := self.fragments.get(name):
                directives = _check_directives(definition.directives, definition)
                self.sizes[name] = _with(directives, self.selections(definition.selection_set, nesting + 1))
        return self.sizes[name]

    def _selection(self, node: SelectionNode, nesting: int) -> _Size:
        directives = _check_directives(node.directives, node)
        if isinstance(node, FragmentSpreadNode):
            return _with(directives, self.fragment(node.name.value, nesting))
        if isinstance(node, InlineFragmentNode):
            return _with(directives, self.selections(node.selection_set, nesting + 1))
        assert isinstance(node, FieldNode), node
        check_literals(argument.value for argument in node.arguments or ())
        key, is_aliased = (node.alias.value, 1) if node.alias else (node.name.value, 0)
        inside = self.selections(node.selection_set, nesting + 1)
        is_exempt = node.name.value in ("__schema", "__type")
        return _Size(
            0 if is_exempt else inside.depth + 1,
            0 if is_exempt else inside.fields + 1,
            inside.aliases + is_aliased,
            inside.directives + directives,
            {key: max(inside.repeats.values(), default=1)},
            1,
        )


def _with(directives: int, size: _Size) -> _Size:
    if not directives:
        return size
    return _Size(size.depth, size.fields, size.aliases, size.directives + directives, size.repeats, size.top)


def _together(parts: list[_Size]) -> _Size:
    repeats: dict[str, int] = {}
    for part in parts:
        for key, times in part.repeats.items():
            repeats[key] = repeats.get(key, 0) + times
    return _Size(
        max((part.depth for part in parts), default=0),
        sum(part.fields for part in parts),
        sum(part.aliases for part in parts),
        sum(part.directives for part in parts),
        repeats,
        sum(part.top for part in parts),
    )
