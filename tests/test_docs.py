"""The docs say what there is: pages made from code are current, links lead somewhere, everything public is named."""

import re
from pathlib import Path

import pytest

from loaders import LOADERS
from scripts.pages import pages
from semantic import load_catalog
from server.cli import COMMANDS
from server.settings import Settings

ROOT = Path(__file__).parents[1]
PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *ROOT.glob("docs/**/*.md")])


def page(name: str) -> str:
    return (ROOT / name).read_text()


@pytest.mark.parametrize("path", list(pages()), ids=lambda path: path.name)
def test_a_page_that_is_made_from_code_is_current(path: Path) -> None:
    assert path.read_text() == pages()[path], "run make docs"


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_to_a_file_leads_to_one(path: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", path.read_text())
    missing = [link for link in links if "://" not in link and not (path.parent / link).exists()]
    assert missing == []


def test_every_setting_is_documented() -> None:
    text = page("docs/settings.md")
    assert all(f"`CLAWBACK_{name.upper()}`" in text for name in Settings.model_fields)


def test_every_loader_and_command_is_documented() -> None:
    loaders, readme = page("docs/loaders.md"), page("README.md") + page("CHANGELOG.md")
    assert [name for name in LOADERS if f"`{name}`" not in loaders] == []
    assert [name for name in COMMANDS if f"`{name}`" not in readme and f"clawback {name}" not in readme] == []


def test_every_decision_has_its_number_and_says_why() -> None:
    decisions = sorted((ROOT / "docs/decisions").glob("*.md"))
    assert [d.name[:4] for d in decisions] == [f"{n:04}" for n in range(1, len(decisions) + 1)]
    for decision in decisions[2:]:
        for part in ("**Context.**", "**Choice.**", "**Consequence.**"):
            assert part in decision.read_text(), decision.name


def test_the_example_in_the_guide_to_metrics_loads() -> None:
    (example, *_) = re.findall(r"```yaml\n(.*?)```", page("docs/metrics.md"), re.DOTALL)
    assert set(load_catalog(example).metrics) == {"sessions", "idle_sessions", "idle_waste_rate"}


def test_every_reason_that_a_metric_can_give_is_a_code_with_a_meaning() -> None:
    catalog = load_catalog(page("metrics.yaml"))
    codes = {c for m in catalog.metrics.values() for c in (m.reasons.unknown, m.reasons.empty, m.reasons.zero) if c}
    explained = page("docs/metrics.md")
    assert sorted(code for code in codes if f"`{code}`" not in explained) == []
