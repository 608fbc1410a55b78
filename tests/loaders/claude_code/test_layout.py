"""Which files are read, wherever the user points."""

import gzip
from collections.abc import Iterator
from pathlib import Path

import pytest

from loaders.claude_code import paths, read
from loaders.item import LoadError
from loaders.source import total_bytes
from tests.loaders.claude_code.conftest import NOW, SESSION, Write, answer, items, reasons, requests, rules, user


def test_every_folder_above_a_transcript_will_do(write: Write, projects: Path) -> None:
    session = write(user(), answer())
    agent = write(answer(), name=f"{SESSION}/subagents/agent-a1.jsonl")
    for home in (projects.parent, projects, projects / "-srv-claw"):
        assert paths(home) == [agent, session]
    assert paths(session) == [session]
    assert paths(agent) == [agent]


def test_a_sub_agent_is_found_at_any_depth_below_its_session(write: Write, projects: Path) -> None:
    path = write(answer(sessionId=None), name=f"{SESSION}/subagents/workflows/w1/agent-a1.jsonl")
    assert paths(projects) == [path]
    assert [call.session_id for call in requests(items(projects))] == [f"{SESSION}/agent-a1"]
    at_session = projects / "-srv-claw" / SESSION
    assert [call.session_id for call in requests(items(at_session))] == [f"{SESSION}/agent-a1"]


def test_other_files_are_ignored_one_by_one(write: Write, projects: Path) -> None:
    write(answer())
    for name in (
        "sessions-index.json",
        f"{SESSION}/tool-results/rows.jsonl",
        f"{SESSION}/subagents/agent-a1.meta.json",
        f"{SESSION}/subagents/journal.jsonl",
    ):
        write("{}", name=name)
    assert rules(items(projects)) == ["not a transcript"] * 4


def test_a_compressed_transcript_is_read(write: Write) -> None:
    path = write(user(), answer())
    packed = path.with_name(f"{path.name}.gz")
    packed.write_bytes(gzip.compress(path.read_bytes()))
    path.unlink()
    assert len(requests(items(packed))) == 1


def test_a_link_out_of_the_folder_is_not_followed(write: Write, projects: Path, tmp_path: Path) -> None:
    write(answer())
    (tmp_path / "elsewhere.jsonl").write_text("{}\n")
    (projects / "-srv-claw" / "link.jsonl").symlink_to(tmp_path / "elsewhere.jsonl")
    (reason,) = reasons(items(projects))
    assert "links out of the directory are not followed" in reason


def test_a_link_in_a_circle_is_not_walked(write: Write, projects: Path) -> None:
    write(answer())
    (projects / "again").symlink_to(projects)
    found = items(projects)
    assert len(requests(found)) == 1
    assert rules(found) == ["link to a folder that is read in its own place"]


def test_the_bytes_told_are_the_bytes_of_the_files(write: Write, projects: Path) -> None:
    write(user(), answer())
    told: list[int] = []
    assert list(read(projects, now=NOW, on_bytes=told.append))
    assert sum(told) == total_bytes(paths(projects)) > 0


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("absent", "absent is no folder and no .jsonl file"),
        ("notes.txt", "notes.txt is no folder and no .jsonl file"),
        ("empty", "empty holds no transcript of Claude Code"),
        ("linked", "links out of the directory are not followed"),
    ],
)
def test_where_there_is_nothing_to_read_the_load_is_refused_at_once(tmp_path: Path, name: str, problem: str) -> None:
    (tmp_path / "notes.txt").write_text("{}")
    (tmp_path / "empty").mkdir()
    (tmp_path / "linked").mkdir()
    (tmp_path / "linked" / "a.jsonl").symlink_to(tmp_path / "notes.txt")
    with pytest.raises(LoadError) as refused:
        read(tmp_path / name, now=NOW)
    assert problem in str(refused.value)
    assert "give ~/.claude/projects, the folder of one project in it, or one <session>.jsonl" in str(refused.value)


def test_a_folder_that_cannot_be_listed_is_rejected(
    write: Write, projects: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(answer())
    locked, listed = projects / "locked", Path.iterdir
    locked.mkdir()

    def refuse(folder: Path) -> Iterator[Path]:
        if folder == locked:
            raise PermissionError(13, "Permission denied")
        return listed(folder)

    monkeypatch.setattr(Path, "iterdir", refuse)  # file modes do not bind the root user, whom CI may be
    found = items(projects)
    assert (reasons(found), len(requests(found))) == (["cannot be listed: Permission denied"], 1)


def test_an_archive_that_is_cut_off_is_read_up_to_the_cut(write: Write) -> None:
    path = write(user(), answer())
    packed = path.with_name(f"{path.name}.gz")
    packed.write_bytes(gzip.compress(path.read_bytes())[:-4])
    found = items(packed)
    assert len(requests(found)) == 1
    (reason,) = reasons(found)
    assert reason.startswith("the archive is cut off")


def test_a_transcript_of_nothing_gives_nothing(write: Write) -> None:
    assert items(write()) == []
