from datetime import UTC, datetime
from pathlib import Path

import pytest

from loaders import outcomes
from loaders.item import Item, LoadError, Parsed, Rejected
from store import Outcome

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def read(tmp_path: Path, text: str, name: str = "outcomes.csv") -> list[Item]:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return list(outcomes.read(path, now=NOW))


def only_outcome(items: list[Item]) -> Outcome:
    [item] = items
    assert isinstance(item, Parsed)
    [outcome] = item.records
    assert isinstance(outcome, Outcome)
    return outcome


def test_a_row_is_an_outcome_of_its_session(tmp_path: Path) -> None:
    items = read(
        tmp_path,
        "outcome_id,session_id,kind,is_success,occurred_at\npr-9,s1,PR_MERGED,true,2026-02-28T10:30:00+01:00\n",
    )

    assert only_outcome(items) == Outcome(
        outcome_id="pr-9",
        source="outcomes",
        session_id="s1",
        kind="PR_MERGED",
        is_success=True,
        occurred_at=datetime(2026, 2, 28, 9, 30, tzinfo=UTC),
    )


def test_without_an_id_the_session_and_the_kind_name_the_outcome(tmp_path: Path) -> None:
    outcome = only_outcome(read(tmp_path, "session_id,kind,is_success\ns1,IDLE_EXIT,\n"))

    assert outcome.outcome_id == "s1:IDLE_EXIT"
    assert outcome.is_success is None


def test_json_lines_say_the_same(tmp_path: Path) -> None:
    outcome = only_outcome(
        read(tmp_path, '{"session_id": "s1", "kind": "RUN", "is_success": false}\n', "outcomes.jsonl")
    )

    assert (outcome.outcome_id, outcome.is_success, outcome.occurred_at) == ("s1:RUN", False, None)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("s1,PR_MERGED,yes,", "is_success must be one of true, false, got 'yes'"),
        ("s1,PR_MERGED,,2026-02-28T10:30:00", "occurred_at has no zone: add the offset, like 2026-02-28T09:30:00Z"),
        ("s1,PR_MERGED,,1772271000", "occurred_at must be an instant like 2026-02-28T09:30:00Z"),
        ("s1,PR_MERGED,,2027-02-28T10:30:00Z", "occurred_at is in the future"),
        ("s1,PR_MERGED,,0001-01-01T00:00:00+05:00", "occurred_at is not within the years 1 to 9999"),
        ("s1,pr merged,,", "kind must be like PR_MERGED"),
        ("s1,,,", "kind must be text, got empty"),
        (",PR_MERGED,,", "session_id must be text, got empty"),
        (f"{'s' * 2000},PR_MERGED,,", "must be at most 1,024 characters"),
    ],
)
def test_a_row_that_cannot_be_read_says_what_would_be_right(tmp_path: Path, row: str, said: str) -> None:
    [item] = read(tmp_path, f"session_id,kind,is_success,occurred_at\n{row}\n")

    assert isinstance(item, Rejected)
    assert said in item.reason


def test_a_second_outcome_of_one_kind_needs_an_id_of_its_own(tmp_path: Path) -> None:
    header = "session_id,kind,is_success,occurred_at\n"
    items = read(tmp_path, header + "s1,PR_MERGED,true,2026-02-01T00:00:00Z\ns1,PR_MERGED,true,2026-02-02T00:00:00Z\n")

    assert isinstance(items[1], Rejected)
    assert items[1].reason.startswith("outcome 's1:PR_MERGED' is already given at ")


def test_an_unknown_key_stops_the_load(tmp_path: Path) -> None:
    with pytest.raises(LoadError, match="unknown column 'success'; did you mean 'is_success'"):
        read(tmp_path, '{"session_id": "s1", "kind": "RUN", "success": true}\n', "outcomes.jsonl")
