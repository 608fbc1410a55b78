"""Writes what is made from code: the catalog, who sees what, the settings, the schema. `make docs` runs it."""

from pathlib import Path

from pydantic_settings import BaseSettings

from semantic import load_catalog
from server.access.page import roles_markdown
from server.alerts.settings import AlertSettings
from server.catalog_page import catalog_markdown
from server.graphql import build_schema
from server.proxy.settings import ProxySettings
from server.settings import Settings

ROOT = Path(__file__).parents[1]
SETTINGS_INTRODUCTION = """# Settings

Everything that can be set, by environment variable. A wrong value is refused at start, under its name.

| variable | default | meaning |
| --- | --- | --- |
"""
PROXY_INTRODUCTION = """
## Of the proxy

`clawback proxy` is a process of its own and has settings of its own ([proxy.md](proxy.md)).

| variable | default | meaning |
| --- | --- | --- |
"""


def pages() -> dict[Path, str]:
    """Each page with its text."""
    catalog = load_catalog((ROOT / "metrics.yaml").read_text(encoding="utf-8"), "metrics.yaml")
    return {
        ROOT / "docs/catalog.md": catalog_markdown(catalog) + "\n",
        ROOT / "docs/roles.md": roles_markdown(catalog),
        ROOT / "docs/settings.md": SETTINGS_INTRODUCTION
        + "".join(_setting(Settings, name) for name in _names())
        + PROXY_INTRODUCTION
        + "".join(_setting(ProxySettings, name) for name in ProxySettings.model_fields),
        ROOT / "examples/clients/schema.graphql": build_schema(catalog).as_str() + "\n",
    }


def _names() -> list[str]:
    """As they are declared, those of alerts last."""
    return sorted(Settings.model_fields, key=AlertSettings.model_fields.__contains__)


def _setting(settings: type[BaseSettings], name: str) -> str:
    field = settings.model_fields[name]
    default = "" if field.default_factory or field.default is None else f"`{field.default}`"
    return f"| `{settings.model_config['env_prefix']}{name.upper()}` | {default} | {field.description} |\n"


if __name__ == "__main__":
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")
