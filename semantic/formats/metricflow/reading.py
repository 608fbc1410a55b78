"""Parts of parsed JSON or YAML, taken with a type; what nobody takes is told, so that nothing gets lost unseen."""

from collections.abc import Iterable, Mapping
from typing import Any

from semantic.errors import SemanticError
from semantic.file.document import Value
from semantic.formats.report import Finding, Kind

Data = Mapping[str, Any]
"""A mapping as JSON gives it; a scalar of a YAML file is its text, true, false or None."""

_TRUE = {"true", "yes", "on"}
_EMPTY: tuple[object, ...] = (None, "", False, "false", [], {}, "null")


class FormatError(SemanticError):
    """A file that is not of the form that it should be of: where, what is there, what should be."""


def plain(value: Value) -> Any:
    """A node of a YAML document without its place."""
    if value.kind == "mapping":
        return {key.text: plain(part) for key, part in value.entries}
    if value.kind == "list":
        return [plain(part) for part in value.items]
    kind = value.node.tag.rpartition(":")[2]
    if kind == "null":
        return None
    return value.text.lower() in _TRUE if kind == "bool" else value.text


def text(data: Data, key: str, default: str = "") -> str:
    """A scalar as text; `default` where it is missing or null."""
    value = data.get(key)
    if value is None or value == "":
        return default
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict | list):
        raise FormatError(f"'{key}' should be a text, it is {value!r}")
    return str(value).strip()


def flag(data: Data, key: str) -> bool:
    return text(data, key).lower() == "true"


def part(data: Data, key: str) -> Data:
    """A mapping; empty where it is missing."""
    value = data.get(key)
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise FormatError(f"'{key}' should be a mapping, it is {value!r}")
    return value


def parts(data: Data, key: str) -> tuple[Data, ...]:
    """A list of mappings; empty where it is missing."""
    value = data.get(key)
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(item, Mapping) for item in value):
        raise FormatError(f"'{key}' should be a list of mappings, it is {value!r}")
    return tuple(value)


def texts(data: Data, key: str) -> tuple[str, ...]:
    """A list of texts; one text is a list of one."""
    value = data.get(key)
    if value is None:
        return ()
    return tuple(str(item).strip() for item in (value if isinstance(value, list) else [value]))


def strangers(data: Data, known: Iterable[str], place: str) -> tuple[Finding, ...]:
    """A loss for each key that has a value and that nobody here knows."""
    return tuple(
        Finding(Kind.LOST, place, key, "is not known to this importer", "see whether a number depends on it")
        for key, value in data.items()
        if key not in set(known) and value not in _EMPTY
    )
