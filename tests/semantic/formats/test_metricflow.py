"""A company that runs agents, written in MetricFlow's three forms, as a metrics file: text, losses and numbers."""

import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from semantic import TimeRange, load_catalog
from semantic.formats.metricflow import Options, import_files, import_manifest
from semantic.formats.report import Converted
from tests.semantic.conftest import World

PROJECTS = Path(__file__).parent / "projects"
TABLES = """
create schema raw;
create table fct_runs (run_id varchar, agent_id varchar, started_at timestamp, ended_at timestamp, outcome varchar,
                       minutes int, attempt int, trigger varchar, host varchar);
insert into fct_runs values
  ('r1', 'a1', '2026-01-05 09:00', '2026-01-05 10:00', 'merged', 30, 1, 'MANUAL', 'eu1'),
  ('r2', 'a1', '2026-01-20 09:00', '2026-01-20 11:00', 'abandoned', 90, 1, 'Cron', 'eu1'),
  ('r3', 'a2', '2026-01-31 23:30', '2026-02-01 01:30', 'merged', 120, 2, 'Cron', 'us1'),
  ('r4', 'a2', '2026-02-03 10:00', '2026-02-03 11:00', 'merged', 60, 1, 'Cron', 'us1'),
  ('r5', 'a3', '2026-02-10 10:00', null, null, 10, 1, 'MANUAL', 'us1'),
  ('r6', 'a1', '2026-02-11 10:00', '2026-02-11 11:00', 'merged', 50, 3, 'Cron', 'eu1'),
  ('r7', 'a9', '2026-02-12 10:00', '2026-02-12 11:00', 'merged', null, 1, 'Cron', 'eu1');
create table raw.llm_calls (run_id varchar, called_at timestamp, model varchar, cost_usd decimal(18, 6),
                            input_tokens int, output_tokens int, http_status int);
insert into raw.llm_calls values
  ('r1', '2026-01-05 09:10', 'opus', 2, 100, 10, 200), ('r2', '2026-01-20 09:10', 'opus', 3, 50, 5, 200),
  ('r2', '2026-01-20 09:20', null, 1, 10, 0, 500), ('r3', '2026-02-01 00:10', 'haiku', 0.5, 70, 30, 200),
  ('r4', '2026-02-03 10:10', 'haiku', 1.5, 20, 20, 200), ('r6', '2026-02-11 10:10', 'opus', 7, 300, 90, 200);
create table dim_agents (agent_id varchar, team_id varchar, name varchar, cost_class varchar);
insert into dim_agents values ('a1', 't1', 'ada', 'x'), ('a2', 't2', 'bo', 'x'), ('a3', 't1', 'test', 'y');
create table dim_teams (team_id int, team_code varchar, is_internal boolean);
insert into dim_teams values (1, 't1', true), (2, 't2', false);
create table agent_plans (agent_id varchar, plan varchar, valid_from date, valid_to date);
insert into agent_plans values ('a1', 'free', '2025-01-01', '2026-02-01'), ('a1', 'pro', '2026-02-01', null),
                               ('a2', 'pro', '2025-01-01', null);
create table tickets (ticket_id varchar, opened_by varchar, opened_at timestamp, severity varchar);
insert into tickets values ('k1', 'a1', '2026-01-08 09:00', 'low'), ('k2', 'a1', '2026-01-09 09:00', 'low'),
                           ('k3', 'a2', '2026-02-20 09:00', 'high');
create table balances (account_id varchar, day date, bank varchar, balance_usd decimal(18, 2));
insert into balances values ('main', '2026-01-10', 'b', 100), ('main', '2026-01-31', 'b', 80),
                            ('side', '2026-01-15', 'b', 50), ('main', '2026-02-28', 'b', 70);
create table run_parts (run_id varchar, part_no int, host_id varchar, part_day timestamp);
insert into run_parts values
  ('r1', 1, 'h1', '2026-01-05'), ('r1', 2, 'h1', '2026-01-06'), ('r4', 1, 'h1', '2026-02-03');
create table hosts (host_id varchar, part_day timestamp, zone varchar);
insert into hosts values ('h1', '2026-01-05', 'north'), ('h1', '2026-01-06', 'south'), ('h1', '2026-02-03', 'south');
"""
WINTER = TimeRange(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC))


def imported(name: str, **options: object) -> Converted:
    files = {path.name: path.read_text() for path in (PROJECTS / name).glob("*.yml")}
    return import_files(files, Options(name=name, **options))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def world() -> World:
    return World(imported("older").text, TABLES)


def by_month(world: World, metric: str) -> list[object]:
    """January and February 2026, asked in March."""
    rows = world.table(metric, grain="month", time=WINTER, as_of=date(2026, 3, 10))
    assert [row[0] for row in rows] == [date(2026, 1, 1), date(2026, 2, 1)]
    return [row[1] for row in rows]


