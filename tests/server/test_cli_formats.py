"""`clawback import`, `clawback export` and the schema for editors, as a person at a terminal meets them."""

import json
from pathlib import Path
from shutil import copytree

import yaml

from semantic import load_catalog
from tests.server.conftest import REPOSITORY, Run

PROJECTS = REPOSITORY / "tests" / "semantic" / "formats" / "projects"
SOUND = """
semantic_models:
  - name: runs
    model: ref('runs')
    entities: [{name: run, type: primary, expr: run_id}]
    measures: [{name: usd, agg: sum, create_metric: true}]
"""


def test_help_teaches_the_commands_for_other_tools(run: Run) -> None:
    shown = run("--help")
    assert "  import " in shown.out
    assert "  export " in shown.out
    assert "metricflow" in run("import", "--help").out
    assert "ossie" in run("export", "--help").out


def test_an_import_without_loss_is_printed(run: Run, tmp_path: Path) -> None:
    (tmp_path / "models.yml").write_text(SOUND)
    shown = run("import", "metricflow", "models.yml", "--name", "mine")
    assert (shown.code, shown.err) == (0, "")
    assert load_catalog(shown.out).name == "mine"


def test_an_import_that_loses_something_writes_nothing_and_fails(run: Run, tmp_path: Path) -> None:
    copytree(PROJECTS / "older", tmp_path / "dbt" / "models")
    shown = run("import", "metricflow", "dbt", "--output", "metrics.yaml")
    assert (shown.code, shown.out) == (1, "")
    assert not (tmp_path / "metrics.yaml").exists()
    assert "lost: offset_to_grain month: a period's first day cannot be read" in shown.err
    assert "  models/metrics.yml:124: metric 'cost_since_start_of_month'\n" in shown.err
    assert shown.err.endswith(
        "parts would be lost, so nothing is written; see above, and take the rest with --allow-loss\n"
    )


def test_a_loss_that_is_allowed_writes_the_rest_to_a_new_file(run: Run, tmp_path: Path) -> None:
    copytree(PROJECTS / "older", tmp_path / "dbt" / "models")
    (tmp_path / "dbt" / "target").mkdir()
    (tmp_path / "dbt" / "target" / "old.yml").write_text("semantic_models: [")
    wanted = ("import", "metricflow", "dbt", "--output", "metrics.yaml", "--allow-loss")
    shown = run(*wanted, "--grain", "sprint=2 weeks,2026-01-05")
    assert shown.code == 0
    catalog = load_catalog((tmp_path / "metrics.yaml").read_text())
    assert catalog.metrics["cost_sprint_to_date"].source_text == "sum: calls.cost_usd, to_date: sprint"
    again = run(*wanted)
    assert again.code == 1
    assert "File exists" in again.err


def test_a_manifest_is_imported(run: Run) -> None:
    shown = run("import", "metricflow", str(PROJECTS / "semantic_manifest.json"), "--allow-loss", "--exact")
    assert shown.code == 0
    assert "run_total: {sum: {model: runs, value: 1}, owner: platform" in shown.out


def test_a_grain_that_cannot_be_read_is_told(run: Run, tmp_path: Path) -> None:
    (tmp_path / "models.yml").write_text(SOUND)
    shown = run("import", "metricflow", "models.yml", "--grain", "sprint")
    assert shown.code == 2
    assert "'sprint' is not NAME=LENGTH,DAY, such as 'fiscal=3 months,2026-02-01'" in shown.err


def test_the_own_metrics_are_exported_but_for_what_ossie_cannot_say(run: Run) -> None:
    refused = run("export", "ossie")
    assert (refused.code, refused.out) == (1, "")
    assert "lost: window: an expression has no words for a window" in refused.err
    assert "  metric 'burn_rate'\n" in refused.err
    shown = run("export", "ossie", "--allow-loss")
    assert shown.code == 0
    metrics = yaml.safe_load(shown.out)["semantic_model"][0]["metrics"]
    assert "cost_per_session" in [metric["name"] for metric in metrics]


def test_the_schema_for_editors_is_printed(run: Run) -> None:
    shown = run("schema", "--format", "json-schema")
    assert shown.code == 0
    assert json.loads(shown.out)["$schema"] == "https://json-schema.org/draft/2020-12/schema"
