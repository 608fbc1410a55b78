import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from loaders import budgets
from loaders.item import Ignored, Item, LoadError, Parsed, Reached, Rejected, WholePart
from loaders.job import run_load
from store import Budget
from tests.stores import new_store

NOW = datetime(2026, 3, 1, tzinfo=UTC)
DAILY_ALL = Budget(
    budget_id="daily-all",
    source="budgets",
    limit_usd=Decimal(5),
    scope="global",
    member=None,
    period="day",
    zone="America/New_York",
    thresholds=(Decimal("0.5"), Decimal("0.8"), Decimal(1)),
    action="block",
    exempt_triggers=("human",),
    unpriced_denied=("cron",),
)


def read(tmp_path: Path, text: str, name: str = "budgets.yaml") -> list[Item]:
    """The items. Where none is rejected, the file is a whole one, which is said last."""
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    found = list(budgets.read(path, now=NOW))
    items = [item for item in found if not isinstance(item, WholePart | Reached)]
    is_whole = not any(isinstance(item, Rejected) for item in items)
    assert found[len(items) :] == ([WholePart(str(path))] if is_whole else [])
    return items


def only_budget(items: list[Item]) -> Budget:
    [item] = items
    assert isinstance(item, Parsed), item
    [budget] = item.records
    assert isinstance(budget, Budget)
    assert budget.part is not None
    return replace(budget, part=None)


def reason(items: list[Item]) -> str:
    [item] = items
    assert isinstance(item, Rejected)
    return item.reason


def test_the_golden_budget_in_yaml(tmp_path: Path) -> None:
    items = read(
        tmp_path,
        """\
budgets:
  - budget_id: daily-all
    limit_usd: 5.00
    period: day
    zone: America/New_York
    thresholds: [0.5, 0.8, 1.0]
    action: block
    exempt_triggers: [human]
    unpriced_denied: [cron]
""",
    )

    assert only_budget(items) == DAILY_ALL


def test_csv_and_json_lines_say_the_same(tmp_path: Path) -> None:
    csv = read(
        tmp_path,
        "budget_id,limit_usd,scope,period,zone,thresholds,action,exempt_triggers,unpriced_denied\n"
        "daily-all,5.00,GLOBAL,DAY,America/New_York,1; 0.5 0.8,BLOCK,human,cron\n",
        "budgets.csv",
    )
    row = {
        "budget_id": "daily-all",
        "limit_usd": 5,
        "zone": "America/New_York",
        "thresholds": [0.5, 0.8, 1],
        "action": "block",
        "exempt_triggers": ["human", "HUMAN"],
        "unpriced_denied": "cron",
    }
    json_lines = read(tmp_path, json.dumps(row) + "\n", "budgets.jsonl")

    assert only_budget(csv) == only_budget(json_lines) == DAILY_ALL


def test_what_is_not_said_is_an_alert_a_day_in_utc(tmp_path: Path) -> None:
    assert only_budget(read(tmp_path, "- {budget_id: b, limit_usd: 0.1}\n")) == Budget(
        budget_id="b", source="budgets", limit_usd=Decimal("0.1")
    )


def test_a_limit_of_zero_stops_everything_and_is_allowed(tmp_path: Path) -> None:
    assert only_budget(read(tmp_path, "- {budget_id: b, limit_usd: 0, action: block}\n")).limit_usd == 0


def test_a_budget_may_be_of_one_member_or_of_each(tmp_path: Path) -> None:
    one = only_budget(read(tmp_path, "- {budget_id: b, limit_usd: 1, scope: agent, member: xavier, period: week}\n"))
    each = only_budget(read(tmp_path, "- {budget_id: b, limit_usd: 1, scope: session, period: month}\n"))

    assert (one.scope, one.member, one.period) == ("agent", "xavier", "week")
    assert (each.scope, each.member, each.period) == ("session", None, "month")


def test_an_empty_list_of_thresholds_tells_nothing(tmp_path: Path) -> None:
    assert only_budget(read(tmp_path, "- {budget_id: b, limit_usd: 1, thresholds: []}\n")).thresholds == ()


