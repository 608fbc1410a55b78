"""What is known of an operation before it runs: its text is checked, its variables are read, its fields are collected.

Three things are kept, each for longer than the one after it. A *document* is text that is parsed, measured and
validated. A *shape* is one operation of it under one set of values for @skip and @include: which fields there are, and
the builder of each. A *question* is a shape with its variables: everything but the answer. Fields are collected,
variables and arguments read by graphql-core itself, so that all of it means what it means in the plain path.
"""

from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLField,
    GraphQLObjectType,
    GraphQLResolveInfo,
    GraphQLResolveInfoHelpers,
    GraphQLSchema,
    Node,
    OperationDefinitionNode,
    OperationType,
    VariableNode,
    get_argument_values,
    get_variable_values,
)
from graphql.execution.collect_fields import FragmentDetails, collect_fields
from graphql.execution.values import VariableValues
from graphql.pyutils import Path
from strawberry import Schema
from strawberry.types.arguments import convert_arguments
from strawberry.types.field import StrawberryField

from server.graphql.builder import DEFINITION, Builder, Details, Selected, UncompilableError, compile_builder
from server.graphql.kept import Kept
from server.graphql.together import Ahead, asked_by

MOST_SHAPES = 32
"""Of one operation: it has more only where several directives depend on variables."""

_TYPENAME = "__typename"
_INTROSPECTION = frozenset({"__schema", "__type"})
_DECIDING = ("skip", "include")


@dataclass(frozen=True, slots=True)
class RootField:
    """A field at the top of a shape."""

    key: str
    details: Details
    definition: GraphQLField
    builder: Builder


@dataclass(frozen=True, slots=True)
class Shape:
    fields: tuple[RootField | str, ...] | None
    """A text is the response key of a `__typename`. None: the plain path answers."""
    names: frozenset[str] = frozenset()
    """Of the fields at the top, `__typename` left out."""

    @property
    def is_introspection(self) -> bool:
        """Whether nothing but the schema itself is asked for."""
        return self.fields is None and bool(self.names) and self.names <= _INTROSPECTION


PLAIN = Shape(None)


@dataclass(frozen=True, slots=True)
class RootCall:
    """A root field that is ready to be resolved."""

    field: RootField
    arguments: Mapping[str, Any]
    calls: tuple[Mapping[str, Any], ...]
    """What the resolvers below it are called with."""
    info: GraphQLResolveInfo[Any]
    """Without a context, which is of one request."""
    info_with: Callable[[Any], GraphQLResolveInfo[Any]]
    """The same with one."""
    ahead: Ahead | None
    """Tells what the resolver will ask, given `stated`."""
    stated: Mapping[str, Any]
    """The arguments as the resolver takes them, where something is told ahead."""


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """An operation with its variables. It is the same object wherever text, name and variables are the same."""

    operation: OperationDefinitionNode
    document: DocumentNode
    given: dict[str, Any] | None
    name: str | None
    calls: tuple[RootCall | str, ...] | None
    """A text is the key of a `__typename`. None: the plain path answers."""
    shape: Shape
    key: Hashable
    """The same for the same text, name and variables; it is small, and holds nothing of the question."""
    told_ahead: tuple[tuple[Ahead, GraphQLResolveInfo[Any], Mapping[str, Any]], ...] = ()
    """Of the fields that say beforehand what they will ask: see `together`."""
    once: dict[object, Any] = field(default_factory=dict)
    """What resolvers have computed from the question alone: see `Context.once`."""
    is_mutation: bool = field(init=False)
    is_subscription: bool = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "is_mutation", self.operation.operation is OperationType.MUTATION)
        object.__setattr__(self, "is_subscription", self.operation.operation is OperationType.SUBSCRIPTION)


