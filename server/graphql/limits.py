"""How large a document may be, checked before it is validated: one pass, linear however fragments spread fragments.

What reads the schema itself (`__schema`, `__type`) is exempt: the standard introspection query is deep, and
graphql-core bounds such queries with a rule of its own.
"""

from dataclasses import dataclass, field

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
)

MAX_BODY_BYTES = 64 * 1024
MAX_TOKENS = 1_000
MAX_COMMENTS = 200
MAX_DEPTH = 12
MAX_FIELDS = 1_000
MAX_ROOT_FIELDS = 5
MAX_NESTING = 100
"""Fields and fragments within each other; keeps this pass far from the interpreter's own limit."""


class TooLargeError(GraphQLError):
    """A document beyond one of the limits."""


@dataclass(frozen=True, slots=True)
class _Size:
    """Of a selection, with every fragment spread out in it."""

    depth: int = 0
    fields: int = 0
    top: int = 0


def check_size(document: DocumentNode) -> None:
    """Raises `TooLargeError` where an operation is too deep or too wide."""
    definitions = document.definitions
    fragments = {d.name.value: d.selection_set for d in definitions if isinstance(d, FragmentDefinitionNode)}
    measured = _Measured(fragments)
    for operation in definitions:
        if isinstance(operation, OperationDefinitionNode):
            size = measured.selections(operation.selection_set)
            _at_most(MAX_DEPTH, size.depth, "levels of fields", operation)
            _at_most(MAX_FIELDS, size.fields, "fields", operation)
            _at_most(MAX_ROOT_FIELDS, size.top, "fields at the top", operation)


def _at_most(most: int, found: int, what: str, operation: OperationDefinitionNode) -> None:
    if found > most:
        raise TooLargeError(f"an operation has at most {most:,} {what}, this has {found:,}", operation)


@dataclass
class _Measured:
    """Each fragment is measured once; one that spreads itself counts nothing, as validation will refuse it."""

    fragments: dict[str, SelectionSetNode]
    sizes: dict[str, _Size] = field(default_factory=dict)

    def selections(self, node: SelectionSetNode | None, nesting: int = 1) -> _Size:
        if node is None:
            return _Size()
        if nesting > MAX_NESTING:
            raise TooLargeError(f"fields and fragments are nested more than {MAX_NESTING} times", node)
        parts = [self._selection(selection, nesting) for selection in node.selections]
        return _Size(max((p.depth for p in parts), default=0), sum(p.fields for p in parts), sum(p.top for p in parts))

    def _selection(self, node: SelectionNode, nesting: int) -> _Size:
        if isinstance(node, FragmentSpreadNode):
            return self._fragment(node.name.value, nesting)
        if isinstance(node, InlineFragmentNode):
            return self.selections(node.selection_set, nesting + 1)
        assert isinstance(node, FieldNode), node
        if node.name.value in ("__schema", "__type"):
            return _Size(top=1)
        inside = self.selections(node.selection_set, nesting + 1)
        return _Size(inside.depth + 1, inside.fields + 1, 1)

    def _fragment(self, name: str, nesting: int) -> _Size:
        if name not in self.sizes:
            self.sizes[name] = _Size()
            self.sizes[name] = self.selections(self.fragments.get(name), nesting + 1)
        return self.sizes[name]
