"""Rows of an answer as columns: the compiled builder reads columns, the plain path reads rows; both see one value."""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import Any


class Table:
    """Columns of one length. As an iterable it is its rows, each a dict of `attribute -> value`."""

    __slots__ = ("_columns", "_evidence", "_length")

    def __init__(
        self, length: int, columns: Mapping[str, Sequence[Any]], evidence: Mapping[str, Sequence[Any]]
    ) -> None:
        self._length = length
        self._columns = columns
        self._evidence = evidence

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for at in range(self._length):
            row = {name: column[at] for name, column in self._columns.items()}
            yield {**row, "evidence": {metric: column[at] for metric, column in self._evidence.items()}}

    def column(self, name: Hashable) -> Sequence[Any]:
        """By attribute, or the evidence of a metric as ("evidence", metric). `KeyError` where there is none."""
        match name:
            case ("evidence", str() as metric):
                return self._evidence[metric]
            case str():
                return self._columns[name]
        raise KeyError(name)


NO_ROWS = Table(0, {}, {})
