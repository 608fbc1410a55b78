"""The YAML file that says which column of somebody's run log means what, read strictly and with line numbers.

Everything is text until a column's meaning reads it: YAML's own guesses (`no` is false, `1_000` is a number) are off.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal, Self, TypeVar, get_args

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from loaders.cell import Cell, EpochUnit
from loaders.item import LoadError
from loaders.table import Row, nearest
from loaders.yaml_tree import compose, plain
from store.records import Termination, Trigger

_Model = TypeVar("_Model", bound=BaseModel)
_KIND = re.compile(r"[A-Z0-9_]*[A-Z][A-Z0-9_]*")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Origin(_Strict):
    """Where a value comes from: a column of the row, or one value for all rows."""

    column: str | None = None
    value: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, given: object) -> object:
        return {"column": given} if isinstance(given, str) else given

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        if (self.column is None) == (self.value is None):
            raise ValueError("give the name of a column, or {value: ...} for one value in all rows")
        return self

    def cell(self, row: Row) -> Cell:
        return Cell("value", self.value) if self.column is None else row[self.column]


class NamedOrigin(Origin):
    """A word of theirs that `map` turns into a word of ours; without a map the words are ours already."""

    map: dict[str, str] | None = None

    def words(self) -> list[str]:
        """Every word of ours that this file can give, as far as the mapping alone tells."""
        return [*(self.map or {}).values(), *([self.value] if self.value is not None else [])]


class InstantOrigin(Origin):
    """An ISO 8601 instant, or a number of `unit` since 1970."""

    unit: EpochUnit | None = None


class ZeroCost(_Strict):
    """Runs whose cost of 0 means that nobody priced them: those with one of these values in a column."""

    column: str
    among: tuple[str, ...] = Field(alias="in", min_length=1)


def _listed(given: object) -> object:
    return [given] if isinstance(given, str) else given


class RunMapping(_Strict):
    """What the columns of a run log mean. Only `source` and `session_id` are required."""

    source: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")
    session_id: Annotated[tuple[str, ...], BeforeValidator(_listed), Field(min_length=1)]
    agent: Origin | None = None
    model: Origin | None = None
    provider: Origin | None = None
    task_class: Origin | None = None
    parent_session_id: Origin | None = None
    trigger: NamedOrigin | None = None
    started_at: InstantOrigin | None = None
    ended_at: InstantOrigin | None = None
    termination: NamedOrigin | None = None
    cost_usd: Origin | None = None
    outcome: NamedOrigin | None = None
    success: Origin | None = None
    success_true: tuple[str, ...] = ("true",)
    success_false: tuple[str, ...] = ("false",)
    zero_cost_is_unknown: Literal["true", "false"] | ZeroCost = "false"

    @model_validator(mode="after")
    def _known_words(self) -> Self:
        for name, origin, known in (
            ("trigger", self.trigger, get_args(Trigger)),
            ("termination", self.termination, get_args(Termination)),
        ):
            for word in origin.words() if origin else []:
                if word not in known:
                    raise ValueError(f"{name}: {word!r} is not one of {', '.join(known)}{nearest(word, known)}")
        for word in self.outcome.words() if self.outcome else []:
            if not _KIND.fullmatch(word):
                raise ValueError(f"outcome: a kind is written like PR_MERGED, got {word!r}")
        return self

    def columns(self) -> Iterator[tuple[str, str]]:
        """Each key of the mapping that reads a column, with that column."""
        for column in self.session_id:
            yield "session_id", column
        for key in type(self).model_fields:
            origin = getattr(self, key)
            if isinstance(origin, Origin | ZeroCost) and origin.column is not None:
                yield key, origin.column


def read_mapping(path: Path) -> RunMapping:
    """The mapping in a YAML file.

    Raises:
        LoadError: the file is not a mapping; every mistake is named with its line.
    """
    return read_model(path, RunMapping)


def read_model(path: Path, model: type[_Model]) -> _Model:
    """The YAML file as a model of pydantic. Raises `LoadError` that tells every mistake with its line."""
    root = compose(path)
    try:
        return model.model_validate(plain(root))
    except ValidationError as error:
        mistakes = list(_mistakes(error, root, path))
    # Not chained: pydantic's error holds the frames of its validators where the garbage collector does not see them.
    raise LoadError("\n".join(mistakes))


def _mistakes(error: ValidationError, root: yaml.Node, path: Path) -> Iterator[str]:
    for mistake in error.errors(include_url=False, include_input=False):
        where = mistake["loc"]
        named = f"{'.'.join(str(step) for step in where)}: " if where else ""
        yield f"{path}:{_line(root, where)}: {named}{mistake['msg'].removeprefix('Value error, ')}"


def _line(root: yaml.Node, where: tuple[int | str, ...]) -> int:
    node, line = root, root.start_mark.line + 1
    for step in where:
        if isinstance(node, yaml.MappingNode):
            pair = next(((key, value) for key, value in node.value if key.value == step), None)
            if pair is None:
                break
            line, node = pair[0].start_mark.line + 1, pair[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int):
            node = node.value[step]
            line = node.start_mark.line + 1
    return line
