"""Each mistake that a metrics file can have is told at its place, with what would be right."""

from pathlib import Path

import pytest

from semantic import CatalogError, load_catalog

FILE = Path(__file__).parent / "mistakes.txt"
"""A sound file, then what each case adds to it and all that is told of it."""
HEAD, *CASES = FILE.read_text(encoding="utf-8").split("----\n")


def told(text: str) -> list[str]:
    """The mistakes of a file, without its name."""
    with pytest.raises(CatalogError) as caught:
        load_catalog(text, "")
    return [str(mistake).removeprefix(":") for mistake in caught.value.mistakes]


def test_the_file_that_the_cases_are_added_to_has_no_mistake() -> None:
    assert "place" in load_catalog(HEAD).metrics


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.strip().partition("\n")[0][:90])
def test_a_mistake_is_told_at_its_place_with_what_would_be_right(case: str) -> None:
    added, *expected = case.split("=> ")
    assert told(HEAD + added) == [line.strip() for line in expected]


MODELS = """models:
  people: {source: people, key: id, dimensions: {name: string}}
  prices: {source: prices, key: [product, since]}
  calls:
    source: calls
    key: call_id
    joins:
      person: %s
metrics: {}
"""


@pytest.mark.parametrize(
    ("join", "mistake"),
    [
        ("poeple", "8:15: there is no model 'poeple'; did you mean 'people'?"),
        ("{column: a}", "8:15: 'to:' is missing"),
        ("{to: people, kind: many}", "8:34: kind: is many_to_one or one_to_one, not 'many'"),
        ("{to: people, column: a, columns: {a: id}}", "8:36: give either column: or columns:, not both"),
        ("{to: people, columns: {}}", "8:37: a join pairs at least one column"),
        ("{to: people, columns: [a]}", "8:37: expected a mapping from own columns to those of the other model"),
        ("{to: people, column: a b}", "8:36: 'a b' is not the name of a column"),
        (
            "prices",
            (
                "8:15: 'prices' has a key of 2 columns; pair them, own column first: "
                "columns: {product: product, since: since}"
            ),
        ),
        (
            "{to: people, columns: {a: name}}",
            (
                "8:37: the join pairs name, but the key of 'people' is id: rows would repeat; pair the whole key, or "
                "say kind: one_to_one where these columns are unique, too"
            ),
        ),
        (
            "{to: prices, columns: {product: product}, as_of: from_day}",
            "8:64: the model 'calls' has no time; say which column is the moment: at: COLUMN",
        ),
        (
            "{to: prices, columns: {product: product}, as_of: {from: day, at: called_at}}",
            (
                "8:37: the join pairs product, day, but the key of 'prices' is product, since: rows would repeat; pair "
                "the whole key, or say kind: one_to_one where these columns are unique, too"
            ),
        ),
        ("{to: prices, as_of: {at: called_at}}", "8:35: 'from:' is missing"),
    ],
)
def test_a_join_that_could_repeat_rows_or_find_nothing_is_refused(join: str, mistake: str) -> None:
    assert told(MODELS % join) == [mistake]


def test_ten_mistakes_of_ten_kinds_are_ten_errors_each_with_line_column_and_what_would_be_right() -> None:
    text = """version: 1
defaults: {time_zone: Europe/Berln}
calendar: {grains: {sprint: {every: 2 wekes, from: 2026-01-05}}}
models:
  people: {source: people, key: person_id, dimensions: {team: string, size: intger}}
  runs:
    source: runs
    key: run_id
    time: started_at
    joins: {owner: pepole}
    dimensions: {model: string}
metrics:
  cost: {sum: runs.usd, unt: USD}
  failed: {count: runs, where: status = 'failed}
  people: {count: people, where: ownr.team = 'a'}
  cost_share: {metric: failed, share: {of: [modle]}}
  rate: {expr: runs_failed / cost}
  recent: {metric: cost, rolling: {window: 30 days, average: mnth}}
"""
    assert told(text) == [
        "2:23: 'Europe/Berln' is not a time zone; did you mean 'Europe/Berlin'?",
        "3:37: a grain is a length of time, such as 30 days or 1 month; this is '2 wekes'",
        "5:77: 'intger' is not a type of dimension; did you mean 'integer'?",
        "10:20: there is no model 'pepole'; did you mean 'people'?",
        "13:25: unknown key 'unt'; did you mean 'unit'?",
        "14:32: a condition that cannot be read: a quote is not closed",
        "15:34: 'people' has no join 'ownr'; there are none",
        "16:45: there is no dimension 'modle'; did you mean 'model'?",
        "17:16: 'runs_failed' is not a metric; did you mean 'failed'?",
        "18:62: average: is day, week, month, quarter or year, not 'mnth'",
    ]


def test_what_rests_on_a_mistake_is_not_told_as_well() -> None:
    text = """models:
  runs: {source: runs, key: 5 5, time: 7 7, joins: {owner: nobody}, dimensions: {team: strng}}
metrics:
  cost: {sum: runs.usd, rolling: 3 dayz, where: owner.name = 'a'}
  share: {metric: cost, share: {of: [team]}}
  growth: {metric: share, change: {from: 1 month, as: percent}}
  ratio: {expr: growth / cost}
  changed: {metric: ratio, where: owner.boss.name = 'a'}
"""
    assert told(text) == [
        "2:29: '5 5' is not the name of a column",
        "2:40: '7 7' is not the name of a column",
        "2:60: there is no model 'nobody'; there are: runs",
        "2:88: 'strng' is not a type of dimension; did you mean 'string'?",
        "4:34: a window is a length of time, such as 30 days or 1 month; this is '3 dayz'",
    ]


def test_a_thousand_mistakes_are_enough() -> None:
    found = told("models: {}\nmetrics:\n" + "".join(f"  m{n}: {{cuont: runs}}\n" for n in range(1_200)))
    assert len(found) == 1_001
    assert found[-1] == "1002:10: unknown key 'cuont'; did you mean 'count'?"
    assert found[-2] == "1002:10: these are 1,000 mistakes; there may be more"


def test_chains_and_circles_of_thousands_are_read_or_told() -> None:
    head = "models: {runs: {source: runs, key: id, time: at}}\nmetrics:\n  m0: {count: runs}\n"
    varied = "".join(f"  m{n}: {{metric: m{n - 1}, time: at{n}}}\n" for n in range(1_200, 0, -1))
    assert len(load_catalog(head + varied).metrics) == 1_201
    deep = "".join(f"  m{n}: {{expr: m{n - 1} + 1}}\n" for n in range(1, 1_200))
    assert told(head + deep) == ["103:3: 'm100' has 101 levels once its metrics are written in; split it"]
    circle = "".join(f"  m{n}: {{expr: m{n % 1_200 + 1}}}\n" for n in range(1, 1_201))
    (mistake,) = told(head + circle)
    assert mistake.startswith("4:3: 'm1' rests on itself: m1 -> m2 -> m3")


def test_an_alias_that_holds_itself_is_told() -> None:
    assert told("models: &all {runs: *all}\nmetrics: *all")[0].startswith("1:")
