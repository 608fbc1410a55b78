"""The gauges, read back by the parser of Prometheus's own client library."""

from datetime import timedelta
from decimal import Decimal

from prometheus_client.parser import text_string_to_metric_families

from finance.budgets import Standing, Window
from server.alerts.exposition import Delivery, Evaluation, daily_budget, exposition
from tests.server.alerts.boxes import MIDNIGHT, NOON, closed, standing

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def page(*standings: Standing, **fields: object) -> str:
    return exposition(Evaluation(tuple(standings), NOON, **fields))  # type: ignore[arg-type]


def samples(text: str) -> Samples:
    """Fails where a sample is there twice."""
    found: Samples = {}
    for family in text_string_to_metric_families(text):
        assert family.type == "gauge"
        assert family.documentation
        for sample in family.samples:
            key = sample.name, frozenset(sample.labels.items())
            assert key not in found
            found[key] = sample.value
    return found


def of_budget(name: str, text: str, **labels: str) -> float:
    given = {"budget": "daily", "scope": "global", "member": "", **labels}
    return samples(text)[f"clawback_budget_{name}", frozenset(given.items())]


def test_the_three_gauges_of_the_daily_budget_keep_their_names() -> None:
    lines = page(closed()).splitlines()
    assert "openclaw_daily_cost_usd 0.17" in lines
    assert "openclaw_budget_max_usd 5" in lines
    assert "openclaw_budget_exceeded 0" in lines
    assert "openclaw_budget_exceeded 1" in page(standing()).splitlines()


def test_money_is_written_without_an_exponent_and_credits_are_negative() -> None:
    text = page(closed(spent_usd=Decimal("-0.000000000001"), limit_usd=Decimal("1E+3")))
    assert "openclaw_daily_cost_usd -0.000000000001" in text.splitlines()
    assert "openclaw_budget_max_usd 1000" in text.splitlines()


def test_a_cost_that_is_not_known_is_no_zero() -> None:
    unknown = page(closed(spent_usd=Decimal(0), unpriced_requests=4))
    assert "openclaw_daily_cost_usd NaN" in unknown.splitlines()
    assert "clawback_unpriced_requests 4" in unknown.splitlines()
    nothing = page(closed(spent_usd=Decimal(0)))
    assert "openclaw_daily_cost_usd 0" in nothing.splitlines()


def test_without_a_daily_budget_or_an_answer_nothing_is_said_of_it() -> None:
    for text in (page(), page(standing(scope="agent", member="x")), page(error="the store is closed")):
        assert "openclaw_" not in text
    assert samples(page(error="closed"))["clawback_budget_evaluation_success", frozenset()] == 0


def test_the_daily_budget_is_the_one_called_so_else_the_lowest() -> None:
    month = Window("2026-02", MIDNIGHT, MIDNIGHT + timedelta(days=28))
    low, high = standing(budget_id="low", limit_usd=Decimal(1)), standing(budget_id="high")
    assert daily_budget([standing(window=month), high, low]) == low
    assert daily_budget([low, high, standing()]) == standing()
    assert daily_budget([standing(window=month)]) is None


def test_every_budget_and_member_has_its_gauges() -> None:
    scout = standing(
        budget_id="each", scope="agent", member="scout", projected_usd=Decimal("9.5"), held_usd=Decimal("0.25")
    )
    text = page(closed(), scout, deliveries=(Delivery("matrix #ops:example.org", False, 3),))
    labels = {"budget": "each", "scope": "agent", "member": "scout"}
    names = ("limit_usd", "spent_usd", "held_usd", "open", "blocks", "projected_usd")
    assert [of_budget(n, text, **labels) for n in names] == [5, 5.25, 0.25, 1, 1, 9.5]
    assert of_budget("window_end_timestamp_seconds", text) == (MIDNIGHT + timedelta(days=1)).timestamp()
    channel = frozenset({("channel", "matrix #ops:example.org")})
    assert samples(text)["clawback_alerts_waiting", channel] == 3
    assert samples(text)["clawback_alert_channel_up", channel] == 0


def test_names_of_any_kind_are_read_back() -> None:
    odd = ['quote " and \\ back', "a\nb", "z" * 5000, "z" * 5000 + "!", "", "ünï", "}", "\x00"]
    text = page(*(standing(budget_id="b", scope="agent", member=name) for name in odd))
    spent = [dict(labels)["member"] for name, labels in samples(text) if name == "clawback_budget_spent_usd"]
    assert len(set(spent)) == len(odd)
    assert {'quote " and \\ back', "a\\nb", "ünï", "}"} <= set(spent)
    assert max(map(len, spent)) <= 120


def test_the_page_is_bounded_and_says_what_it_leaves_out() -> None:
    many = [closed(budget_id="each", scope="agent", member=f"a{n}", spent_usd=Decimal(n) / 1000) for n in range(5_000)]
    text = page(
        *many, standing(budget_id="each", scope="agent", member="over", spent_usd=Decimal(0), limit_usd=Decimal(0))
    )
    shown = {dict(labels)["member"] for name, labels in samples(text) if name == "clawback_budget_spent_usd"}
    assert len(shown) == 200
    assert {"over", "a4999"} <= shown
    assert samples(text)["clawback_budget_series_left_out", frozenset()] == 4_801


def test_of_two_windows_of_one_budget_the_newer_is_shown() -> None:
    day = Window("2026-02-21", MIDNIGHT + timedelta(days=1), MIDNIGHT + timedelta(days=2))
    assert of_budget("spent_usd", page(closed(window=day), standing())) == 0.17
