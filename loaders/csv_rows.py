"""Rows of CSV, each with the line it starts at; a line that is not text and a row that is not CSV cost nothing else."""

import csv
from collections.abc import Iterator
from pathlib import Path

from loaders.item import Location, Rejected
from loaders.source import OnBytes, excerpt, read_lines


def csv_rows(
    path: Path, shown_as: str, on_bytes: OnBytes | None = None
) -> Iterator[tuple[Location, list[str]] | Rejected]:
    """The cells of every row, the header among them, each with the place of its first line."""
    lines = _CsvLines(path, shown_as, on_bytes)
    reader = csv.reader(lines, strict=True)
    while True:
        lines.of_row.clear()
        try:
            values, problem = next(reader, None), ""
        except csv.Error as error:
            values, problem = [], str(error)
        yield from lines.rejected
        lines.rejected.clear()
        if values is None:
            return
        (location, content), (last, _) = lines.of_row[0], lines.of_row[-1]
        if problem:
            yield Rejected(location, f"(to line {last.line}) is not CSV: {problem}", excerpt(content))
        else:
            yield location, values


class _CsvLines:
    """Feeds `csv.reader` with text, and remembers the lines of the row it is reading and those that are not text."""

    def __init__(self, path: Path, shown_as: str, on_bytes: OnBytes | None) -> None:
        self._lines = read_lines(path, shown_as, on_bytes)
        self._number = 0
        self.of_row: list[tuple[Location, bytes]] = []
        self.rejected: list[Rejected] = []

    def __iter__(self) -> Iterator[str]:
        for line in self._lines:
            if isinstance(line, Rejected):
                self.rejected.append(line)
                continue
            location, content = line
            try:
                text = content.decode("utf-8-sig" if self._number == 0 else "utf-8")
            except UnicodeDecodeError as error:
                self.rejected.append(Rejected(location, f"is not UTF-8: {error.reason}", excerpt(content)))
                continue
            number = location.line or 0
            if self.of_row:
                # Blank lines do not come through `read_lines`; between quotes they belong to the text.
                yield from ("\n" for _ in range(self._number + 1, number))
            self._number = number
            self.of_row.append((location, content))
            yield f"{text}\n"