@dataclass
class Operation:
    """One operation of a validated document."""

    strawberry: Schema
    document: DocumentNode
    node: OperationDefinitionNode
    name: str | None
    fragments: dict[str, FragmentDetails]
    deciding: tuple[str, ...]
    """The variables that @skip and @include read."""
    _shapes: Kept[object, Shape] = field(default_factory=lambda: Kept(MOST_SHAPES, MOST_SHAPES))

    @property
    def schema(self) -> GraphQLSchema:
        return self.strawberry._schema

    @property
    def is_mutation(self) -> bool:
        return self.node.operation is OperationType.MUTATION

    def question(self, given: dict[str, Any] | None, key: Hashable) -> Question | list[GraphQLError]:
        """With these variables, or what is wrong with them. `key` is the question's."""
        values = get_variable_values(self.schema, self.node.variable_definitions or (), given or {})
        if isinstance(values, list):
            return values
        shape = self._shape(values)
        calls = None if shape.fields is None else self._calls(shape.fields, values)
        told = tuple((c.ahead, c.info, c.stated) for c in calls or () if isinstance(c, RootCall) and c.ahead)
        return Question(self.node, self.document, given, self.name, calls, shape, key, told)

    def _shape(self, values: VariableValues) -> Shape:
        key = tuple(values.coerced.get(name) for name in self.deciding)
        shape = self._shapes.get(key)
        if shape is None:
            shape = self._made(Selected(self.schema, self.fragments, values, self.node))
            shape = self._shapes.put(key, shape)
        return shape

    def _made(self, selected: Selected) -> Shape:
        if self.node.operation is not OperationType.QUERY or self.node.directives:
            return PLAIN
        root = self.schema.query_type
        assert root is not None
        try:
            found = collect_fields(self.schema, self.fragments, selected.variables, root, self.node)
        except GraphQLError:
            return PLAIN
        names = frozenset(details[0].node.name.value for details in found.grouped_field_set.values()) - {_TYPENAME}
        try:
            fields = tuple(_root_field(selected, root, *entry) for entry in found.grouped_field_set.items())
        except (GraphQLError, UncompilableError):
            return Shape(None, names)
        return Shape(fields, names)

    def _calls(self, fields: tuple[RootField | str, ...], values: VariableValues) -> tuple[RootCall | str, ...] | None:
        try:
            return tuple(entry if isinstance(entry, str) else self._call(entry, values) for entry in fields)
        except GraphQLError:
            return None  # an argument is wrong; the plain path tells where

    def _call(self, entry: RootField, values: VariableValues) -> RootCall:
        root = self.schema.query_type
        assert root is not None
        node = entry.details[0].node
        info: GraphQLResolveInfo[Any] = GraphQLResolveInfo(
            field_name=node.name.value,
            field_nodes=[detail.node for detail in entry.details],
            return_type=entry.definition.type,
            parent_type=root,
            path=Path(None, entry.key, root.name),
            schema=self.schema,
            fragments={name: detail.definition for name, detail in self.fragments.items()},
            root_value=None,
            operation=self.node,
            variable_values=values,
            context=None,
            is_awaitable=never,
            abort_signal=None,
            async_helpers=_NO_HELPERS,
        )
        calls = tuple(
            self._converted(call.definition, get_argument_values(call.definition, call.details.node, values))
            for call in entry.builder.calls
        )
        arguments = get_argument_values(entry.definition, node, values)
        resolver = entry.definition.extensions[DEFINITION].base_resolver
        ahead = asked_by(resolver.wrapped_func)
        stated = self._converted(entry.definition, arguments) if ahead else {}
        return RootCall(entry, arguments, calls, info, _with_context(info), ahead, stated)

    def _converted(self, definition: GraphQLField, values: dict[str, Any]) -> Mapping[str, Any]:
        """Arguments as Strawberry gives them to a resolver."""
        made = definition.extensions[DEFINITION]
        assert isinstance(made, StrawberryField)
        converter = self.strawberry.schema_converter
        return convert_arguments(values, made.arguments, converter.scalar_registry, converter.config)


_CONTEXT = GraphQLResolveInfo._fields.index("context")


def _with_context(info: GraphQLResolveInfo[Any]) -> Callable[[Any], GraphQLResolveInfo[Any]]:
    """As `_replace`, which takes ten times as long."""
    before, after = info[:_CONTEXT], info[_CONTEXT + 1 :]
    return lambda context: tuple.__new__(GraphQLResolveInfo, (*before, context, *after))


def _never(value: object) -> bool:
    """Nothing here is awaitable."""
    return False


never: Any = _never


_NO_HELPERS = GraphQLResolveInfoHelpers(gather=never, track=never)


def _root_field(selected: Selected, root: GraphQLObjectType, key: str, details: Details) -> RootField | str:
    name = details[0].node.name.value
    if name == _TYPENAME:
        return key
    if name not in root.fields:
        raise UncompilableError(f"{name} is no field of the catalog's")
    definition = root.fields[name]
    return RootField(key, details, definition, compile_builder(selected, definition.type, details))


def operations_of(strawberry: Schema, document: DocumentNode) -> dict[str | None, Operation]:
    """By name. One without a name is under None, and so is the only one of a document."""
    definitions = document.definitions
    fragments = {d.name.value: FragmentDetails(d) for d in definitions if isinstance(d, FragmentDefinitionNode)}
    deciding = tuple(dict.fromkeys(_deciding(document)))
    nodes = [d for d in definitions if isinstance(d, OperationDefinitionNode)]
    named = {node.name.value if node.name else None: node for node in nodes}
    made = {name: Operation(strawberry, document, node, name, fragments, deciding) for name, node in named.items()}
    if len(nodes) == 1:
        made[None] = next(iter(made.values()))
    return made


def _deciding(node: Node) -> Iterator[str]:
    """The variables of all @skip and @include in a document."""
    for directive in getattr(node, "directives", None) or ():
        if directive.name.value in _DECIDING:
            for argument in directive.arguments or ():
                if isinstance(argument.value, VariableNode):
                    yield argument.value.name.value
    for part in (*getattr(node, "definitions", ()),):
        yield from _deciding(part)
    below = getattr(node, "selection_set", None)
    for part in below.selections if below else ():
        yield from _deciding(part)
