"""The questions in sidemantic's own terms. Run it with the Python of sidemantic's environment."""

import os

import timing
from sidemantic import Dimension, Metric, Model, Relationship
from sidemantic.core.semantic_layer import SemanticLayer


def wide_metrics(width: int) -> list[Metric]:
    made = []
    for i in range(width):
        if i % 4 == 0:
            made.append(Metric(name=f"m{i}", agg="sum", sql=f"c{i}"))
        elif i % 4 == 1:
            made.append(Metric(name=f"m{i}", agg="count", filters=[f"{{model}}.c{i} > 3"]))
        elif i % 4 == 2:
            made.append(Metric(name=f"m{i}", agg="avg", sql=f"c{i}"))
    return made


def wide_ratios(layer: SemanticLayer, width: int) -> None:
    for i in range(3, width, 4):
        numerator, denominator = f"requests.m{i - 3}", f"requests.m{i - 1}"
        layer.add_metric(Metric(name=f"m{i}", type="ratio", numerator=numerator, denominator=denominator))


def made_layer(width: int) -> SemanticLayer:
    layer = SemanticLayer(auto_register=False)
    started = Dimension(name="started_at", type="time", granularity="second", sql="started_at")
    layer.add_model(
        Model(
            name="sessions",
            table="sessions",
            primary_key="session_id",
            dimensions=[
                Dimension(name="agent", type="categorical", sql="agent"),
                Dimension(name="trigger", type="categorical", sql="trigger"),
                started,
            ],
            metrics=[Metric(name="started", agg="count")],
        )
    )
    layer.add_model(
        Model(
            name="requests",
            table="requests",
            primary_key="request_id",
            relationships=[Relationship(name="sessions", type="many_to_one", foreign_key="session_id")],
            dimensions=[Dimension(name="model", type="categorical", sql="model"), started],
            metrics=[
                Metric(name="cost", agg="sum", sql="cost_usd"),
                Metric(name="sessions_using", agg="count_distinct", sql="session_id"),
                Metric(name="p95", sql="quantile_cont({model}.latency_ms, 0.95)"),
                *wide_metrics(width),
            ],
        )
    )
    layer.add_model(
        Model(
            name="outcomes",
            table="outcomes",
            primary_key="outcome_id",
            relationships=[Relationship(name="sessions", type="many_to_one", foreign_key="session_id")],
            metrics=[Metric(name="successes", agg="sum", sql="success"), Metric(name="results", agg="count")],
        )
    )
    for metric in (
        Metric(name="per_using", type="ratio", numerator="requests.cost", denominator="requests.sessions_using"),
        Metric(name="success_rate", type="ratio", numerator="outcomes.successes", denominator="outcomes.results"),
        Metric(name="cost_per_session", type="ratio", numerator="requests.cost", denominator="sessions.started"),
        Metric(name="roi", type="derived", sql="success_rate / cost_per_session"),
        Metric(name="rolling", type="cumulative", sql="requests.cost", window="6 days"),
    ):
        layer.add_metric(metric)
    wide_ratios(layer, width)
    return layer


def wide_names(width: int) -> list[str]:
    return [f"m{i}" if i % 4 == 3 else f"requests.m{i}" for i in range(width)]


MONTH = ["requests.started_at__month"]


def main() -> None:
    layer = made_layer(40)
    cron = ["sessions.trigger = 'cron'"]
    by_day = ["requests.model", "requests.started_at__day"]
    timing.print_times(
        {
            "cost by month": lambda: layer.compile(metrics=["requests.cost"], dimensions=MONTH),
            "10 metrics by month": lambda: layer.compile(metrics=wide_names(10), dimensions=MONTH),
            "40 metrics by month": lambda: layer.compile(metrics=wide_names(40), dimensions=MONTH),
            "cost per session by model": lambda: layer.compile(metrics=["per_using"], dimensions=["requests.model"]),
            "ROI by agent": lambda: layer.compile(metrics=["roi"], dimensions=["sessions.agent"]),
            "daily cost by model, cron": lambda: layer.compile(
                metrics=["requests.cost"], dimensions=by_day, filters=cron
            ),
            "rolling 7 days by day": lambda: layer.compile(metrics=["rolling"], dimensions=by_day[1:]),
            "p95 latency by model": lambda: layer.compile(metrics=["requests.p95"], dimensions=["requests.model"]),
        }
    )
    if os.environ.get("SHOW"):
        print(layer.compile(metrics=["roi"], dimensions=["sessions.agent"]))
        print(layer.compile(metrics=["rolling"], dimensions=by_day[1:]))
        print(layer.compile(metrics=wide_names(10), dimensions=MONTH))


if __name__ == "__main__":
    main()
