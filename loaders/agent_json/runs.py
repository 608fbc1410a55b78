"""A JSON document of any shape -> the agent runs in it, each with the objects around it.

`openclaw agent --json` puts a run's account into `meta.agentMeta`, below `result` where a gateway ran it; logs put the
whole somewhere into a line of theirs, now and then as a text. `openclaw agent exec --json` has no `agentMeta`.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from loaders.openclaw.values import FieldError, Object, parse

ACCOUNT = "agentMeta"
_OF_EXEC = ("sessionId", "provider", "model", "usage", "costUsd")
_MARKS_OF_EXEC = ("final", "payloads", "toolSummary")
_MOST_IN_TEXTS = 3
"""How deep a text with JSON may lie in a text with JSON."""


@dataclass(frozen=True, slots=True)
class Run:
    account: Object
    """`sessionId`, `provider`, `model`, `usage` and what else is said of the run."""
    around: tuple[Object, ...]
    """The objects that it lies in, the innermost first."""


def runs_in(document: Object) -> Iterator[Run]:
    yield from _runs(document, (), _MOST_IN_TEXTS)


def _runs(value: object, around: tuple[Object, ...], texts: int) -> Iterator[Run]:
    if isinstance(value, list):
        for inner in value:
            yield from _runs(inner, around, texts)
    elif isinstance(value, str):
        if texts and f'"{ACCOUNT}"' in value and value.lstrip().startswith("{"):
            yield from _runs(_parsed(value), around, texts - 1)
    elif isinstance(value, dict):
        within = (value, *around)
        account = value.get(ACCOUNT)
        if isinstance(account, dict) and _is_of_run(account):
            yield Run(account, within)
        elif _is_of_exec(value):
            yield Run({name: value.get(name) for name in _OF_EXEC}, within)
        for name, inner in value.items():
            if name != ACCOUNT or not isinstance(inner, dict):
                yield from _runs(inner, within, texts)


def _is_of_run(account: Object) -> bool:
    """Others may call something `agentMeta`, too. A run that failed may have no usage."""
    return isinstance(account.get("usage"), dict) or ("sessionId" in account and "model" in account)


def _is_of_exec(value: Object) -> bool:
    is_answer = isinstance(value.get("ok"), bool) and isinstance(value.get("status"), str)
    return is_answer and "usage" in value and any(mark in value for mark in _MARKS_OF_EXEC)


def _parsed(value: str) -> Object | None:
    try:
        return parse(value.encode("utf-8", "replace"))
    except FieldError:
        return None
