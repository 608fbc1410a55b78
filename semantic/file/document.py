"""A YAML document that remembers where everything stands, so that each mistake can be shown at its place.

PyYAML keeps the last of two equal keys silently and reads `on` as true; here a repeated key is a mistake and every
scalar keeps its own text.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import yaml

from semantic.errors import CatalogError, Mark, Mistake, suggestion

MAX_BYTES = 2_000_000
MAX_DEPTH = 40
MAX_MESSAGE = 1_000
MAX_MISTAKES = 1_000
_NUMBER = re.compile(r"-?\d{0,30}(\d|\.\d{1,30})")
_DASHES = re.compile(r"(?:[-?:] ){3,}")
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class Value:
    """One node of the document: a scalar, a list or a mapping, with its place."""

    mark: Mark
    node: yaml.Node
    is_scalar: bool
    text: str
    """The scalar as it is written, whatever type YAML would make of it; empty for anything else."""

    @property
    def is_number(self) -> bool:
        """Whether it is a plain decimal number; YAML's octal, sexagesimal and infinite ones are none."""
        return self.is_scalar and _NUMBER.fullmatch(self.text) is not None

    @property
    def kind(self) -> str:
        if isinstance(self.node, yaml.MappingNode):
            return "mapping"
        return "list" if isinstance(self.node, yaml.SequenceNode) else "text"

    @cached_property
    def items(self) -> tuple["Value", ...]:
        if not isinstance(self.node, yaml.SequenceNode):
            return ()
        return tuple(_value(child, self.mark.file) for child in self.node.value)

    @cached_property
    def entries(self) -> tuple[tuple["Value", "Value"], ...]:
        if not isinstance(self.node, yaml.MappingNode):
            return ()
        return tuple((_value(k, self.mark.file), _value(v, self.mark.file)) for k, v in self.node.value)

    @cached_property
    def _by_key(self) -> dict[str, "Value"]:
        return {k.text: v for k, v in reversed(self.entries)}

    def get(self, key: str) -> "Value | None":
        return self._by_key.get(key)

    def place(self, column: int) -> Mark:
        """A 1-based place inside a scalar; exact for text on one line, else the start of the scalar."""
        style = getattr(self.node, "style", None)
        if style in ("|", ">") or self.node.start_mark.line != self.node.end_mark.line:
            return self.mark
        return replace(self.mark, column=self.mark.column + max(column - 1, 0) + (1 if style else 0))


@dataclass
class Mistakes:
    """The mistakes found so far in one file."""

    found: list[Mistake] = field(default_factory=list)

    def add(self, at: Value | Mark, message: str) -> None:
        """Notes a mistake; `CatalogError` where there are so many that the file is another one than was meant."""
        self.found.append(Mistake(at.mark if isinstance(at, Value) else at, _shortened(message)))
        if len(self.found) == MAX_MISTAKES:
            last = self.found[-1].mark
            self.found.append(Mistake(last, f"these are {MAX_MISTAKES:,} mistakes; there may be more"))
            self.raise_if_any()

    def raise_if_any(self) -> None:
        if self.found:
            raise CatalogError(self.found)


def parse_document(text: str, file: str) -> Value:
    """The root of a YAML text; `CatalogError` where it is not YAML, too large, empty or repeats a key."""
    start = Mark(file, 1, 1)
    if len(text) > MAX_BYTES:
        raise CatalogError([Mistake(start, f"the file has {len(text):,} characters; at most {MAX_BYTES:,} are read")])
    if _depth(text) > MAX_DEPTH:  # the C loader's recursion has no limit of its own
        raise CatalogError([Mistake(start, f"nested more than {MAX_DEPTH} levels deep")])
    try:
        root = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = Mark(file, mark.line + 1, mark.column + 1) if mark else start
        raise CatalogError([Mistake(place, f"not valid YAML: {error.problem or error.context}")]) from error
    except (yaml.YAMLError, UnicodeError) as error:
        raise CatalogError([Mistake(start, f"not valid YAML: {str(error).splitlines()[0]}")]) from error
    if root is None:
        raise CatalogError([Mistake(start, "the file is empty; it needs `models:` and `metrics:`")])
    value = _value(root, file)
    mistakes = Mistakes()
    for key, first in _repeated_keys(value, 0, set()):
        mistakes.add(key, f"'{key.text}' is given twice; the first is at line {first.mark.line}")
    mistakes.raise_if_any()
    return value


def check_keys(value: Value, allowed: Iterable[str], mistakes: Mistakes, required: tuple[str, ...] = ()) -> bool:
    """Whether `value` is a mapping; unknown and missing keys are noted."""
    allowed = set(allowed)
    if value.kind != "mapping":
        mistakes.add(value, f"expected a mapping with {', '.join(sorted(allowed))}; this is a {value.kind}")
        return False
    present = {key.text for key, _ in value.entries}
    meant = ""
    for key, _ in value.entries:
        if key.text not in allowed:
            hint = suggestion(key.text, allowed)
            meant += hint
            mistakes.add(key, f"unknown key '{key.text}'; {hint}")
    for name in required:
        if name not in present and f"mean '{name}'" not in meant:
            mistakes.add(value, f"'{name}:' is missing")
    return True


def _shortened(message: str) -> str:
    """A message that quotes a whole file is cut."""
    return message if len(message) <= MAX_MESSAGE else f"{message[:MAX_MESSAGE]}..."


def _depth(text: str) -> int:
    """How deep brackets and dashes on one line nest at most, those within quotes counted too."""
    depth = 0
    deepest = max((len(run) // 2 for run in _DASHES.findall(text)), default=0)
    for character in text:
        if character in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif character in "]}":
            depth -= 1
    return deepest


def _value(node: yaml.Node, file: str) -> Value:
    mark = Mark(file, node.start_mark.line + 1, node.start_mark.column + 1)
    is_scalar = isinstance(node, yaml.ScalarNode)
    return Value(mark, node, is_scalar, str(node.value) if is_scalar else "")


def _repeated_keys(value: Value, depth: int, visited: set[int]) -> Iterator[tuple[Value, Value]]:
    if depth > MAX_DEPTH:
        raise CatalogError([Mistake(value.mark, f"nested more than {MAX_DEPTH} levels deep")])
    if id(value.node) in visited:  # an alias: its anchor was read already
        return
    visited.add(id(value.node))
    seen: dict[str, Value] = {}
    for key, child in value.entries:
        if key.text in seen:
            yield key, seen[key.text]
        seen.setdefault(key.text, key)
        yield from _repeated_keys(child, depth + 1, visited)
    for child in value.items:
        yield from _repeated_keys(child, depth + 1, visited)
