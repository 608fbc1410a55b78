"""What a caller is not told: the names that his roles do not open to him, wherever a text would mention them."""

import re

from semantic import Caller, Catalog, QueryError, visible


def hidden_names(catalog: Catalog, caller: Caller | None) -> frozenset[str]:
    """Metrics and dimensions that a caller may not see; none for the operator (None)."""
    seen = visible(catalog, caller)
    metrics = set(catalog.metrics) - set(seen.metrics)
    return frozenset(metrics | (set(catalog.dimensions()) - set(seen.dimensions())))


def mentions(text: str, names: frozenset[str]) -> bool:
    """Whether a definition or a statement has one of the names in it, alone or as a part of a longer one.

    Example:
        >>> mentions("sum(margin__cost) / sessions", frozenset({"cost"}))
        True
    """
    words = (part for word in re.findall(r"\w+", text) for part in (word, *word.split("__")))
    return bool(names) and not names.isdisjoint(words)


def check_may_be_told(text: str, catalog: Catalog, caller: Caller | None) -> None:
    """Raises `QueryError` where an explanation would tell a caller a name that he may not know."""
    if mentions(text, hidden_names(catalog, caller)):
        raise QueryError("NOT_EXPLAINED", "this rests on something that the caller may not see, so it is not explained")