@pytest.mark.parametrize(
    ("said", "reasoned"),
    [
        ("limit_usd: -1", "limit_usd must not be negative, got '-1'"),
        ("limit_usd: ", "limit_usd must be a plain amount in USD like 1234.50, got empty"),
        ("limit_usd: unlimited", "limit_usd must be a plain amount in USD like 1234.50, got 'unlimited'"),
        ("limit_usd: .nan", "limit_usd must be a plain amount in USD like 1234.50, got '.nan'"),
        ("limit_usd: 1, currency: EUR", "currency is 'EUR': convert the amount to US dollars"),
        ("limit_usd: 1, zone: America/New_Yrok", "did you mean 'America/New_York'?, got 'America/New_Yrok'"),
        ("limit_usd: 1, zone: ../../etc/passwd", "zone must be the name of a time zone like America/New_York"),
        ("limit_usd: 1, zone: localtime", "zone must be the name of a time zone like America/New_York"),
        ("limit_usd: 1, zone: america/new_york", "zone must be the name of a time zone like America/New_York"),
        ("limit_usd: 1, period: year", "period must be one of day, week, month, got 'year'"),
        ("limit_usd: 1, action: bloc", "action must be one of alert, block; did you mean 'block'?, got 'bloc'"),
        ("limit_usd: 1, scope: agents", "scope must be one of global, agent, model, trigger, session; did you mean"),
        ("limit_usd: 1, member: xavier", "a global budget has no member, got 'xavier'"),
        ("limit_usd: 1, scope: trigger, member: crom", "member must be one of human, cron"),
        ("limit_usd: 1, exempt_triggers: [robots]", "exempt_triggers must be one of human, cron"),
        ("limit_usd: 1, exempt_triggers: {a: b}", "exempt_triggers must be text"),
        ("limit_usd: 1, thresholds: [80%]", "thresholds must be shares of the limit like 0.5 (0.8 is 80 %), got '80%'"),
        ("limit_usd: 1, thresholds: [80]", "thresholds are shares of the limit such as 0.8"),
        ("limit_usd: 1, thresholds: [0]", "thresholds are shares of the limit such as 0.8"),
        ("limit_usd: 1, thresholds: [[1]]", "thresholds must be shares of the limit like 0.5"),
        (f"limit_usd: 1, thresholds: {[1] * 21}", "thresholds has 21 values; at most 20 make sense"),
        ("limit_usd: 1, window: DAY", "unknown word 'window'"),
    ],
)
def test_a_budget_that_cannot_be_read_says_what_would_be_right(tmp_path: Path, said: str, reasoned: str) -> None:
    assert reasoned in reason(read(tmp_path, f"- {{budget_id: b, {said}}}\n"))


def test_a_repeated_budget_is_ignored_and_a_contradicting_one_rejected(tmp_path: Path) -> None:
    items = read(
        tmp_path,
        "- {budget_id: b, limit_usd: 1}\n"
        "- {budget_id: b, limit_usd: 1.00, period: day}\n"
        "- {budget_id: b, limit_usd: 2}\n",
    )

    assert [type(item) for item in items] == [Parsed, Ignored, Rejected]
    assert isinstance(items[2], Rejected)
    assert items[2].reason == (
        f"budget 'b' is already given at {tmp_path / 'budgets.yaml'}:1 with other values: remove one of the two"
    )


def test_a_file_of_something_else_stops_the_load_or_rejects_its_rows(tmp_path: Path) -> None:
    with pytest.raises(LoadError, match="unknown column 'account'"):
        read(tmp_path, "account,as_of_on,balance_usd\na,2026-01-01,1\n", "budgets.csv")
    assert reason(read(tmp_path, "- {account: a}\n")).startswith("unknown word 'account'")


def test_a_later_file_replaces_a_budget_of_the_same_id(tmp_path: Path) -> None:
    with new_store() as store:
        for limit in ("5", "8"):
            items = read(tmp_path, f"- {{budget_id: daily-all, limit_usd: {limit}, thresholds: [0.8]}}\n")
            run_load(store, "budgets", "budgets.yaml", items, now=NOW)
        rows = store.read("SELECT budget_id, limit_usd, thresholds, exempt_triggers FROM budgets").rows

    assert rows == [("daily-all", Decimal(8), [Decimal("0.8")], [])]


def test_a_budget_that_is_no_longer_in_its_file_is_no_longer_in_force(tmp_path: Path) -> None:
    path = tmp_path / "budgets.yaml"
    both = "- {budget_id: a, limit_usd: 1}\n- {budget_id: b, limit_usd: 2}\n"

    def load(text: str) -> list[str]:
        path.write_text(text)
        run_load(store, "budgets", str(path), budgets.read(path, now=NOW), now=NOW)
        return [str(name) for (name,) in store.read("SELECT budget_id FROM budgets ORDER BY 1").rows]

    with new_store() as store:
        assert load(both) == ["a", "b"]
        assert load("- {budget_id: a, limit_usd: 1}\n- {budget_id: c, limit_usd: lots}\n") == ["a", "b"]
        assert load("- {budget_id: a, limit_usd: 1}\n") == ["a"]
