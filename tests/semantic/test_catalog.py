"""A metrics file is read whole, and every mistake in it is told at once with its place and what would be right."""

from pathlib import Path

import pytest

from semantic import CatalogError, Formula, Measure, dimensions_of, load_catalog

MODELS = """models:
  runs:
    source: runs
    key: run_id
    time: started_at
    dimensions: {team: string}
"""


def mistakes(text: str) -> list[str]:
    with pytest.raises(CatalogError) as caught:
        load_catalog(text, "m.yaml")
    return [str(m) for m in caught.value.mistakes]


def test_five_mistakes_are_told_at_once_each_at_its_place() -> None:
    text = MODELS + (
        "metrics:\n"
        "  runs: {count: rnus}\n"
        "  cost: {sum: runs}\n"
        "  per_run: {expr: cost / sesions}\n"
        "  half: {sum: runs.usd, median: runs.usd}\n"
        "  odd: {count: runs, where: team = (select 1)}\n"
    )
    assert mistakes(text) == [
        "m.yaml:8:17: there is no model 'rnus'; did you mean 'runs'?",
        "m.yaml:9:15: sum takes 'model.column', such as runs.cost_usd; this is 'runs'",
        "m.yaml:10:26: 'sesions' is not a metric; there are: cost, half, odd, runs",
        (
            "m.yaml:11:9: 'half' needs exactly one kind (avg, count, count_distinct, expr, first, funnel, last, max, "
            "median, metric, min, percentile, stddev, sum), it has sum, median"
        ),
        "m.yaml:12:44: '(SELECT 1)' is not allowed in a condition (Subquery)",
    ]


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("", "m.yaml:1:1: the file is empty"),
        ("a: [", "m.yaml:2:1: not valid YAML"),
        ("models: {}\nmetrics: {}\nmetrics: {}", "m.yaml:3:1: 'metrics' is given twice; the first is at line 2"),
        ("metrics: " + "[" * 300_000, "m.yaml:1:1: nested more than 40 levels deep"),
        ("- " * 300_000, "m.yaml:1:1: nested more than 40 levels deep"),
        ("? " * 300_000, "m.yaml:1:1: nested more than 40 levels deep"),
        ("\n".join(" " * n + "a:" for n in range(1_500)), "nested more than 40 levels deep"),
        ("metrics: {}", "m.yaml:1:1: 'models:' is missing"),
        (MODELS + "metrics: {}\nmetrcs: 1", "m.yaml:8:1: unknown key 'metrcs'; did you mean 'metrics'?"),
        (MODELS + "metrics: {Runs: {count: runs}}", "m.yaml:7:11: 'Runs' cannot name a metric"),
        (MODELS + "metrics: {time: {count: runs}}", "m.yaml:7:11: 'time' is reserved"),
        (MODELS + "metrics: {team: {count: runs}}", "has the same name in GraphQL as the dimension 'team'"),
        (MODELS + "metrics: {a_b: {count: runs}, ab: {count: runs}}", "same name in GraphQL as the metric 'a_b'"),
        (MODELS + "metrics: {a: {expr: b + 1}, b: {expr: a + 1}}", "'a' rests on itself: a -> b -> a"),
        (MODELS + "metrics: {a: {metric: b, where: x}, b: {metric: a, where: y}}", "'a' rests on itself: a -> b -> a"),
        (MODELS + "metrics: {a: {count: runs}, b: {metric: a}}", "'b' varies nothing of 'a'"),
        (MODELS + "metrics: {a: 1 + 1}", "'a' uses no other metric"),
        (MODELS + "metrics: {a: {percentile: runs.x}}", "a percentile needs p between 0 and 1"),
        (MODELS + "metrics: {a: {count: runs, rolling: thirty}}", "a window is a length of time, such as 30 days"),
        (
            MODELS + "metrics: {a: {avg: runs.x, rolling: {window: 30 days, average: day}}}",
            "only a sum or a count has an average over a window, not avg",
        ),
        (MODELS + "metrics: {a: {sum: runs.x, snapshot: {take: last, per: tem}}}", "has no dimension 'tem'; did"),
        (MODELS + "metrics: {a: {count: runs}, b: {expr: a, where: x = 1}}", "'where:' has no meaning beside 'expr:'"),
        (MODELS + "metrics: {a: {count: runs}, b: {expr: a, empty: zero}}", "'empty:' has no meaning beside 'expr:'"),
        (MODELS + "metrics: {a: {median: runs.x}, b: {metric: a, p: 0.9}}", "'p:' has no meaning beside 'metric:'"),
        (
            MODELS + "metrics: {a: {sum: runs.x, snapshot: {take: last, per: team}}, b: {metric: a, rolling: 7 days}}",
            "a snapshot has one value a period; it cannot roll",
        ),
        (MODELS + "    joins: {runs: runs}\nmetrics: {}", "'runs' cannot join under its own name"),
        (MODELS + "    joins: {periods: runs}\nmetrics: {}", "'periods' is reserved and cannot name a role"),
        (MODELS.replace("source: runs", "source: Keys") + "metrics: {}", "'Keys' is what statements call a table"),
        (MODELS.replace("source: runs", "source: periods__a") + "metrics: {}", "'periods__a' is what statements call"),
        (MODELS.replace("  runs:", "  keys:") + "metrics: {}", "'keys' is reserved and cannot name a model"),
        (MODELS + "metrics: {a: {count: runs, where: other.x = 1}}", "'runs' has no join 'other'"),
        (MODELS + "metrics: {a: {count: runs, where: read_csv('/etc/passwd')}}", "is not allowed in a condition"),
        (MODELS + "metrics: {a: {count: runs, where: x = 1; drop table y}}", "give exactly one expression, this has 2"),
        (MODELS + "    across_rows: []\nmetrics: {}", "m.yaml:7:18: name at least one column; leave the key out where"),
        (MODELS + "    across_rows: [a, a]\nmetrics: {}", "m.yaml:7:22: 'a' is given twice"),
        (MODELS + "    across_rows: {a: b}\nmetrics: {}", "m.yaml:7:18: expected the name of a column"),
        (MODELS + "    across_rows: a.b\nmetrics: {}", "m.yaml:7:18: 'a.b' is not the name of a column"),
        (MODELS + "metrics: {a: {count: runs, better: high}}", "better: is higher or lower"),
        (MODELS + "metrics: {a: {count: runs, when_zero: no runs}}", "a reason is a code in capitals"),
        (MODELS.replace("key: run_id", "kee: run_id") + "metrics: {}", "unknown key 'kee'; did you mean 'key'?"),
        (MODELS.replace("string", "strng") + "metrics: {}", "'strng' is not a type of dimension; did you mean"),
        (MODELS.replace("string", "enum") + "metrics: {}", "the enum 'team' needs its values"),
        (MODELS.replace("source: runs", "source: runs; drop") + "metrics: {}", "is not the name of a table or view"),
        (MODELS + "    joins: {up: nobody}\nmetrics: {}", "there is no model 'nobody'; there are: runs"),
        ("defaults: {time_zone: Mars/Base}\n" + MODELS + "metrics: {}", "'Mars/Base' is not a time zone"),
    ],
)  # fmt: skip
def test_each_mistake_names_its_place_and_what_would_be_right(text: str, mistake: str) -> None:
    found = mistakes(text)
    assert any(mistake in m for m in found), found


