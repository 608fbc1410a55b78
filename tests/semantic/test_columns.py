"""Which columns a catalog reads, so that a check can hold them against the tables."""

from pathlib import Path

from semantic import columns_used, load_catalog

WHOLE = Path(__file__).parent / "grammar.yaml"


def uses(text: str) -> set[tuple[str, str, str]]:
    return {(use.used_by, use.source, use.column) for use in columns_used(load_catalog(text))}


def test_each_part_of_a_file_tells_the_columns_that_it_reads() -> None:
    found = uses(
        """models:
  people: {source: main.people, key: person_id, dimensions: {city: string, home: {type: string, sql: lower(street)}}}
  rates: {source: rates, key: [currency, since]}
  runs:
    source: runs
    key: run_id
    time: started_at
    across_rows: depth
    joins:
      owner: {to: people, column: owner_id}
      rate: {to: rates, columns: {cur: currency}, as_of: {from: since, until: till, at: paid_at}}
metrics:
  cost: {sum: {model: runs, value: usd * rate.factor}, where: owner.age > 1 and owner.home = 'a', time: ended_at}
  joined:
    funnel: {start: runs, by: a, steps: [{name: again, model: runs, by: b, where: c = 1}], within: 1 day, output: count}
  later: {metric: cost, where: d = 1, change: {from: 1 month, as: ratio}}
filters: {big: {model: runs, where: owner.size > 1}}
policies: {own: {model: people, rows: email = :caller.email}}
"""
    )
    assert found == {
        ("the model 'people'", "main.people", "person_id"),
        ("the dimension 'city'", "main.people", "city"),
        ("the dimension 'home'", "main.people", "street"),
        ("the model 'rates'", "rates", "currency"),
        ("the model 'rates'", "rates", "since"),
        ("the model 'runs'", "runs", "run_id"),
        ("the model 'runs'", "runs", "started_at"),
        ("'across_rows' of the model 'runs'", "runs", "depth"),
        ("the join 'owner' of 'runs'", "runs", "owner_id"),
        ("the join 'owner' of 'runs'", "main.people", "person_id"),
        ("the join 'rate' of 'runs'", "runs", "cur"),
        ("the join 'rate' of 'runs'", "rates", "currency"),
        ("the join 'rate' of 'runs'", "rates", "since"),
        ("the join 'rate' of 'runs'", "rates", "till"),
        ("the join 'rate' of 'runs'", "runs", "paid_at"),
        ("the metric 'cost'", "runs", "usd"),
        ("the metric 'cost'", "runs", "ended_at"),
        ("the metric 'cost'", "rates", "factor"),
        ("the metric 'cost'", "main.people", "age"),
        ("the metric 'joined'", "runs", "a"),
        ("the metric 'joined'", "runs", "b"),
        ("the metric 'joined'", "runs", "c"),
        ("the metric 'later'", "runs", "d"),
        ("the filter 'big'", "main.people", "size"),
        ("the policy 'own'", "main.people", "email"),
    }


def test_a_use_is_told_once_where_the_file_says_so() -> None:
    told = list(columns_used(load_catalog(WHOLE.read_text(encoding="utf-8"), "shop.yaml")))
    assert len(told) == len(set(told))
    assert next(str(use.mark) for use in told if use.column == "quantity") == "shop.yaml:41:3"
