"""The lines of a session's transcript: its header, what it copied, and its entries linked to a tree."""

from collections.abc import Mapping

import orjson

from server.demo.entries import entries
from server.demo.messages import Entry, entry_id
from server.demo.session import PlannedSession, iso

STATE = "/home/claw/.openclaw"
"""Where the example company believes its OpenClaw to live."""


def transcript(session: PlannedSession) -> list[bytes]:
    copied: list[dict[str, object]] = []
    if parent := session.forked_from:
        copied = _linked(parent, [entry for entry in entries(parent) if entry.at_ms < session.started_ms], None)
    own = _linked(session, entries(session), str(copied[-1]["id"]) if copied else None)
    return [line(record) for record in (_header(session), *copied, *own)]


def until_compaction(lines: list[bytes]) -> list[bytes]:
    """What a checkpoint keeps: the transcript as it was before a summary took the place of its history."""
    return lines[: next(n for n, text in enumerate(lines) if text.startswith(b'{"type":"compaction"'))]


def line(record: Mapping[str, object]) -> bytes:
    return orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE)


def _header(session: PlannedSession) -> dict[str, object]:
    header: dict[str, object] = {
        "type": "session",
        "version": 3,
        "id": session.session_id,
        "timestamp": iso(session.started_ms),
        "cwd": f"{STATE}/workspace-{session.agent}",
    }
    return header | ({"parentSession": session.forked_from.session_id} if session.forked_from else {})


def _linked(session: PlannedSession, unlinked: list[Entry], follows: str | None) -> list[dict[str, object]]:
    """Each entry follows the one before it, or the one that it names, or `follows` where it is the first."""
    ids = [entry_id(session, n) for n in range(len(unlinked))]
    linked: list[dict[str, object]] = []
    for n, entry in enumerate(unlinked):
        after = n - 1 if entry.after is None else entry.after
        place = {"id": ids[n], "parentId": ids[after] if after >= 0 else follows, "timestamp": iso(entry.at_ms)}
        linked.append({"type": entry.type, **place, **entry.fields})
    return linked
