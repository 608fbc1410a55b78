"""The many words that OpenClaw has for how a run ended -> one, with the rule and its confidence.

Confidence by source: the audit log (90) notes each run of an agent; a cron run log (80), the task ledger (78) and the
sub-agent registry (75) describe one run each, state events (70) and outcomes of message runs (65) an end without its
error; the session store (60) knows only the last run of a key; a transcript (40) is read from its last line.
"""

from datetime import timedelta

from store.records import Termination

AUDIT, CRON_LOG, TASK, REGISTRY, STATE_EVENT, MESSAGE_RUN, STORE, TRANSCRIPT = 90, 80, 78, 75, 70, 65, 60, 40
SILENT_END = 10
"""For 'unknown': it is over and nothing says how. Any other evidence is better."""

LOST_AFTER = timedelta(hours=24)
"""What says 'running' and was not touched for so long belongs to a process that died."""
QUIET_AFTER = timedelta(minutes=30)
"""A live transcript that was written to more recently than this may go on."""

_ENDINGS: dict[str, Termination] = {
    "done": "success",
    "ok": "success",
    "succeeded": "success",
    "completed": "success",
    "run_completed": "success",
    "stop": "success",
    "toolUse": "success",
    "length": "success",
    "subagent-complete": "success",
    "failed": "error",
    "error": "error",
    "errored": "error",
    "run_failed": "error",
    "blocked": "error",
    "subagent-error": "error",
    "timeout": "timeout",
    "timed_out": "timeout",
    "killed": "aborted",
    "cancelled": "aborted",
    "aborted": "aborted",
    "subagent-killed": "aborted",
    "session-reset": "unknown",
    "session-delete": "unknown",
    "lost": "lost",
}


def ending(word: str | None, error: str = "") -> Termination | None:
    """None for a word that says nothing about an end. Timeouts are recorded as errors; only their text tells."""
    found = _ENDINGS.get(word) if word else None
    if found == "error" and "timed out" in error.lower():
        return "timeout"
    return found
