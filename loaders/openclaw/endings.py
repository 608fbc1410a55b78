"""The many words that OpenClaw has for how a run ended -> one, with the rule and its confidence.

Confidence by source: a cron run log (80) and the sub-agent registry (75) describe one run each; the session store (60)
only the last run of a key; a transcript (40) is read from its last line.
"""

from datetime import timedelta

from store.records import Termination

CRON_LOG, REGISTRY, STORE, TRANSCRIPT = 80, 75, 60, 40
SILENT_END = 10
"""For 'unknown': it is over and nothing says how. Any other evidence is better."""

LOST_AFTER = timedelta(hours=24)
"""A store entry that says 'running' and was not touched for so long belongs to a process that died."""
QUIET_AFTER = timedelta(minutes=30)
"""A live transcript that was written to more recently than this may go on."""

_ENDINGS: dict[str, Termination] = {
    "done": "success",
    "ok": "success",
    "succeeded": "success",
    "stop": "success",
    "toolUse": "success",
    "length": "success",
    "subagent-complete": "success",
    "failed": "error",
    "error": "error",
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
