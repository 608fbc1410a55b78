"""One random operation: fields, fragments, directives, variables, and now and then something that is wrong."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    is_leaf_type,
)

from tests.server.fuzz import values

MOST_FIELDS = 4
MOST_DEPTH = 4
WRONG = 0.02
"""How often a value is of the wrong kind."""


@dataclass(frozen=True)
class Case:
    text: str
    name: str | None
    variables: Sequence[dict[str, Any] | None]
    """Several sets for the same text; the later ones meet warm caches."""


@dataclass
class Writer:
    """Writes one operation. What it writes is nearly always valid: what is not is refused before the paths part."""

    schema: GraphQLSchema
    random: Random
    variables: dict[str, tuple[str, Callable[[], Any]]] = field(default_factory=dict)
    """Name -> its declaration, and what gives a value for it."""
    fragments: list[str] = field(default_factory=list)
    _keys: int = 0

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def case(self) -> Case:
        query = self.schema.query_type
        assert query is not None
        selection = self._root(query)
        declared = ", ".join(declaration for declaration, _ in self.variables.values())
        head = f"query Q({declared})" if declared else self.random.choice(("query Q", "query", ""))
        name = "Q" if "Q" in head and self.chance(0.5) else None
        text = " ".join((head, selection, *self.fragments))
        if name and self.chance(0.1):
            text += " query Other { __typename }"
        return Case(text, name, [self._given() for _ in range(2)])

    def _given(self) -> dict[str, Any] | None:
        given = {name: make() for name, (_, make) in self.variables.items() if not self.chance(0.03)}
        return given or (None if self.chance(0.5) else {})

    def _root(self, query: GraphQLObjectType) -> str:
        names = [self.random.choice(values.ROOTS) for _ in range(self.random.choice((1, 1, 1, 1, 1, 2, 3)))]
        parts = [self._field(query, name, MOST_DEPTH) for name in names if name in query.fields]
        if self.chance(0.15):
            parts.append("__typename")
        if self.chance(0.03):
            parts.append('__type(name: "Metrics") { name kind }')
        if parts and self.chance(0.15):
            parts.append(self._condition("... on Query") + "{ " + self.random.choice(parts) + " }")
        return "{ " + " ".join(parts or ["__typename"]) + " }"

    def _selection(self, parent: GraphQLObjectType, depth: int) -> str:
        names = [n for n in values.PREFERRED.get(parent.name, parent.fields) if n in parent.fields]
        wanted = self.random.randint(1, MOST_FIELDS)
        parts = [self._field(parent, self.random.choice(names), depth) for _ in range(wanted)]
        parts = [part for part in parts if part]
        if self.chance(0.15):
            parts.insert(self.random.randint(0, len(parts)), self._aliased("__typename"))
        if parts and self.chance(0.2):  # the same field again: both are merged
            parts.append(self.random.choice(parts))
        if parts and self.chance(0.3):
            parts = self._grouped(parent, parts)
        return "{ " + " ".join(parts or ["__typename"]) + " }"

    def _grouped(self, parent: GraphQLObjectType, parts: list[str]) -> list[str]:
        """Some of the fields in a fragment, which may hold fragments itself."""
        cut = self.random.randint(0, len(parts) - 1)
        inside = "{ " + " ".join(parts[cut:]) + " }"
        kind = self.random.choice(("bare", "typed", "named", "nested"))
        if kind == "bare":
            return [*parts[:cut], self._condition("...") + inside]
        if kind == "typed":
            return [*parts[:cut], self._condition(f"... on {parent.name}") + inside]
        name = f"F{len(self.fragments)}"
        if kind == "nested":
            inside = "{ " + self._condition(f"... on {parent.name}") + inside + " }"
        self.fragments.append(f"fragment {name} on {parent.name} {inside}")
        spread = self._condition(f"...{name}")
        return [*parts[:cut], spread, *([spread] if self.chance(0.2) else [])]

    def _condition(self, before: str) -> str:
        """Something with @skip or @include behind it, or without."""
        if not self.chance(0.25):
            return f"{before} "
        directive = self.random.choice(("skip", "include"))
        if self.chance(0.5):
            return f"{before} @{directive}(if: {self.random.choice(('true', 'false'))}) "
        return f"{before} @{directive}(if: {self._flag()}) "

    def _flag(self) -> str:
        """A variable for a directive; now and then one with a default, which may then be left out or be null."""
        name = self.random.choice(("a", "b", "c"))
        default = " = true" if name == "c" else ""
        kind = "Boolean" if name == "c" else "Boolean!"
        choices = (True, False, None) if name == "c" and self.chance(0.1) else (True, False)
        self.variables.setdefault(name, (f"${name}: {kind}{default}", lambda: self.random.choice(choices)))
        return f"${name}"

    def _aliased(self, name: str) -> str:
        if not self.chance(0.25):
            return name
        self._keys += 1
        return f"k{self._keys}: {name}"

    def _field(self, parent: GraphQLObjectType, name: str, depth: int) -> str:
        """Its arguments follow its key, so that the same key never means two things."""
        definition: GraphQLField = parent.fields[name]
        below = get_named_type(definition.type)
        if isinstance(below, GraphQLObjectType) and depth <= 1:
            return ""
        arguments = self._arguments(parent, name, definition)
        shown = self._aliased(name) if not arguments else f"{self._key()}: {name}"
        head = self._condition(f"{shown}{arguments}")
        if is_leaf_type(below):
            return head
        assert isinstance(below, GraphQLObjectType), below
        return head + self._selection(below, depth - 1)

    def _key(self) -> str:
        self._keys += 1
        return f"k{self._keys}"

    def _arguments(self, parent: GraphQLObjectType, name: str, definition: GraphQLField) -> str:
        given = []
        for argument, declared in definition.args.items():
            is_needed = isinstance(declared.type, GraphQLNonNull)
            if is_needed or self.chance(0.3):
                given.append(f"{argument}: {self._argument(f'{parent.name}.{name}.{argument}', declared)}")
        return f"({', '.join(given)})" if given else ""

    def _argument(self, place: str, declared: GraphQLArgument) -> str:
        """A literal, or a variable of the argument's type."""
        usual = values.USUAL.get(place)
        if usual is not None and self.chance(0.9):
            literal, value = self.random.choice(usual)
        else:
            literal, value = self._value(declared.type, 3)
        if not self.chance(0.4):
            return literal
        name = f"v{len(self.variables)}"
        default = f" = {literal}" if self.chance(0.2) and literal != "null" else ""
        others = [value, *(other for _, other in usual or [self._value(declared.type, 3) for _ in range(2)])]
        self.variables[name] = (f"${name}: {declared.type}{default}", lambda: self.random.choice(others))
        return f"${name}"

    def _value(self, kind: Any, depth: int) -> tuple[str, Any]:
        """A value as literal text, and as a variable has it."""
        if isinstance(kind, GraphQLNonNull):
            return self._value(kind.of_type, depth)
        if self.chance(0.05):
            return "null", None
        if isinstance(kind, GraphQLList):
            items = [self._value(kind.of_type, depth - 1) for _ in range(self.random.randint(0, 2))]
            return "[" + ", ".join(text for text, _ in items) + "]", [value for _, value in items]
        if isinstance(kind, GraphQLEnumType):
            name = "NO_SUCH_VALUE" if self.chance(WRONG) else self.random.choice(list(kind.values))
            return name, name
        if isinstance(kind, GraphQLInputObjectType):
            return self._object(kind, depth)
        return self.random.choice(values.SCALARS[kind.name] if not self.chance(WRONG) else values.ODD)

    def _object(self, kind: GraphQLInputObjectType, depth: int) -> tuple[str, Any]:
        needed = [n for n, f in kind.fields.items() if isinstance(f.type, GraphQLNonNull)]
        names = [n for n in kind.fields if depth > 0 or is_leaf_type(get_named_type(kind.fields[n].type))]
        some = self.random.sample(names, min(len(names), self.random.randint(0, 2)))
        made = {name: self._value(kind.fields[name].type, depth - 1) for name in dict.fromkeys((*needed, *some))}
        text = "{" + ", ".join(f"{name}: {literal}" for name, (literal, _) in made.items()) + "}"
        return text, {name: value for name, (_, value) in made.items()}
