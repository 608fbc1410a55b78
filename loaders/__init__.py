"""From the world to records: one module a source. `LOADERS` is the list of what is supported."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from loaders import cash, charges, claude_code, focus, openclaw, outcomes, prices, runs
from loaders.item import Item, LoadError
from loaders.mapping import read_mapping
from loaders.source import OnBytes, total_bytes

Read = Callable[[Path, Path | None, datetime, OnBytes | None], Iterator[Item]]


@dataclass(frozen=True, slots=True)
class Loader:
    """`read(path, mapping, now, on_bytes)` yields the items of a source, `size(path)` of so many bytes."""

    name: str
    read: Read
    size: Callable[[Path], int]


def _openclaw(path: Path, mapping: Path | None, now: datetime, on_bytes: OnBytes | None) -> Iterator[Item]:
    _no_mapping("openclaw", mapping)
    return openclaw.read(path, now=now, on_bytes=on_bytes)


def _runs(path: Path, mapping: Path | None, now: datetime, on_bytes: OnBytes | None) -> Iterator[Item]:
    if mapping is None:
        raise LoadError(f"runs needs a mapping that says what the columns of {path} mean: --mapping FILE")
    return runs.read(path, read_mapping(mapping), now=now, on_bytes=on_bytes)


def _claude_code(path: Path, mapping: Path | None, now: datetime, on_bytes: OnBytes | None) -> Iterator[Item]:
    _no_mapping("claude-code", mapping)
    return claude_code.read(path, now=now, on_bytes=on_bytes)


def _focus(path: Path, mapping: Path | None, now: datetime, on_bytes: OnBytes | None) -> Iterator[Item]:
    _no_mapping("focus", mapping)
    return focus.read(path, now=now, on_bytes=on_bytes)


def _file(name: str, read: Callable[..., Iterator[Item]]) -> Loader:
    def opened(path: Path, mapping: Path | None, now: datetime, on_bytes: OnBytes | None) -> Iterator[Item]:
        _no_mapping(name, mapping)
        return read(path, now=now, on_bytes=on_bytes)

    return Loader(name, opened, _one_file)


def _no_mapping(name: str, mapping: Path | None) -> None:
    if mapping is not None:
        raise LoadError(f"{name} has a format of its own and takes no mapping; only runs does")


def _one_file(path: Path) -> int:
    return total_bytes([path])


LOADERS = {
    loader.name: loader
    for loader in (
        Loader("openclaw", _openclaw, lambda path: total_bytes(openclaw.paths(path))),
        Loader("claude-code", _claude_code, lambda path: total_bytes(claude_code.paths(path))),
        Loader("runs", _runs, _one_file),
        _file("prices", prices.read),
        _file("charges", charges.read),
        Loader("focus", _focus, lambda path: total_bytes(focus.paths(path))),
        _file("cash", cash.read),
        _file("outcomes", outcomes.read),
    )
}

__all__ = ["LOADERS", "LoadError", "Loader"]
