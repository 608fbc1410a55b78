"""The account that a location of an API names: the word that its owner uses for it, part of ids and of parts."""

import re
from collections.abc import Sequence

from loaders.item import LoadError
from loaders.loader import Task

_ACCOUNT = re.compile(r"[A-Za-z0-9][\w.@-]{0,63}", re.ASCII)


def account_of(task: Task, loader: str) -> str:
    """Raises `LoadError` for what is no plain name: two accounts have two names, so that their days are told apart."""
    if not _ACCOUNT.fullmatch(task.location):
        raise LoadError(
            f"{loader} is loaded for an account, under the name that you give it, such as acme: letters, digits, "
            f"dots and hyphens; got {task.location[:200]!r}"
        )
    return task.location


def chosen(task: Task, option: str, choices: Sequence[str], default: Sequence[str]) -> tuple[str, ...]:
    """The words of an option that may have several, in the order of the choices. Raises `LoadError` for another."""
    words = task.options.get(option, " ".join(default)).replace(",", " ").split()
    for word in words:
        if word not in choices:
            raise LoadError(f"the option {option} takes {', '.join(choices)}, got {word[:100]!r}")
    if not words:
        raise LoadError(f"the option {option} must name at least one of {', '.join(choices)}")
    return tuple(choice for choice in choices if choice in words)


def one_of(task: Task, option: str, choices: Sequence[str]) -> str:
    """The word of an option, the first choice where it is not given. Raises `LoadError` for another."""
    word = task.options.get(option, choices[0]).strip()
    if word not in choices:
        raise LoadError(f"the option {option} must be one of {', '.join(choices)}, got {word[:100]!r}")
    return word


def needs_key(task: Task, place: str, key: str) -> str:
    """The secret of a source that cannot be asked without one. Raises `LoadError` where there is none."""
    if not task.token:
        raise LoadError(f"{place}: a key is needed: give {key} with token_env or token_file in sources.yaml")
    return task.token
