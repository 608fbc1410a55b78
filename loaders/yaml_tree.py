"""A small YAML file that a person keeps, read strictly: a tree in which every scalar is the text that was written.

YAML's own guesses are off (`no` is false, `1_000` and `0.1` are binary numbers): a reader of text decides what a value
is, and an amount stays exact. What such a file has no need of and a hostile one lives on is refused.
"""

import os
from pathlib import Path
from typing import Any

import yaml

from loaders.item import LoadError, Location, Rejected
from loaders.source import Limits, OnBytes, excerpt, read_document

_LIMITS = Limits(document_bytes=1_000_000)
_NULLS = ("", "~", "null", "Null", "NULL")
_MAX_DEPTH = 50
_LOADER = yaml.CBaseLoader if yaml.__with_libyaml__ else yaml.BaseLoader


def compose(path: Path, on_bytes: OnBytes | None = None) -> yaml.Node:
    """The tree of a small YAML file.

    Raises:
        LoadError: the file is not there, too large, empty, or not YAML.
    """
    shown_as = os.fsencode(path).decode("utf-8", "replace")
    content = read_document(path, shown_as, on_bytes, _LIMITS)
    if isinstance(content, Rejected):
        raise LoadError(f"{content.location}: {content.reason}")
    try:
        root = _tree(content.decode("utf-8-sig"), shown_as)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise LoadError(f"{shown_as}:{line}: is not YAML: {error.problem}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise LoadError(f"{shown_as}: is not YAML: {error}") from error
    if root is None:
        raise LoadError(f"{shown_as}: is empty")
    return root


def plain(node: yaml.Node) -> object:
    """The node as dictionaries, lists and text; a plain `null`, `~` or nothing is None."""
    match node:
        case yaml.MappingNode():
            return {str(key.value): plain(value) for key, value in node.value}
        case yaml.SequenceNode():
            return [plain(value) for value in node.value]
        case yaml.ScalarNode(value=value, style=None) if value in _NULLS:
            return None
    return node.value


Entry = tuple[Location, dict[str, object]]


def entries(path: Path, shown_as: str, on_bytes: OnBytes | None = None) -> list[Entry | Rejected]:
    """The entries of a list: the whole file, or what stands under its one word (`prices:`).

    Raises:
        LoadError: the file is not such a list.
    """
    root = compose(path, on_bytes)
    listed = root.value[0][1] if isinstance(root, yaml.MappingNode) and len(root.value) == 1 else root
    if not isinstance(listed, yaml.SequenceNode):
        raise LoadError(f"{shown_as}: must be a list of entries (`- word: value`), or one word with that list under it")
    return [_entry(entry, Location(shown_as, entry.start_mark.line + 1)) for entry in listed.value]


def _entry(node: yaml.Node, location: Location) -> Entry | Rejected:
    values = plain(node)
    if isinstance(values, dict):
        return location, values
    return Rejected(
        location, "must be an entry of words with values, like `word: value`", excerpt(str(values).encode())
    )


def _tree(text: str, shown_as: str) -> yaml.Node | None:
    """From events and without recursion: PyYAML's own composers overflow the stack on deep nesting."""
    root: yaml.Node | None = None
    open_nodes: list[yaml.CollectionNode] = []
    for event in yaml.parse(text, Loader=_LOADER):
        if isinstance(event, yaml.CollectionEndEvent):
            closed = open_nodes.pop()
            if isinstance(closed, yaml.MappingNode):
                closed.value = _pairs(closed.value, shown_as)
        elif isinstance(event, yaml.NodeEvent):
            node = _node(event, shown_as)
            if open_nodes:
                open_nodes[-1].value.append(node)
            elif root is None:
                root = node
            else:
                raise LoadError(f"{_place(shown_as, event)}: a second document begins here; one file holds one")
            if isinstance(node, yaml.CollectionNode):
                open_nodes.append(node)
                if len(open_nodes) > _MAX_DEPTH:
                    raise LoadError(
                        f"{_place(shown_as, event)}: is nested over {_MAX_DEPTH} deep, which no list of ours is"
                    )
    return root


def _node(event: yaml.NodeEvent, shown_as: str) -> yaml.Node:
    """What such a file has no need of is refused: aliases, which make a small file huge, and tags, which run code."""
    if not isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent) or event.anchor is not None:
        raise LoadError(
            f"{_place(shown_as, event)}: write values out; anchors and aliases (`&a`, `*a`) are not supported"
        )
    if event.tag is not None:
        tag = ascii(event.tag)[:60]
        raise LoadError(f"{_place(shown_as, event)}: write the value alone; tags ({tag}) are not supported")
    start: Any = event.start_mark  # the stubs know the marks of libyaml apart from PyYAML's own
    if isinstance(event, yaml.ScalarEvent):
        return yaml.ScalarNode("", event.value, start, style=event.style or None)
    kind = yaml.MappingNode if isinstance(event, yaml.MappingStartEvent) else yaml.SequenceNode
    return kind("", [], start)


def _pairs(nodes: list[yaml.Node], shown_as: str) -> list[tuple[yaml.Node, yaml.Node]]:
    pairs = list(zip(nodes[::2], nodes[1::2], strict=True))
    keys: set[str] = set()
    for key, _ in pairs:
        if not isinstance(key, yaml.ScalarNode):
            raise LoadError(f"{_place(shown_as, key)}: a key must be a word")
        if key.value in keys:
            raise LoadError(f"{_place(shown_as, key)}: {key.value!r} is given twice")
        keys.add(key.value)
    return pairs


def _place(shown_as: str, found: yaml.Node | yaml.Event) -> str:
    mark: Any = found.start_mark
    return f"{shown_as}:{mark.line + 1}"
