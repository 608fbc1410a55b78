"""`outcomes:` of a metrics file: what it means, and every mistake at its place."""

import pytest

from semantic import CatalogError, load_catalog
from semantic.outcome import OutcomeRule, window_of
from semantic.periods import Duration, Unit

HEAD = "models: {s: {source: s, key: id}}\nmetrics: {n: {count: s}}\noutcomes:\n"


def rules(*lines: str) -> dict[str, OutcomeRule]:
    return dict(load_catalog(HEAD + "".join(f"  {line}\n" for line in lines)).outcomes)


def mistakes(*lines: str) -> str:
    with pytest.raises(CatalogError) as told:
        rules(*lines)
    return str(told.value)


def test_a_rule_says_what_a_kind_means() -> None:
    found = rules(
        "A: {awaits: B, window: 7 days}",
        "B: {success: true}",
        "C: {reverses: [B], within: 36 hours}",
        "D: {idle: true}",
    )
    assert found["A"].awaits == ("B",)
    assert found["A"].window == Duration(7, Unit.DAY)
    assert (found["B"].success, found["C"].within, found["D"].is_idle) == (True, Duration(36, Unit.HOUR), True)
    assert found["C"].success is None


def test_what_is_awaited_has_the_longest_window_of_those_that_wait_and_a_reversal_that_of_what_it_takes_back() -> None:
    found = rules(
        "A: {awaits: [B], window: 7 days}",
        "E: {awaits: [B], window: 2 weeks}",
        "B: {success: true}",
        "C: {reverses: [B]}",
    )
    assert {kind: window_of(found, kind) for kind in found} == {"A": 10080, "E": 20160, "B": 20160, "C": 20160}


def test_a_kind_without_a_window_counts_at_any_time() -> None:
    assert window_of(rules("RUN: {success: true}"), "RUN") is None


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("A: {window: 0 days}", ":4:15: a window is a length of time"),
        ("A: {window: 1 month}", "a window of an outcome has a fixed length, such as 7 days; a month has none"),
        ("A: {awaits: [BB], window: 7 days}", "there is no rule for the kind 'BB'"),
        ("A: {awaits: [B]}", "'A' awaits something and does not say how long; add window: 7 days"),
        ("A: {awaits: [A], window: 7 days}", "'A' awaits itself: A -> A"),
        ("A: {reverses: [A]}", "'A' reverses itself: A -> A"),
        ("A: {within: 7 days}", "within: is for what 'A' takes back"),
        ("A: {success: true, reverses: [B]}", "'A' takes back a success and cannot be one"),
        ("A: {success: true, awaits: [B], window: 1 day}", "'A' is decided, so it awaits nothing"),
        ("A: {idle: true, window: 1 day}", "'A' is idle, so there was no task"),
        ("A: {sucess: true}", "unknown key 'sucess'; did you mean 'success'?"),
        ("A: {success: perhaps}", "success: is true or false, not 'perhaps'"),
        ("pr_merged: {success: true}", "'pr_merged' cannot name a kind of outcome"),
    ],
)
def test_a_mistake_is_told_with_what_would_be_right(line: str, told: str) -> None:
    assert told in mistakes(line, "B: {success: true}")


def test_kinds_that_wait_for_each_other_are_a_mistake() -> None:
    assert "A -> B -> A" in mistakes("A: {awaits: [B], window: 1 day}", "B: {awaits: [A], window: 1 day}")


def test_all_mistakes_are_told_at_once() -> None:
    told = mistakes("A: {window: 0 days}", "b: {}", "C: {zzz: 1}")
    assert told.count("metrics.yaml:") == 3
