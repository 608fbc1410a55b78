"""Which files of a path are one bill, and how much of a bill they are.

Where a vendor wrote a manifest, only the files that it names are read: older runs of the same export lie beside them.
A file that is named and is not there ends the load, because half an export looks like a smaller bill.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path, PurePosixPath

from loaders.focus.manifest import Extent, Manifest, read_manifest
from loaders.item import Ignored, LoadError, Location, Rejected
from loaders.source import refusal

TABLES = (".csv", ".csv.gz", ".csv.zst", ".jsonl", ".jsonl.gz", ".jsonl.zst", ".parquet")
_MANIFEST = "manifest.json"
_MOST_FILES = 100_000


@dataclass(frozen=True, slots=True)
class Statement:
    """Files that state something together."""

    files: tuple[Path, ...]
    extent: Extent = "no"
    owner: str | None = None
    rows: int | None = None
    said_by: Path | None = None
    """The manifest, where there is one."""


@dataclass(frozen=True, slots=True)
class Export:
    statements: tuple[Statement, ...]
    left: tuple[Ignored | Rejected, ...] = ()

    @property
    def files(self) -> list[Path]:
        return [file for statement in self.statements for file in statement.files]


def survey(path: Path) -> Export:
    """A file is read as it is. Raises `LoadError` where a directory has nothing to read, or less than it says."""
    if not path.is_dir():
        return Export((Statement((path,)),))
    below = _files_below(path)
    named = [_inside(file, path) for file in below if file.name.casefold().endswith(_MANIFEST)]
    manifests = [found for file in named if (found := read_manifest(file)) is not None]
    if not manifests:
        return _lone_directory(path)
    statements = [_statement(manifest, path) for manifest in _newest(manifests)]
    _refuse_shared(statements)
    read = {file.resolve() for statement in statements for file in statement.files}
    rest = [file for file in below if file.resolve() not in read]
    return Export(tuple(statements), tuple(_ignored(file, "is not named by a manifest") for file in rest))


def _lone_directory(path: Path) -> Export:
    """The tables in it, in the order of their names; those in directories below are not read."""
    below = sorted(path.iterdir())
    tables = [file for file in below if _is_table(file) and not file.is_dir()]
    refused = {file: reason for file in tables if (reason := refusal(file, path)) is not None}
    files = tuple(file for file in tables if file not in refused)
    if not files:
        raise LoadError(
            f"{path}: the directory has no file that ends in {', '.join(TABLES)}; name the one with the parts"
        )
    left = [_ignored(file, "is not read") for file in below if file not in tables]
    return Export((Statement(files),), (*left, *(Rejected(Location(str(f)), why) for f, why in refused.items())))


def _ignored(file: Path, rule: str) -> Ignored:
    return Ignored(Location(str(file)), rule if _is_table(file) and not file.is_dir() else "is not a table")


def _is_table(file: Path) -> bool:
    return file.name.casefold().endswith(TABLES)


def _files_below(path: Path) -> list[Path]:
    """All of them, without following links to directories."""
    found = chain.from_iterable([Path(folder, name) for name in names] for folder, _, names in os.walk(path))
    files = sorted(islice(found, _MOST_FILES + 1))
    if len(files) > _MOST_FILES:
        raise LoadError(f"{path}: has more than {_MOST_FILES:,} files below it; name the directory of one export")
    return files


def _newest(manifests: Iterable[Manifest]) -> list[Manifest]:
    """One for each thing that is exported."""
    newest: dict[tuple[str, ...], Manifest] = {}
    for manifest in manifests:
        other = newest.setdefault(manifest.run_of, manifest)
        if manifest.age == other.age and manifest.names != other.names:
            raise LoadError(
                f"{manifest.path}: states the same period as {other.path}, and neither says that it is the later one; "
                "keep only the one that counts"
            )
        if manifest.age > other.age:
            newest[manifest.run_of] = manifest
    return list(newest.values())


def _statement(manifest: Manifest, root: Path) -> Statement:
    files = tuple(_found(manifest, name, root) for name in manifest.names)
    return Statement(files, manifest.extent, manifest.owner, manifest.rows, manifest.path)


def _found(manifest: Manifest, name: str, root: Path) -> Path:
    """The file by as much of its name as there is below the manifest's folders: an export may be copied anywhere."""
    parts = PurePosixPath(name).parts
    homes = [home for home in manifest.path.parents if home.is_relative_to(root)]
    for start in range(len(parts)):
        for home in homes:
            file = home.joinpath(*parts[start:])
            if file.is_file():
                return _inside(file, root)
    raise LoadError(
        f"{manifest.path}: the manifest names {name}, which is not below {root}; copy the whole export, then load it"
    )


def _inside(file: Path, root: Path) -> Path:
    if (reason := refusal(file, root)) is not None:
        raise LoadError(f"{file}: {reason}")
    return file


def _refuse_shared(statements: Iterable[Statement]) -> None:
    """A file that two manifests name would be counted twice."""
    holders: dict[Path, Path | None] = {}
    for statement in statements:
        for file in statement.files:
            if file.resolve() in holders:
                raise LoadError(
                    f"{statement.said_by}: names {file}, which {holders[file.resolve()]} names too; "
                    "load the directory of one export, with the folders that the vendor gave it"
                )
            holders[file.resolve()] = statement.said_by