@pytest.mark.parametrize("name", ["older", "newer"])
def test_a_project_becomes_the_written_out_metrics_file(name: str) -> None:
    assert imported(name).text == (PROJECTS / f"{name}.metrics.yaml").read_text()


@pytest.mark.parametrize("name", ["older", "newer"])
def test_everything_that_is_lost_or_differs_is_told_with_its_place(name: str) -> None:
    told = [str(finding) for finding in imported(name).findings]
    assert told == (PROJECTS / f"{name}.findings.txt").read_text().splitlines()


@pytest.mark.parametrize(("name", "metrics", "models"), [("older", 45, 9), ("newer", 15, 3)])
def test_an_imported_file_loads(name: str, metrics: int, models: int) -> None:
    catalog = load_catalog(imported(name).text)
    assert (len(catalog.metrics), len(catalog.models)) == (metrics, models)


def test_the_manifest_gives_the_same_file_as_the_yaml_that_it_was_compiled_from() -> None:
    manifest = import_manifest((PROJECTS / "semantic_manifest.json").read_text(), options=Options(name="older"))
    from_yaml = load_catalog(imported("older").text)
    from_manifest = load_catalog(manifest.text)
    assert {n: m.source_text for n, m in from_manifest.metrics.items()} == {
        n: m.source_text for n, m in from_yaml.metrics.items()
    }
    assert {m.source for m in from_manifest.models.values()} >= {"marts.fct_runs", "raw.llm_calls"}
    assert len(manifest.losses) == len(imported("older").losses)


def test_a_manifest_that_remembers_the_files_tells_places_in_them() -> None:
    manifest = import_manifest((PROJECTS / "semantic_manifest.json").read_text(), options=Options())
    data = json.loads((PROJECTS / "semantic_manifest.json").read_text())
    for metric in data["metrics"]:
        if metric["name"] == "log_cost":
            metric["metadata"] = {"repo_file_path": "marts/costs.yml", "file_slice": {"start_line_number": 7}}
    located = import_manifest(json.dumps(data), options=Options())
    assert "semantic_manifest.json: metric 'log_cost'" in [finding.place for finding in manifest.losses]
    assert "marts/costs.yml:7: metric 'log_cost'" in [finding.place for finding in located.losses]


@pytest.mark.parametrize(
    ("metric", "january", "february"),
    [
        ("run_total", 3, 4),
        ("merged", 2, 3),
        ("minutes", 240, 120),
        ("ended", 2, 4),
        ("agents_active", 2, 4),
        ("longest", 120, 60),
        ("shortest", 30, 10),
        ("mean_minutes", 80.0, 40.0),
        ("median_minutes", 90.0, 50.0),
        ("p90_minutes", 120, 60),
        ("retried_minutes", 120, 50),
        ("manual_runs", 1, 1),
        ("cost", 6.0, 9.0),
        ("tokens", 175, 530),
        ("abandoned_cost", 4.0, None),
        ("internal_runs", 1, 0),
        ("plan_runs", 1, 2),
        ("recent_runs", 0, 3),
        ("monday_runs", 1, 0),
        ("runs_of_busy_agents", 2, 1),
        ("cost_per_run", 2.0, 2.25),
        ("merged_share", 1.0, 1.0),
        ("abandoned_cost_per_run", 400.0, None),
        ("cost_growth", None, 0.5),
        ("cost_ever", 6.0, 15.0),
        ("cost_30_days", 6.0, 9.0),
        ("cost_month_to_date", 6.0, 9.0),
        ("mean_weekly_agents", 15 / 31, 30 / 28),
        ("ticket_rate", 0.5, 0.0),
        ("runs_with_ticket", 2, 1),
        ("balance", 130.0, 70.0),
        ("opening_balance", 150.0, 70.0),
        ("parts", 2, 1),
    ],
)
def test_an_imported_metric_has_the_number_that_was_counted_by_hand(
    world: World, metric: str, january: float, february: float | None
) -> None:
    assert by_month(world, metric) == [january, february]


def test_an_offset_of_a_week_is_asked_by_day(world: World) -> None:
    days = TimeRange(datetime(2026, 2, 10, tzinfo=UTC), datetime(2026, 2, 12, tzinfo=UTC))
    rows = world.table("cost_step", grain="day", time=days, as_of=date(2026, 3, 10))
    assert rows == [(date(2026, 2, 10), -1.5), (date(2026, 2, 11), 7.0)]


def test_rows_of_one_partition_meet_rows_of_the_same(world: World) -> None:
    rows = world.table("parts", by=("zone",), time=WINTER, as_of=date(2026, 3, 10))
    assert sorted(rows) == [("north", 1), ("south", 2)]
