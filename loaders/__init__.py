"""From the world to records: one module a source. `LOADERS` is the list of what is supported."""

from loaders import (
    agent_json,
    budgets,
    cash,
    charges,
    claude_code,
    codex,
    focus,
    github,
    openclaw,
    outcomes,
    prices,
    responses,
    runs,
    workq,
)
from loaders import credits as credit_use  # the word is a builtin of Python's prompt
from loaders.item import LoadError
from loaders.loader import Loader, Task

LOADERS = {
    module.LOADER.name: module.LOADER
    for module in (
        openclaw,
        claude_code,
        codex,
        agent_json,
        responses,
        runs,
        github,
        workq,
        outcomes,
        prices,
        charges,
        focus,
        credit_use,
        cash,
        budgets,
    )
}

__all__ = ["LOADERS", "LoadError", "Loader", "Task"]
