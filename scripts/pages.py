"""Writes what is made from code: the catalog of metrics, the table of settings, the schema. `make docs` runs it."""

from pathlib import Path

from semantic import load_catalog
from server.alerts.settings import AlertSettings
from server.catalog_page import catalog_markdown
from server.graphql import build_schema
from server.settings import Settings

ROOT = Path(__file__).parents[1]
SETTINGS_INTRODUCTION = """# Settings

Everything that can be set, by environment variable. A wrong value is refused at start, under its name.

| variable | default | meaning |
| --- | --- | --- |
"""


def pages() -> dict[Path, str]:
    """Each page with its text."""
    catalog = load_catalog((ROOT / "metrics.yaml").read_text(encoding="utf-8"), "metrics.yaml")
    return {
        ROOT / "docs/catalog.md": catalog_markdown(catalog) + "\n",
        ROOT / "docs/settings.md": SETTINGS_INTRODUCTION + "".join(_setting(name) for name in _names()),
        ROOT / "examples/clients/schema.graphql": build_schema(catalog).as_str() + "\n",
    }


def _names() -> list[str]:
    """As they are declared, those of alerts last."""
    return sorted(Settings.model_fields, key=AlertSettings.model_fields.__contains__)


def _setting(name: str) -> str:
    field = Settings.model_fields[name]
    default = "" if field.default_factory or field.default is None else f"`{field.default}`"
    return f"| `CLAWBACK_{name.upper()}` | {default} | {field.description} |\n"


if __name__ == "__main__":
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")
