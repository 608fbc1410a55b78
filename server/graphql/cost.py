"""What an operation may cost, known before it runs: over its fields at the top, weight x rows x columns.

It is an upper bound in values, the cells of a table, and says nothing of the data: the same question costs as much on
an empty store. Whatever reads the store costs a scan at least: the one row of all may be as dear to find. Fields that a
variable leaves out are paid for below the top, not at the top.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from graphql import (
    BooleanValueNode,
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    ValueNode,
    VariableNode,
    get_operation_ast,
)

LIMITS = ("limit", "first", "top")
"""Arguments of a field at the top that say how many rows it gives at most."""
SCAN = 1_000
"""What a field that reads the store costs however little it gives."""


@dataclass(frozen=True, slots=True)
class Weight:
    """What one value of a field at the top costs."""

    per_value: int = 1
    rows: int = 100
    """Where it has no argument that says how many, or it is left out."""
    is_from_memory: bool = False
    """Nothing is read from the store, so it must not wait behind what does."""
    is_instant: bool = False
    """It is from memory and never waits, for a lock or a disk either: a thread of its own would cost more than it."""


USUAL = Weight()
TYPENAME = Weight(rows=1, is_from_memory=True, is_instant=True)


@dataclass(frozen=True, slots=True)
class Condition:
    """`@include(if:)` where `wanted`, `@skip(if:)` where not."""

    of: "bool | Variable"
    wanted: bool


@dataclass(frozen=True, slots=True)
class Variable:
    name: str
    default: object = None


@dataclass(frozen=True, slots=True)
class Root:
    weight: Weight
    columns: int
    rows: int | Variable | None
    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Cost:
    values: int
    is_from_memory: bool
    """Of every field at the top that is asked for."""
    is_instant: bool = False
    """The same."""


@dataclass(frozen=True, slots=True)
class Priced:
    """One operation of a document, ready to be priced for any variables."""

    roots: tuple[Root, ...]

    def cost(self, variables: Mapping[str, object] | None, most_rows: int) -> Cost:
        """`most_rows` is the largest limit: a larger one is refused before it costs anything."""
        given = variables or {}
        asked = [root for root in self.roots if all(_holds(c, given) for c in root.conditions)]
        values = sum(_values(root, given, most_rows) for root in asked)
        weights = [root.weight for root in asked]
        return Cost(max(values, 1), all(w.is_from_memory for w in weights), all(w.is_instant for w in weights))


def priced(document: DocumentNode, name: str | None, weights: Mapping[str, Weight]) -> Priced:
    """Of a valid document. A field without a weight of its own has the usual one."""
    operation = get_operation_ast(document, name)
    if operation is None:
        return Priced(())
    fragments = {d.name.value: d.selection_set for d in document.definitions if isinstance(d, FragmentDefinitionNode)}
    return Priced(tuple(_Reading(fragments, _defaults(operation), weights).roots(operation.selection_set, ())))


def _holds(condition: Condition, variables: Mapping[str, object]) -> bool:
    of = condition.of
    return bool(variables.get(of.name, of.default) if isinstance(of, Variable) else of) is condition.wanted


def _values(root: Root, variables: Mapping[str, object], most_rows: int) -> int:
    weight = root.weight
    given = weight.per_value * root.columns * _rows(root, variables, most_rows)
    return given if weight.is_from_memory else max(given, SCAN)


def _rows(root: Root, variables: Mapping[str, object], most_rows: int) -> int:
    rows = variables.get(root.rows.name, root.rows.default) if isinstance(root.rows, Variable) else root.rows
    known = rows if isinstance(rows, int | float) and not isinstance(rows, bool) else root.weight.rows
    return int(min(max(known, 1), most_rows))


def _defaults(operation: OperationDefinitionNode) -> dict[str, object]:
    """Of the variables that decide about rows and conditions: numbers and booleans."""
    definitions = operation.variable_definitions or ()
    return {d.variable.name.value: _constant(d.default_value) for d in definitions}


def _constant(node: ValueNode | None) -> int | bool | None:
    match node:
        case IntValueNode(value=digits):
            return int(digits)
        case BooleanValueNode(value=truth):
            return truth
    return None


@dataclass(slots=True)
class _Reading:
    """Each fragment is counted once, as in `limits`, which has bounded it."""

    fragments: Mapping[str, SelectionSetNode]
    defaults: Mapping[str, object]
    weights: Mapping[str, Weight]
    counted: dict[str, int] = field(default_factory=dict)

    def roots(self, selections: SelectionSetNode, conditions: tuple[Condition, ...]) -> list[Root]:
        """At most as many as a document may have at its top, so fragments are spread out here."""
        found: list[Root] = []
        for node in selections.selections:
            held = (*conditions, *self._conditions(node.directives))
            match node:
                case FieldNode():
                    found.append(self._root(node, held))
                case InlineFragmentNode(selection_set=inside):
                    found += self.roots(inside, held)
                case FragmentSpreadNode(name=name):
                    found += self.roots(self.fragments[name.value], held)
        return found

    def _root(self, node: FieldNode, conditions: tuple[Condition, ...]) -> Root:
        name = node.name.value
        weight = TYPENAME if name == "__typename" else self.weights.get(name, USUAL)
        limits = (a.value for a in node.arguments or () if a.name.value in LIMITS)
        return Root(weight, max(self._leaves(node.selection_set), 1), self._number(next(limits, None)), conditions)

    def _number(self, node: ValueNode | None) -> int | Variable | None:
        return self._variable(node) if isinstance(node, VariableNode) else _constant(node)

    def _conditions(self, directives: tuple[DirectiveNode, ...] | None) -> list[Condition]:
        found = []
        for directive in directives or ():
            value = next((a.value for a in directive.arguments or () if a.name.value == "if"), None)
            if directive.name.value in ("include", "skip") and isinstance(value, VariableNode | BooleanValueNode):
                of = value.value if isinstance(value, BooleanValueNode) else self._variable(value)
                found.append(Condition(of, directive.name.value == "include"))
        return found

    def _variable(self, node: VariableNode) -> Variable:
        return Variable(node.name.value, self.defaults.get(node.name.value))

    def _leaves(self, selections: SelectionSetNode | None) -> int:
        """Values of one row: fields that have none below them."""
        if selections is None:
            return 0
        found = 0
        for node in selections.selections:
            match node:
                case FieldNode(selection_set=None):
                    found += 1
                case FieldNode(selection_set=inside) | InlineFragmentNode(selection_set=inside):
                    found += self._leaves(inside)
                case FragmentSpreadNode(name=name):
                    found += self._of_fragment(name.value)
        return found

    def _of_fragment(self, name: str) -> int:
        if name not in self.counted:
            self.counted[name] = self._leaves(self.fragments[name])
        return self.counted[name]
