"""The file that names the sources of a company, so that all of them are loaded by one command or by the server.

    sources:
      agents:
        loader: openclaw
        location: ~/.openclaw
        schedule: "*/15 * * * *"
      shop:
        loader: github
        location: acme/shop
        token_env: GITHUB_TOKEN

Secrets are never in it: it names the environment variable or the file that holds one.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Self
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, model_validator

from loaders.item import LoadError
from loaders.kinds import LOADERS
from loaders.loader import Loader
from loaders.mapping import read_model
from loaders.schedule import check_schedule
from loaders.table import nearest

_MOST_SECRET_BYTES = 10_000
RESERVED = frozenset({"all", *LOADERS})


@dataclass(frozen=True, slots=True)
class Source:
    """One source that is loaded again and again."""

    name: str
    loader: Loader
    location: str
    options: Mapping[str, str] = field(default_factory=dict)
    schedule: str = ""
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))
    keeps: timedelta | None = None
    repull: timedelta | None = None
    token_env: str | None = None
    token_file: Path | None = None

    def token(self, environment: Mapping[str, str] = os.environ) -> str | None:
        """The secret, read where it is kept. Raises `LoadError` where nothing is there."""
        if self.token_env is not None:
            if not environment.get(self.token_env):
                raise LoadError(f"source {self.name}: the environment variable {self.token_env} is not set")
            return environment[self.token_env].strip()
        if self.token_file is None:
            return None
        try:
            with self.token_file.open("rb") as file:
                return file.read(_MOST_SECRET_BYTES).decode().strip()
        except (OSError, UnicodeDecodeError) as error:
            raise LoadError(f"source {self.name}: the token cannot be read from {self.token_file}: {error}") from error


def read_sources(path: Path) -> tuple[Source, ...]:
    """The sources of a file, in its order. Raises `LoadError` that tells every mistake with its place."""
    given = read_model(path, _File)
    try:
        sources = tuple(_source(name, entry, path.parent) for name, entry in given.sources.items())
    except RuntimeError as error:
        raise LoadError(f"{path}: {error}; write the path out") from error  # the home of somebody who is unknown here
    places: dict[tuple[str, str], str] = {}
    for source in sources:
        other = places.setdefault((source.loader.name, source.location), source.name)
        if other != source.name:
            raise LoadError(f"{path}: '{other}' and '{source.name}' are one place; one place has one schedule")
    return sources


def source_of(kind: str, location: str, options: Mapping[str, str]) -> Source:
    """A source that no file names, loaded once. Raises `LoadError` for options that it does not take."""
    loader = LOADERS[kind]
    loader.check_options(options)
    return Source(kind, loader, location, options, loader.schedule, keeps=loader.keeps)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Entry(_Strict):
    loader: str
    location: str = Field(min_length=1, max_length=4096)
    options: dict[str, str] = Field(default_factory=dict)
    schedule: str | None = None
    zone: str = "UTC"
    keeps_days: int | None = Field(None, ge=1, le=3660)
    repull_days: int | None = Field(None, ge=1, le=366)
    token_env: str | None = None
    token_file: str | None = None

    @model_validator(mode="after")
    def _can_be_loaded(self) -> Self:
        if self.loader not in LOADERS:
            raise ValueError(f"there is no loader {self.loader!r}{nearest(self.loader, LOADERS)}")
        if self.token_env is not None and self.token_file is not None:
            raise ValueError("give token_env or token_file, not both")
        if self.repull_days is not None and LOADERS[self.loader].repull is None:
            raise ValueError(f"{self.loader} reads everything each time; repull_days has no meaning for it")
        try:
            LOADERS[self.loader].check_options(self.options)
            if self.schedule is not None:
                check_schedule(self.schedule)
            ZoneInfo(self.zone)
        except LoadError as error:
            raise ValueError(str(error)) from error
        except (KeyError, ValueError, OSError) as error:
            raise ValueError(f"zone: {self.zone!r} is no time zone such as Europe/Berlin") from error
        return self


class _File(_Strict):
    sources: dict[Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,63}$")], _Entry]

    @model_validator(mode="after")
    def _names_are_free(self) -> Self:
        for name in self.sources:
            if name in RESERVED and self.sources[name].loader != name:
                raise ValueError(f"'{name}' is a word of the command line and cannot name a source of another kind")
        if not self.sources:
            raise ValueError("names no source")
        return self


def _source(name: str, entry: _Entry, folder: Path) -> Source:
    loader = LOADERS[entry.loader]
    return Source(
        name,
        loader,
        _placed(entry.location, folder) if loader.is_path else entry.location,
        {name: _placed(value, folder) if name in loader.paths else value for name, value in entry.options.items()},
        entry.schedule or loader.schedule,
        ZoneInfo(entry.zone),
        timedelta(days=entry.keeps_days) if entry.keeps_days else loader.keeps,
        timedelta(days=entry.repull_days) if entry.repull_days else None,
        entry.token_env,
        Path(_placed(entry.token_file, folder)) if entry.token_file else None,
    )


def _placed(path: str, folder: Path) -> str:
    """A path of the file is meant from the folder that the file is in."""
    return os.path.abspath(folder / Path(path).expanduser())  # noqa: PTH100 - links stay as they are
