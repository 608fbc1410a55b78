"""Enums of GraphQL for words that the code below this door writes as a `Literal`."""

from enum import Enum
from typing import Any, cast, get_args

import strawberry


def enum_of(name: str, words: object, description: str) -> Any:
    """The enum with a value for each word of a `Literal`; its members are found by the word."""
    made = cast(type[Enum], Enum(name, {word: word for word in get_args(words)}))
    return strawberry.enum(made, description=description)
