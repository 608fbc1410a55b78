"""What happens in a session, in order, before each entry gets its place in the tree: pure functions of the plan."""

from server.demo.messages import Entry, assistant, entry_id, mirror, run_id, tool_result, user
from server.demo.session import Call, PlannedSession


def entries(session: PlannedSession) -> list[Entry]:
    found = _opening(session)
    first = len(found) - 1
    if not session.calls:
        return [*found, user(session, session.started_ms + 200, 0, None), _prompt_error(session)]
    turn = 0
    for n, call in enumerate(session.calls):
        if n == 0 or session.calls[n - 1].stop == "stop":
            takes_back = session.twist == "rewound" and turn == 1
            found.append(user(session, call.started_ms - 100, turn, first if takes_back else None))
            turn += 1
        found.append(assistant(session, call, n, turn))
        if call.stop == "toolUse" and call is not session.calls[-1]:
            found.append(tool_result(session, call, n))
        if session.twist == "compacted" and n == len(session.calls) // 2:
            found.append(_compaction(session, call, len(found) - 1))
    if session.twist == "mirrored" and session.fate.ending == "success":
        found.append(mirror(session, turn))
    return found


def _opening(session: PlannedSession) -> list[Entry]:
    at, model = session.started_ms, session.work.model
    return [
        Entry(at + 10, "model_change", {"provider": model.provider, "modelId": model.name}),
        Entry(at + 14, "custom", {"customType": "openclaw:bootstrap-context:full", "data": _run(session, at + 14)}),
    ]


def _run(session: PlannedSession, at_ms: int) -> dict[str, object]:
    return {"timestamp": at_ms, "runId": run_id(session), "sessionId": session.session_id}


def _prompt_error(session: PlannedSession) -> Entry:
    at_ms, model = session.ended_ms - 100, session.work.model
    called = {"provider": model.provider, "model": model.name, "api": model.api, "error": "fetch failed"}
    return Entry(at_ms, "custom", {"customType": "openclaw:prompt-error", "data": _run(session, at_ms) | called})


def _compaction(session: PlannedSession, call: Call, kept: int) -> Entry:
    """The call that wrote the summary is billed and leaves no usage: real transcripts are a lower bound here."""
    fields = {
        "summary": "What was tried so far and what is left to do.",
        "firstKeptEntryId": entry_id(session, kept),
        "tokensBefore": call.tokens.prompt,
    }
    return Entry(call.ended_ms + 400, "compaction", fields)
