"""The questions in boring-semantic-layer's own terms. Run it with the Python of its environment."""

import os
from typing import Any

import ibis
import timing
from boring_semantic_layer import SemanticModel, to_semantic_table

TABLES = """
CREATE TABLE sessions (session_id VARCHAR, agent VARCHAR, "trigger" VARCHAR, started_at TIMESTAMP);
CREATE TABLE requests (request_id VARCHAR, session_id VARCHAR, model VARCHAR, started_at TIMESTAMP,
    cost_usd DECIMAL(18, 9), latency_ms INTEGER, {columns});
CREATE TABLE outcomes (outcome_id VARCHAR, session_id VARCHAR, session_started_at TIMESTAMP, success INTEGER);
"""


def wide_measures(width: int) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for i in range(width):
        if i % 4 == 0:
            made[f"m{i}"] = lambda t, c=f"c{i}": t[c].sum()
        elif i % 4 == 1:
            made[f"m{i}"] = lambda t, c=f"c{i}": (t[c] > 3).sum()
        elif i % 4 == 2:
            made[f"m{i}"] = lambda t, c=f"c{i}": t[c].mean()
        else:
            made[f"m{i}"] = lambda t, over=f"m{i - 3}", under=f"m{i - 1}": t[over] / t[under]
    return made


def models(width: int) -> tuple[SemanticModel, Any]:
    connection = ibis.duckdb.connect()
    connection.raw_sql(TABLES.format(columns=", ".join(f"c{i} DOUBLE" for i in range(width))))
    requests = (
        to_semantic_table(connection.table("requests"), name="requests")
        .with_dimensions(
            model=lambda t: t.model,
            month=lambda t: t.started_at.truncate("M"),
            day=lambda t: t.started_at.truncate("D"),
            session_id=lambda t: t.session_id,
        )
        .with_measures(
            cost=lambda t: t.cost_usd.sum(),
            sessions_using=lambda t: t.session_id.nunique(),
            p95=lambda t: t.latency_ms.quantile(0.95),
            **wide_measures(width),
        )
        .with_measures(per_using=lambda t: t.cost / t.sessions_using)
    )
    outcomes = (
        to_semantic_table(connection.table("outcomes"), name="outcomes")
        .with_dimensions(session_id=lambda t: t.session_id)
        .with_measures(successes=lambda t: t.success.sum(), results=lambda t: t.count())
    )
    sessions = (
        to_semantic_table(connection.table("sessions"), name="sessions")
        .with_dimensions(agent=lambda t: t.agent, trigger=lambda t: t.trigger, session_id=lambda t: t.session_id)
        .with_measures(started=lambda t: t.count())
        .join_many(requests, lambda left, right: left.session_id == right.session_id)
        .join_many(outcomes, lambda left, right: left.session_id == right.session_id)
        .with_measures(
            roi=lambda t: (
                (t["outcomes.successes"] / t["outcomes.results"]) / (t["requests.cost"] / t["sessions.started"])
            )
        )
    )
    return requests, sessions


def rolling(requests: SemanticModel) -> Any:
    daily = requests.group_by("day").aggregate("cost").to_untagged()
    window = ibis.window(order_by="day", preceding=ibis.interval(days=6), following=0)
    return daily.mutate(rolling=daily["cost"].sum().over(window))


def main() -> None:
    requests, sessions = models(40)
    by_month = requests.group_by("month")
    cron = sessions.filter(lambda t: t.sessions.trigger == "cron")

    questions = {
        "cost by month": lambda: by_month.aggregate("cost"),
        "10 metrics by month": lambda: by_month.aggregate(*(f"m{i}" for i in range(10))),
        "40 metrics by month": lambda: by_month.aggregate(*(f"m{i}" for i in range(40))),
        "cost per session by model": lambda: requests.group_by("model").aggregate("per_using"),
        "ROI by agent": lambda: sessions.group_by("sessions.agent").aggregate("roi"),
        "daily cost by model, cron": lambda: cron.group_by("requests.model", "requests.day").aggregate("requests.cost"),
        "rolling 7 days by day": lambda: rolling(requests),
        "p95 latency by model": lambda: requests.group_by("model").aggregate("p95"),
    }
    timing.print_times(
        {
            name: (lambda made=made: str(ibis.to_sql(_plain(made()), dialect="duckdb")))
            for name, made in questions.items()
        }
    )
    if os.environ.get("SHOW"):
        for name in ("ROI by agent", "rolling 7 days by day", "10 metrics by month"):
            print(ibis.to_sql(_plain(questions[name]()), dialect="duckdb"))


def _plain(asked: Any) -> Any:
    return asked.to_untagged() if hasattr(asked, "to_untagged") else asked


if __name__ == "__main__":
    main()
