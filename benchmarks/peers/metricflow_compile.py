"""The questions in MetricFlow's own terms. Writes a dbt project to a directory, parses it and compiles.

Run it with the Python of MetricFlow's environment: metricflow_compile.py DIRECTORY
"""

import os
import subprocess
import sys
from pathlib import Path

import timing
from dbt_metricflow.cli.cli_configuration import CLIConfiguration
from metricflow.engine.metricflow_engine import MetricFlowQueryRequest

PROJECT = """
name: bench
version: 1.0.0
config-version: 2
profile: bench
model-paths: [models]
models: {bench: {+materialized: table}}
flags: {send_anonymous_usage_stats: false}
"""
PROFILES = """
bench:
  target: dev
  outputs: {dev: {type: duckdb, path: bench.duckdb}}
"""
TABLES = {
    "time_spine": "select unnest(range(date '2026-01-01', date '2027-01-01', interval 1 day))::date as date_day",
    "sessions": "select '' as session_id, '' as agent, '' as trigger_kind, now() as started_at",
    "requests": "select '' as request_id, '' as session_id, '' as model, now() as started_at, 1.0 as cost_usd, "
    "1 as latency_ms, {columns}",
    "outcomes": "select '' as outcome_id, '' as session_id, now() as session_started_at, 1 as success",
}
SEMANTIC = """
models:
  - name: time_spine
    time_spine: {{standard_granularity_column: date_day}}
    columns: [{{name: date_day, granularity: day}}]
semantic_models:
  - name: sessions
    model: ref('sessions')
    defaults: {{agg_time_dimension: started_at}}
    entities: [{{name: session, type: primary, expr: session_id}}]
    dimensions:
      - {{name: started_at, type: time, type_params: {{time_granularity: day}}}}
      - {{name: agent, type: categorical}}
      - {{name: trigger_kind, type: categorical}}
    measures: [{{name: started, agg: count, expr: session_id}}]
  - name: requests
    model: ref('requests')
    defaults: {{agg_time_dimension: started_at}}
    entities: [{{name: request, type: primary, expr: request_id}}, {{name: session, type: foreign, expr: session_id}}]
    dimensions:
      - {{name: started_at, type: time, type_params: {{time_granularity: day}}}}
      - {{name: model, type: categorical}}
    measures:
      - {{name: cost, agg: sum, expr: cost_usd}}
      - {{name: sessions_using, agg: count_distinct, expr: session_id}}
      - name: p95
        agg: percentile
        expr: latency_ms
        agg_params: {{percentile: 0.95, use_discrete_percentile: false}}
{measures}
  - name: outcomes
    model: ref('outcomes')
    defaults: {{agg_time_dimension: session_started_at}}
    entities: [{{name: outcome, type: primary, expr: outcome_id}}, {{name: session, type: foreign, expr: session_id}}]
    dimensions: [{{name: session_started_at, type: time, type_params: {{time_granularity: day}}}}]
    measures: [{{name: successes, agg: sum, expr: success}}, {{name: results, agg: count, expr: outcome_id}}]
metrics:
{simple}
{ratios}
  - name: rolling
    label: rolling
    type: cumulative
    type_params: {{measure: cost, cumulative_type_params: {{window: 7 days}}}}
  - name: roi
    label: roi
    type: derived
    type_params:
      expr: success_rate / cost_per_session
      metrics: [{{name: success_rate}}, {{name: cost_per_session}}]
"""


def written(project: Path, width: int) -> None:
    """The whole project: a table, a semantic model and metrics for each question."""
    (project / "models").mkdir(parents=True, exist_ok=True)
    (project / "dbt_project.yml").write_text(PROJECT)
    (project / "profiles.yml").write_text(PROFILES)
    columns = ", ".join(f"1.0 as c{i}" for i in range(width))
    for name, sql in TABLES.items():
        (project / "models" / f"{name}.sql").write_text(sql.format(columns=columns))
    kinds = {
        0: "agg: sum, expr: c{0}",
        1: "agg: sum_boolean, expr: c{0} > 3",
        2: "agg: average, expr: c{0}",
    }
    measured = [i for i in range(width) if i % 4 in kinds]
    measures = [f"      - {{name: m{i}, {kinds[i % 4].format(i)}}}" for i in measured]
    names = ["cost", "sessions_using", "p95", "started", "successes", "results", *(f"m{i}" for i in measured)]
    simple = [f"  - {{name: {n}, label: {n}, type: simple, type_params: {{measure: {n}}}}}" for n in names]
    pairs = {
        "per_using": ("cost", "sessions_using"),
        "success_rate": ("successes", "results"),
        "cost_per_session": ("cost", "started"),
        **{f"m{i}": (f"m{i - 3}", f"m{i - 1}") for i in range(3, width, 4)},
    }
    ratios = [
        f"  - {{name: {name}, label: {name}, type: ratio, type_params: {{numerator: {over}, denominator: {under}}}}}"
        for name, (over, under) in pairs.items()
    ]
    text = SEMANTIC.format(measures="\n".join(measures), simple="\n".join(simple), ratios="\n".join(ratios))
    (project / "models" / "semantic.yml").write_text(text)


def main() -> None:
    project = Path(sys.argv[1])
    if not (project / "target" / "semantic_manifest.json").exists():
        written(project, 40)
        for command in ("run", "parse"):
            dbt = [str(Path(sys.executable).parent / "dbt"), "-q", command, "--profiles-dir", "."]
            subprocess.run(dbt, cwd=project, check=True, stdout=sys.stderr)
    os.chdir(project)
    configuration = CLIConfiguration()
    configuration.setup(dbt_profiles_path=project, dbt_project_path=project, configure_file_logging=False)
    engine = configuration.mf

    def compiled(metrics: list[str], by: list[str], where: list[str] | None = None) -> str:
        request = MetricFlowQueryRequest.create(metric_names=metrics, group_by_names=by, where_constraints=where)
        return str(engine.explain(request).sql_statement.sql)

    cron = ["{{ Dimension('session__trigger_kind') }} = 'cron'"]
    wide = [f"m{i}" for i in range(40)]
    timing.print_times(
        {
            "cost by month": lambda: compiled(["cost"], ["metric_time__month"]),
            "10 metrics by month": lambda: compiled(wide[:10], ["metric_time__month"]),
            "40 metrics by month": lambda: compiled(wide, ["metric_time__month"]),
            "cost per session by model": lambda: compiled(["per_using"], ["request__model"]),
            "ROI by agent": lambda: compiled(["roi"], ["session__agent"]),
            "daily cost by model, cron": lambda: compiled(["cost"], ["request__model", "metric_time__day"], cron),
            "rolling 7 days by day": lambda: compiled(["rolling"], ["metric_time__day"]),
            "p95 latency by model": lambda: compiled(["p95"], ["request__model"]),
        }
    )
    if os.environ.get("SHOW"):
        print(compiled(["roi"], ["session__agent"]))
        print(compiled(["rolling"], ["metric_time__day"]))
        print(compiled(wide[:10], ["metric_time__month"]))


if __name__ == "__main__":
    main()
