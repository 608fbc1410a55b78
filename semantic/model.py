"""A model: a table of the store, what its rows can be cut by, and the joins that lead from it to others. Frozen."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from sqlglot import exp

from semantic.errors import Mark
from semantic.measure import Measure, Time

DimensionType = Literal["string", "integer", "decimal", "boolean", "date", "timestamp", "enum"]


@dataclass(frozen=True, slots=True)
class Dimension:
    """Something that metrics can be cut by; `sql` is a scalar expression over the model's columns."""

    name: str
    type: DimensionType
    sql: exp.Expression
    values: tuple[str, ...] = ()
    description: str = ""
    label: str = ""
    access: frozenset[str] = frozenset()
    """The roles that may see it; empty for everybody."""
    mark: Mark | None = None
    metric: str = ""
    """The metric whose value it is, for each row of the model: the reports of a session."""
    measure: "Measure | None" = None
    """The definition of that metric."""
    back: tuple["Join", ...] = ()
    """The way of joins from that measure's model to the dimension's."""
    is_zero: bool = False
    """Whether it is 0 where nothing is measured for a row; else it is unknown there."""


@dataclass(frozen=True, slots=True)
class Versions:
    """Dated rows of a join's target: the one in force at `at`, a column of the joining model (its time where None).

    A row is in force from `since` until the next row of the same key begins, and at most until `until`, exclusive.
    """

    since: str
    until: str | None = None
    at: str | None = None


@dataclass(frozen=True, slots=True)
class Join:
    """Many rows of a model to at most one row of the target: `columns` pairs own columns with the target's."""

    role: str
    target: str
    columns: tuple[tuple[str, str], ...]
    versions: Versions | None = None
    is_one_to_one: bool = False
    """Whether the target's columns, which are not its key, are said to be unique; `check` looks whether they are."""
    mark: Mark | None = None


@dataclass(frozen=True, slots=True)
class Model:
    """`time` is the column that ranges and grains read unless a metric names another."""

    name: str
    source: str
    key: tuple[str, ...]
    time: Time | None
    dimensions: Mapping[str, Dimension]
    joins: Mapping[str, Join]
    description: str = ""
    mark: Mark | None = None
    hidden: Mapping[str, Dimension] = field(default_factory=dict)
    """Dimensions that the caller may not ask for; conditions of the file still read them."""
    across_rows: tuple[str, ...] = ()
    """Columns in which a row holds what is known of other rows; not for a caller whom a policy restricts."""

    def dimension(self, name: str) -> Dimension | None:
        """A dimension, shown or hidden."""
        return self.dimensions.get(name) or self.hidden.get(name)
