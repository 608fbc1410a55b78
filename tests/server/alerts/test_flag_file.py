"""The flag file: there while money is overspent, whole or not at all, and never somebody else's."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from server.alerts.flag_file import FlagFile, FlagFileError
from tests.server.alerts.boxes import NOON, closed, standing


@pytest.fixture
def flag(tmp_path: Path) -> FlagFile:
    return FlagFile(tmp_path / "over-budget")


def test_it_comes_with_an_overspend_and_goes_with_the_recovery(flag: FlagFile) -> None:
    assert flag.set([standing()], NOON)
    (line,) = flag.path.read_text().splitlines()
    said = json.loads(line)
    assert (said["written_by"], said["since"]) == ("clawback", "2026-02-20T12:00:00Z")
    assert [(b["budget_id"], b["spent_usd"], b["limit_usd"]) for b in said["budgets"]] == [("daily", "5.25", "5")]
    assert not flag.set([closed()], NOON)
    assert list(flag.path.parent.iterdir()) == []


def test_it_stays_as_it_was_written_while_the_overspend_lasts(flag: FlagFile) -> None:
    flag.set([standing()], NOON)
    before = (flag.path.read_text(), flag.path.stat().st_mtime_ns)
    assert flag.set([standing()], NOON + timedelta(hours=1))
    assert (flag.path.read_text(), flag.path.stat().st_mtime_ns) == before
    assert flag.set([standing(), standing(budget_id="monthly")], NOON + timedelta(hours=2))
    assert len(json.loads(flag.path.read_text())["budgets"]) == 2


@pytest.mark.parametrize(
    "other", [standing(scope="agent", member="scout"), standing(blocks=False), standing(state="CLOSED")]
)
def test_one_member_or_a_budget_that_only_tells_stops_nobody(flag: FlagFile, other: object) -> None:
    assert not flag.set([other], NOON)  # type: ignore[list-item]
    assert not flag.path.exists()


@pytest.mark.parametrize("content", ["", "stop\n", "{}", "[]", '{"written_by": "somebody"}', "[" * 100_000])
def test_a_file_of_somebody_else_is_neither_removed_nor_replaced(flag: FlagFile, content: str) -> None:
    flag.path.write_text(content)
    for standings in ([standing()], [closed()]):
        with pytest.raises(FlagFileError, match="was not written by Clawback, so it is left as it is; move it away"):
            flag.set(standings, NOON)
        assert flag.path.read_text() == content


def test_a_directory_or_a_link_is_not_ours(flag: FlagFile, tmp_path: Path) -> None:
    flag.path.mkdir()
    with pytest.raises(FlagFileError, match="was not written by Clawback"):
        flag.set([standing()], NOON)
    flag.path.rmdir()
    flag.path.symlink_to(tmp_path / "nowhere")
    with pytest.raises(FlagFileError, match="was not written by Clawback"):
        flag.set([standing()], NOON)


def test_a_directory_that_is_not_there_is_told(tmp_path: Path) -> None:
    flag = FlagFile(tmp_path / "missing" / "flag")
    with pytest.raises(FlagFileError, match="could not be written: No such file or directory; make its directory"):
        flag.set([standing()], NOON)
    assert not flag.set([closed()], NOON)


@pytest.mark.parametrize("path", ["/proc/clawback-flag", "/dev/null/flag"])
def test_a_place_that_nobody_can_write_to_is_told(path: str) -> None:
    with pytest.raises(FlagFileError, match=r"could not be written: .*; make its directory, and let this user write"):
        FlagFile(Path(path)).set([standing()], NOON)
