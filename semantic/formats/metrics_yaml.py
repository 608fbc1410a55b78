"""Plain values -> the text of a metrics file: one line an entry where it fits, nested lines where it does not."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence

Plain = str | bool | int | Sequence["Plain"] | Mapping[str, "Plain"]
"""What a file is made of. Numbers that must keep their digits are text."""

MAX_LINE = 140
_PLAIN = re.compile(r"[A-Za-z_](?:[\w.<>=()+*/' -]*[\w)'.])?")
_NUMBER = re.compile(r"-?\d+(\.\d+)?|\d+ [a-z]+|\d{4}-\d\d-\d\d")
"""Numbers, durations and days, which the loader reads as they are written."""
_WORDS = {"true", "false", "null", "yes", "no", "on", "off", "y", "n"}
"""Words that YAML 1.1 reads as something else than text."""


def file_text(document: Mapping[str, Plain]) -> str:
    """The document, with an empty line between its sections."""
    sections = ["\n".join(_lines(key, value, 0, key in _SPREAD)) for key, value in document.items()]
    heads = [s for s in sections if "\n" not in s]
    return "\n\n".join([*(["\n".join(heads)] if heads else []), *(s for s in sections if "\n" in s)]) + "\n"


_SPREAD = frozenset({"models", "metrics", "filters", "calendar"})
"""Sections that have a line for each entry, however few they are."""


def _lines(key: str, value: Plain, depth: int, is_spread: bool = False) -> Iterator[str]:
    indent = "  " * depth
    if (
        not isinstance(value, Mapping)
        or not value
        or (not is_spread and len(indent) + len(key) + len(_flow(value)) + 2 <= MAX_LINE)
    ):
        yield f"{indent}{key}: {_flow(value, is_inside=False)}"
        return
    yield f"{indent}{key}:"
    for name, part in value.items():
        yield from _lines(name, part, depth + 1, is_spread=key == "models")


def _flow(value: Plain, is_inside: bool = True) -> str:
    match value:
        case bool():
            return str(value).lower()
        case str():
            return scalar(value, is_inside)
        case int():
            return str(value)
        case Mapping():
            return "{" + ", ".join(f"{name}: {_flow(part)}" for name, part in value.items()) + "}"
    return "[" + ", ".join(_flow(part) for part in value) + "]"


def scalar(text: str, is_inside: bool = True) -> str:
    """Text as YAML reads it back unchanged; in quotes where it could be read as something else.

    Example:
        >>> scalar("cost / sessions")
        'cost / sessions'
        >>> scalar("status in ('a', 'b')")
        '"status in (\\'a\\', \\'b\\')"'
    """
    is_plain = _PLAIN.fullmatch(text) is not None and text.lower() not in _WORDS
    if not is_inside and not is_plain:
        is_plain = _PLAIN.fullmatch(text.replace(",", "").replace("[", "").replace("]", "")) is not None
    return text if is_plain or _NUMBER.fullmatch(text) else json.dumps(text, ensure_ascii=not text.isprintable())
