"""Which files are read, wherever the user points, and the forms that the first releases wrote."""

import gzip
import json
from pathlib import Path

import pytest
import zstandard

from loaders import codex
from loaders.codex import paths, read
from loaders.item import Ignored, LoadError, Parsed
from loaders.source import total_bytes
from store import Store
from tests.loaders.codex.conftest import (
    BORN,
    NOW,
    SESSION,
    Json,
    Write,
    conversation,
    items,
    load,
    reasons,
    requests,
    rules,
    sessions,
)

OLD_ID = "6f1d2c3b-0000-4000-8000-000000000001"
SAID: Json = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "done"}]}


def test_every_folder_above_a_rollout_will_do(write: Write, home: Path) -> None:
    path = write(*conversation())
    archived = write(*conversation(), name=f"archived_sessions/rollout-2026-03-04T10-00-00-{SESSION}.jsonl")
    assert paths(home) == [path, archived]
    assert paths(home / "sessions") == paths(path.parent) == paths(path) == [path]


def test_nothing_but_sessions_is_looked_at_in_a_home(write: Write, home: Path) -> None:
    write(*conversation())
    (home / "auth.json").write_text("{}")
    (home / "history.jsonl").write_text("{}\n")
    assert [item.location.path for item in items(home) if "rollout-" not in item.location.path] == []


def test_other_files_among_the_sessions_are_ignored_one_by_one(write: Write, home: Path) -> None:
    path = write(*conversation())
    (path.parent / "notes.txt").write_text("x")
    assert rules(items(home)).count("not a rollout") == 1


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress], ids=["gz", "zst"])
def test_a_compressed_rollout_beside_its_plain_form_counts_once(write: Write, pack: object) -> None:
    assert callable(pack)
    path = write(*conversation())
    packed = path.with_name(f"{path.name}.{'gz' if pack is gzip.compress else 'zst'}")
    packed.write_bytes(pack(path.read_bytes()))
    assert paths(path.parent) == [path, packed]
    assert requests(items(packed)) == requests(items(path))


def test_a_link_out_of_the_home_is_not_followed(write: Write, home: Path, tmp_path: Path) -> None:
    path = write(*conversation())
    (tmp_path / "elsewhere.jsonl").write_text("{}\n")
    (path.parent / "rollout-link.jsonl").symlink_to(tmp_path / "elsewhere.jsonl")
    (reason,) = reasons(items(home))
    assert "links out of the directory are not followed" in reason


def test_the_bytes_that_are_told_add_up_to_the_size_of_the_files(write: Write, home: Path) -> None:
    write(*conversation())
    told: list[int] = []
    list(read(home, now=NOW, on_bytes=told.append))
    assert sum(told) == total_bytes(paths(home)) > 0


@pytest.mark.parametrize("name", ["nowhere", "empty", "notes.txt"])
def test_a_place_without_rollouts_says_what_would_be_right(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(LoadError, match=r"give ~/\.codex, its folder sessions, or one rollout-<time>-<id>\.jsonl"):
        read(tmp_path / name, now=NOW)


def test_loading_again_changes_nothing(write: Write, store: Store, home: Path) -> None:
    write(*conversation())
    first, second = load(store, home), load(store, home)
    assert (first.read, first.stored, first.rejected) == (9, 3, 0)
    assert (second.read, second.stored) == (9, 0)


def test_the_form_without_envelopes_gives_a_session_and_no_calls(write: Write) -> None:
    header: Json = {"id": OLD_ID, "timestamp": BORN, "instructions": None}
    path = write(header, {"record_type": "state"}, SAID, session=OLD_ID)
    found = items(path)
    assert [(s.session_id, str(s.started_at), s.termination) for s in sessions(found)] == [
        (OLD_ID, "2026-03-04 09:00:00+00:00", "success")
    ]
    assert len(found) == 3
    assert requests(found) == []


def test_the_form_of_one_document_gives_a_session_and_an_item_for_each_entry(home: Path) -> None:
    path = home / "sessions" / f"rollout-2025-05-07-{OLD_ID}.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"session": {"id": OLD_ID, "timestamp": BORN}, "items": [SAID, SAID, 7]}, indent=2))
    found = items(home)
    assert [type(item) for item in found[:3]] == [Parsed, Ignored, Ignored]
    assert [session.session_id for session in sessions(found)] == [OLD_ID]
    assert reasons(found) == ["must be a JSON object like {...}, got 7"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("{", "is not JSON: Expecting property name enclosed in double quotes at character 2"),
        ('{"session": {}}', "items is missing; a rollout of this form has a session and a list of items"),
    ],
)
def test_a_document_that_is_none_is_rejected(home: Path, content: str, reason: str) -> None:
    path = home / "sessions" / "rollout-2025-05-07-x.json"
    path.parent.mkdir(parents=True)
    path.write_text(content)
    assert reasons(items(home)) == [reason]


def test_it_is_a_loader_with_a_name() -> None:
    assert (codex.LOADER.name, codex.LOADER.schedule) == ("codex", "*/15 * * * *")
