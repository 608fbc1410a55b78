"""Bodies in files: as a spool keeps them, and as the Collector writes them."""

import gzip
import json
from datetime import datetime
from pathlib import Path

import pytest
import zstandard

from loaders.item import Ignored, Item, LoadError, Note, Parsed, Rejected
from loaders.otlp import LOADER
from loaders.otlp.files import read
from store import Request
from tests.loaders.otlp.bodies import NOW, TRACE, Json, as_json, as_protobuf, logs, record, span, traces
from tests.loaders.otlp.test_events import CODEX
from tests.loaders.otlp.test_spans import CHAT

SPANS = traces(span(1, CHAT))
EVENTS = logs(record(CODEX))


def found(path: Path, now: datetime = NOW) -> list[Item | Note]:
    return list(read(path, now=now))


def keys(path: Path) -> list[str]:
    items = [item for item in found(path) if isinstance(item, Parsed)]
    return [one.request_key for item in items for one in item.records if isinstance(one, Request)]


def test_the_name_of_a_file_says_what_is_in_it(tmp_path: Path) -> None:
    (tmp_path / "a.traces.json").write_bytes(as_json(SPANS))
    (tmp_path / "b.traces.pb.gz").write_bytes(gzip.compress(as_protobuf("traces", SPANS)))
    (tmp_path / "deeper").mkdir()
    (tmp_path / "deeper" / "c.logs.pb.zst").write_bytes(zstandard.compress(as_protobuf("logs", EVENTS)))
    (tmp_path / "notes.txt").write_text("not ours")
    (tmp_path / ".d.traces.json").write_text("still being written")
    span_key, _, event_key = keys(tmp_path)
    assert (span_key[:5], event_key[:18]) == ("otlp:", "otlp-events:codex:")
    ignored = [item.rule for item in found(tmp_path) if isinstance(item, Ignored)]
    assert ignored == ["a file that is no body of OTLP by its name"]


def test_a_collectors_file_has_a_request_of_any_signal_in_each_line(tmp_path: Path) -> None:
    path = tmp_path / "export.jsonl"
    lines = [as_json(SPANS), b'{"something": "else"}', as_json(EVENTS), b'{"resourceSpans": [']
    path.write_bytes(b"\n".join(lines) + b"\n")
    span_item, stranger, event_item, broken = found(path)
    assert isinstance(span_item, Parsed)
    assert str(span_item.location) == f"{path}:1:1"
    assert isinstance(event_item, Parsed)
    assert isinstance(stranger, Rejected)
    assert stranger.reason.startswith("must be an export request that begins with resourceSpans")
    assert isinstance(broken, Rejected)
    assert (str(broken.location), broken.raw) == (f"{path}:4", "")


def test_a_span_around_a_call_of_another_line_or_file_is_no_other_call(tmp_path: Path) -> None:
    """Two instrumentations of one program: what has ended is exported, the inner span first."""
    inner, outer = as_json(traces(span(2, CHAT, parent=1))), as_json(traces(span(1, CHAT)))
    (tmp_path / "a.jsonl").write_bytes(inner + b"\n" + outer + b"\n")
    (tmp_path / "b.traces.json").write_bytes(outer)
    assert keys(tmp_path) == [f"otlp:{TRACE}/{2:016x}"]
    assert keys(tmp_path / "b.traces.json") == [f"otlp:{TRACE}/{1:016x}"]


@pytest.mark.parametrize("body", [b"", b"no json", b"\x1f\x8b"])
def test_a_body_that_cannot_be_read_is_rejected_with_its_place(body: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.traces.json").write_bytes(body)
    (item,) = found(tmp_path)
    assert isinstance(item, Rejected)
    assert str(item.location) == str(tmp_path / "a.traces.json")


def test_a_span_that_is_wrong_is_rejected_with_its_number(tmp_path: Path) -> None:
    document: Json = traces(span(1, CHAT), span(2, CHAT) | {"spanId": "short"})
    (tmp_path / "a.traces.json").write_text(json.dumps(document))
    _, item = found(tmp_path)
    assert isinstance(item, Rejected)
    assert str(item.location) == f"{tmp_path / 'a.traces.json'}:2"


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside.traces.json"
    outside.write_bytes(as_json(SPANS))
    (tmp_path / "bodies").mkdir()
    (tmp_path / "bodies" / "a.traces.json").symlink_to(outside)
    (item,) = found(tmp_path / "bodies")
    assert isinstance(item, Rejected)
    assert "links out of the directory are not followed" in item.reason


def test_a_place_where_nothing_is_cannot_be_loaded(tmp_path: Path) -> None:
    with pytest.raises(LoadError, match="there is no such file or folder"):
        read(tmp_path / "nowhere", now=NOW)


def test_its_size_is_that_of_its_files(tmp_path: Path) -> None:
    (tmp_path / "a.traces.json").write_bytes(b"12345")
    assert LOADER.size is not None
    assert LOADER.size(tmp_path) == 5