def test_a_dimension_name_means_one_thing() -> None:
    text = MODELS + "  other:\n    source: o\n    key: k\n    dimensions: {team: integer}\nmetrics: {}\n"
    assert mistakes(text) == [
        (
            "m.yaml:10:18: 'team' is declared otherwise at m.yaml:6:18; one name means one thing, so give both the "
            "same type, values and access, or another name"
        )
    ]


def test_an_ambiguous_path_is_refused_with_the_paths() -> None:
    catalog = load_catalog(
        "models:\n"
        "  people: {source: people, key: id, dimensions: {name: string}}\n"
        "  tasks: {source: tasks, key: t, joins: {author: {to: people, column: a}, owner: {to: people, column: o}}}\n"
        "metrics: {tasks: {count: tasks}}\n"
    )
    assert dimensions_of(catalog, "tasks") == ()


def test_the_shipped_file_loads_and_declares_what_a_finance_team_asks_for() -> None:
    path = Path(__file__).parents[2] / "metrics.yaml"
    catalog = load_catalog(path.read_text(), "metrics.yaml")
    expected = {
        "requests", "sessions", "inference_cost", "cost_per_session", "median_session_cost", "p95_session_cost",
        "idle_waste_rate", "utilisation", "failure_rate", "task_success_rate", "roi", "cost_per_success",
        "infrastructure_cost", "burn_rate", "cash", "runway_months", "depletion_date",
    }  # fmt: skip
    assert expected <= set(catalog.metrics)
    assert all(m.description for m in catalog.metrics.values())
    assert dimensions_of(catalog, "cash") == ("account",)
    assert {"agent", "model", "provider", "trigger", "task_result"} <= set(dimensions_of(catalog, "roi"))


def test_types_follow_from_the_unit_and_the_kind() -> None:
    catalog = load_catalog(
        MODELS + "metrics:\n  n: {count: runs}\n  usd: {sum: runs.usd, unit: USD}\n  per: {expr: usd / n, unit: USD}\n"
        "  rate: {expr: n / n}\n  day: {expr: 'days_after(as_of, n)', unit: date}\n  tok: {sum: runs.t, unit: tokens}\n"
    )
    assert {m.name: m.type for m in catalog.metrics.values()} == {
        "n": "integer", "usd": "money", "per": "money", "rate": "number", "day": "date", "tok": "integer",
    }  # fmt: skip
    assert isinstance(catalog.metrics["n"].definition, Measure)
    assert isinstance(catalog.metrics["per"].definition, Formula)


def test_formulas_that_would_grow_without_end_are_refused_quickly() -> None:
    chain = "".join(f"  m{n}: {{expr: m{n - 1} + m{n - 1}}}\n" for n in range(1, 60))
    found = mistakes(MODELS + "metrics:\n  m0: {count: runs}\n" + chain)
    assert "parts once its metrics are written in; split it" in found[0]
