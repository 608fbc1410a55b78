"""What the compiler gives: SQL text with named parameters, and what each of its columns is."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal

from sqlglot import exp

from semantic.query import Scalar


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of a statement, in order: keys first, then metrics, then what evidence rests on."""

    keys: tuple[str, ...]
    metrics: tuple[str, ...]
    hidden: tuple[str, ...] = ()
    """`<metric>` of an input, `<measure>__rows`, `<measure>__unknown`."""


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL for DuckDB. Every value that a caller gave is in `params`; `tree` renders for other eyes."""

    sql: str
    params: dict[str, Scalar]
    columns: Columns
    tree: exp.Expression
    limit: int | None = None
    """The asked limit; the statement fetches one row more, so that a cut is known and not guessed."""

    def with_values(self) -> str:
        """The statement with its values written into it, for a person to run by hand."""

        def written(node: exp.Expression) -> exp.Expression:
            return literal(self.params[node.name]) if isinstance(node, exp.Placeholder) else node

        return self.tree.transform(written).sql(dialect="duckdb", pretty=True)


@dataclass
class Parameters:
    """The values bound so far; an equal value of the same type is bound once."""

    values: dict[str, Scalar] = field(default_factory=dict)

    def bind(self, value: Scalar) -> exp.Placeholder:
        if isinstance(value, datetime):
            value = value.astimezone(UTC).replace(tzinfo=None)  # the store keeps instants as UTC without a zone
        for known, bound in self.values.items():
            if type(bound) is type(value) and bound == value:
                return exp.Placeholder(this=known)
        key = f"p{len(self.values) + 1}"
        self.values[key] = value
        return exp.Placeholder(this=key)


def literal(value: Scalar) -> exp.Expression:
    """A value as SQL text."""
    match value:
        case bool():
            return exp.Boolean(this=value)
        case int():
            return exp.Literal.number(str(value))
        case Decimal():
            return exp.Literal.number(f"{value:f}")  # as 1E-12 it would be a double
        case datetime():
            return exp.cast(exp.Literal.string(value.isoformat(sep=" ")), "TIMESTAMP")
        case date():
            return exp.cast(exp.Literal.string(value.isoformat()), "DATE")
    return exp.Literal.string(value)
