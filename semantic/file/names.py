"""Names that a metrics file may give, and the small texts beside them: each is checked where it stands."""

import re
from collections.abc import Iterable

from semantic.file.document import Mistakes, Value

NAME = re.compile(r"(?!.*__)[a-z][a-z0-9_]{0,62}")
"""Two underscores in a row belong to the compiler: `cost__rows`, `session__agent`."""
COLUMN = re.compile(r"[A-Za-z_]\w{0,127}")
RESERVED = frozenset(
    {"as_of", "time", "rows", "totals", "evidence", "on_day", "from_day", "until_day", "is_asked", "caller"}
)
"""Columns that a statement makes itself, fields that every answer has, and roles with a meaning of their own."""
TABLES_OF_A_STATEMENT = frozenset({"keys", "periods", "whole_range"})
"""Names that a statement gives to tables of its own; some of them with more after two underscores."""


def is_name(value: Value, mistakes: Mistakes, what: str) -> bool:
    if not NAME.fullmatch(value.text):
        mistakes.add(
            value, f"'{value.text}' cannot name {what}: use lower case letters, digits and single _, a letter first"
        )
        return False
    if value.text in RESERVED:
        mistakes.add(value, f"'{value.text}' is reserved and cannot name {what}")
        return False
    return True


def is_column(value: Value, mistakes: Mistakes) -> bool:
    if COLUMN.fullmatch(value.text):
        return True
    mistakes.add(value, f"'{value.text}' is not the name of a column")
    return False


def folded(name: str) -> str:
    """A name as GraphQL's camel case leaves it: `cost_usd` and `costusd` are one."""
    return name.replace("_", "")


def is_mapping(value: Value | None, mistakes: Mistakes, what: str) -> bool:
    """Whether there is a mapping, such as one `from metric names to definitions`."""
    if value is None:
        return False
    if value.kind != "mapping":
        mistakes.add(value, f"expected a mapping {what}")
        return False
    return True


def text_of(body: Value, key: str, mistakes: Mistakes) -> str:
    """The text under a key; empty where there is none."""
    value = body.get(key)
    if value is not None and not value.is_scalar:
        mistakes.add(value, f"{key}: is a text; this is a {value.kind}")
    return value.text if value else ""


def texts_in(value: Value | None, mistakes: Mistakes, what: str) -> tuple[Value, ...]:
    """The items of a list, or the one text that stands for a list of one."""
    if value is None:
        return ()
    items = value.items if value.kind == "list" else (value,)
    wrong = [item for item in items if not item.is_scalar or not item.text]
    for item in wrong:
        mistakes.add(item, f"expected {what}")
    seen: set[str] = set()
    for item in items:
        if item.text in seen and item not in wrong:
            mistakes.add(item, f"'{item.text}' is given twice")
        seen.add(item.text)
    return tuple(item for item in items if item not in wrong)


def roles_in(value: Value | None, mistakes: Mistakes) -> frozenset[str]:
    """Roles of callers; an empty list would look like nobody and mean everybody."""
    found = texts_in(value, mistakes, "the name of a role")
    if value is not None and value.kind == "list" and not value.items:
        mistakes.add(value, "name at least one role; leave the key out for everybody")
    return frozenset(v.text for v in found)


def one_of(value: Value, words: Iterable[str], mistakes: Mistakes, key: str) -> bool:
    """Whether a text is one of a few words."""
    words = tuple(words)
    if value.is_scalar and value.text in words:
        return True
    shown = f"{', '.join(words[:-1])} or {words[-1]}" if len(words) > 1 else words[0]
    mistakes.add(value, f"{key}: is {shown}, not '{value.text}'" if value.is_scalar else f"{key}: is {shown}")
    return False


def flag_of(value: Value | None, mistakes: Mistakes, key: str) -> bool | None:
    """True or false; None where the key is not given or says neither."""
    if value is None or not one_of(value, ("true", "false"), mistakes, key):
        return None
    return value.text == "true"
