"""`clawback import`: metrics that are written for another tool, as a metrics file."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import click

from semantic.formats.metricflow import FormatError, Options, import_files, import_manifest
from server.cli.converted import finish, loss_option, output_option

_SUFFIXES = (".yml", ".yaml")
_BUILT = ("target", "dbt_packages", "node_modules")
"""Directories of a project that hold what others wrote or what was made from it."""


@click.group("import")
def command() -> None:
    """Turn metrics that are written for another tool into a metrics file."""


@command.command("metricflow")
@click.argument("path", type=click.Path(path_type=Path, exists=True))
@output_option
@loss_option
@click.option("--name", default="metrics", show_default=True, help="What the catalog is called.")
@click.option("--dialect", default="duckdb", show_default=True, help="The SQL of the project, such as snowflake.")
@click.option("--exact", is_flag=True, help="Keep counts over no rows null, as they are there.")
@click.option(
    "--grain",
    "grains",
    multiple=True,
    metavar="NAME=LENGTH,DAY",
    help="What a custom granularity is: 'fiscal=3 months,2026-02-01'.",
)
def metricflow(
    path: Path, output: Path | None, allow_loss: bool, name: str, dialect: str, exact: bool, grains: tuple[str, ...]
) -> None:
    """Import dbt's semantic layer: target/semantic_manifest.json, or the directory with the project's YAML.

    What cannot be carried is told with its place, and then nothing is written unless --allow-loss says so.
    """
    options = Options(name, dialect, exact, dict(map(_grain, grains)))
    if path.is_file() and path.suffix == ".json":
        converted = import_manifest(_text(path), str(path), options)
    else:
        converted = import_files(_files(path), options)
    finish(converted, output, allow_loss=allow_loss)


def _grain(text: str) -> tuple[str, tuple[str, str]]:
    name, _, rest = text.partition("=")
    length, _, day = rest.partition(",")
    if not (name and length and day):
        raise click.BadParameter(f"'{text}' is not NAME=LENGTH,DAY, such as 'fiscal=3 months,2026-02-01'")
    return name.strip().lower(), (length.strip(), day.strip())


def _files(path: Path) -> Mapping[str, str]:
    if path.is_file():
        return {path.name: _text(path)}
    return {file.relative_to(path).as_posix(): _text(file) for file in sorted(_yaml_under(path))}


def _yaml_under(path: Path) -> Iterator[Path]:
    for file in path.rglob("*"):
        parts = file.relative_to(path).parts
        if file.suffix in _SUFFIXES and not any(p.startswith(".") or p in _BUILT for p in parts):
            yield file


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise FormatError(f"{path}: is not UTF-8 text: {error}") from error
