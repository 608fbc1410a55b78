"""A file that states all that there is of its records each time: what it no longer has is removed (decision 0016)."""

from collections.abc import Callable, Iterator
from pathlib import Path

from loaders.item import Item, Note, Rejected, WholePart
from loaders.source import OnBytes
from loaders.table import Entry, Row, open_table, read_entries
from store.checks import MAX_CHARACTERS


def read_whole_file(
    path: Path,
    required: tuple[str, ...],
    optional: tuple[str, ...],
    parse: Callable[[Row, str], Entry],
    *,
    on_bytes: OnBytes | None = None,
) -> Iterator[Item | Note]:
    """An item for every row. `parse` is given the part of its source that a record belongs to: the file.

    Raises:
        LoadError: there is no such file, or its columns are others.
    """
    rows = open_table(path, on_bytes=on_bytes).rows_of(required, optional)
    part = f"{path.absolute()}"[-MAX_CHARACTERS:]
    return _all_of(part, read_entries(rows, lambda row: parse(row, part)))


def _all_of(part: str, items: Iterator[Item]) -> Iterator[Item | Note]:
    """A file in which something was rejected may have had more records: none is taken for removed."""
    is_whole = True
    for item in items:
        is_whole &= not isinstance(item, Rejected)
        yield item
    if is_whole:
        yield WholePart(part)
