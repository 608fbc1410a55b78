"""The docs say what there is: pages made from code are current, links lead somewhere, everything public is named."""

import importlib.util
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from loaders import Task
from loaders.job import run_load
from loaders.kinds import LOADERS
from loaders.sources import read_sources
from scripts.pages import pages
from semantic import load_catalog
from server.cli import COMMANDS
from server.settings import Settings
from tests.stores import new_store

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
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
    loaders, readme = page("docs/loaders.md") + page("docs/sources.md"), page("README.md") + page("CHANGELOG.md")
    assert [name for name in LOADERS if f"`{name}`" not in loaders] == []
    assert [name for name in COMMANDS if f"`{name}`" not in readme and f"clawback {name}" not in readme] == []


TICKETS = ("ticket,session,state,changed_at", "1,s1,solved,2026-03-01T09:00:00Z", "2,s2,open,", "3,s3,reopened,")


def test_the_loader_in_the_guide_to_loaders_reads_what_it_says(tmp_path: Path) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", page("docs/loaders.md"), re.DOTALL)
    (tmp_path / "tickets_of_the_guide.py").write_text(code)
    spec = importlib.util.spec_from_file_location("tickets_of_the_guide", tmp_path / "tickets_of_the_guide.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    source = tmp_path / "tickets.csv"
    source.write_text("\n".join([*TICKETS, "4,s4,perhaps,"]) + "\n")
    with new_store() as store:
        for stored in (3, 0):
            items = module.LOADER.read(Task(str(source), NOW))
            report = run_load(store, module.LOADER.name, str(source), items, now=NOW)
            assert (report.read, report.stored, report.rejected) == (4, stored, 1)
            assert "state must be one of solved, reopened, open, got 'perhaps'" in report.rejections[0][1]
        assert store.read("SELECT outcome_id, is_success FROM outcomes ORDER BY 1").rows == [
            ("tickets:1", True),
            ("tickets:2", None),
            ("tickets:3", False),
        ]


def test_the_file_of_sources_in_the_guide_is_one(tmp_path: Path) -> None:
    (example,) = re.findall(r"```yaml\n(sources:.*?)```", page("docs/loaders.md"), re.DOTALL)
    (tmp_path / "sources.yaml").write_text(example)
    assert [source.name for source in read_sources(tmp_path / "sources.yaml")] == ["agents", "shop", "bank"]


def test_the_files_of_sources_in_the_reference_are_ones(tmp_path: Path) -> None:
    examples = re.findall(r"```yaml\n(sources:.*?)```", page("docs/sources.md"), re.DOTALL)
    assert examples
    for example in examples:
        (tmp_path / "sources.yaml").write_text(example)
        assert read_sources(tmp_path / "sources.yaml")


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


def test_every_golden_case_has_a_row_that_names_its_test(shared: Callable[[str], Path]) -> None:
    cases = {path.name.split("_")[0] for path in shared("golden/cases").iterdir()}
    rows = dict(re.findall(r"^\| (G\d\d) \|.*\| (.*) \|$", page("docs/golden.md"), re.MULTILINE))
    assert set(rows) == cases
    assert [case for case, tests in rows.items() if f"/test_{case.lower()}_" not in tests] == []
