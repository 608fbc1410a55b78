"""What the lines of one session tell about it: when it ran, who started it, how it ended."""

from datetime import datetime

from loaders.claude_code.calls import AGENT, SOURCE
from loaders.openclaw.endings import QUIET_AFTER, SILENT_END, TRANSCRIPT
from loaders.openclaw.keys import BY_PARENT, BY_PLACE, Cause
from loaders.openclaw.transcript import cause_by_prompt
from loaders.openclaw.values import Object
from store import Session
from store.records import Termination

BY_DEFAULT = 10
"""For 'human' where no field says who it was: any other evidence is better."""
_INTERRUPTED = "[Request interrupted by user"
_COMMANDS = ("<command-name>", "<command-message>", "<local-command-")
"""What somebody typed for Claude Code itself, such as /exit; one that asks the model is followed by an answer."""


class Story:
    """`session_id` is a session's own id, or `<session>/agent-<id>` for a sub-agent of it."""

    def __init__(self, session_id: str) -> None:
        self._session_id = session_id
        self._parent = session_id.rpartition("/agent-")[0] or None
        self.started_at: datetime | None = None
        self._last_at: datetime | None = None
        self._model: str | None = None
        self._entrypoint: str | None = None
        self._is_asked = False
        self._is_answered = False
        self._cause: Cause | None = None
        self._ending: Termination | None = None
        self._ending_rule = "transcript: no answer"

    def pass_through(self, at: datetime, entrypoint: str | None) -> None:
        self.started_at = min(at, self.started_at or at)
        self._last_at = max(at, self._last_at or at)
        self._entrypoint = self._entrypoint or entrypoint

    def hear_user(self, message: Object | None, *, is_meta: bool) -> None:
        said = _first_text(message or {})
        if not self._is_asked and not is_meta and not said.startswith(_COMMANDS):
            self._is_asked = True
            self._cause = cause_by_prompt(said)
        if said.startswith(_INTERRUPTED):
            self._end("aborted", "interrupted by the user")

    def hear_answer(self, model: str | None) -> None:
        self._is_answered = True
        self._model = model or self._model
        self._end("success", "answer")

    def hear_failure(self) -> None:
        self._is_answered = True
        self._end("error", "API error")

    def session(self, now: datetime) -> Session | None:
        """None where nothing was asked or answered: Claude Code was opened and closed."""
        if not (self._is_asked or self._is_answered) or self._last_at is None:
            return None
        is_over = now - self._last_at >= QUIET_AFTER
        cause = self._started_by()
        return Session(
            session_id=self._session_id,
            source=SOURCE,
            observed_at=self._last_at,
            agent=AGENT,
            parent_session_id=self._parent,
            trigger=cause.trigger,
            trigger_rule=cause.rule,
            trigger_confidence=cause.confidence,
            model=self._model,
            started_at=self.started_at,
            ended_at=self._last_at if is_over else None,
            is_running=not is_over,
            termination=(self._ending or "unknown") if is_over else None,
            termination_rule=self._ending_rule if is_over else None,
            termination_confidence=(TRANSCRIPT if self._ending else SILENT_END) if is_over else 0,
        )

    def _started_by(self) -> Cause:
        if self._parent is not None:
            return Cause("subagent", "transcript of a sub-agent", BY_PARENT)
        if self._cause is not None:
            return self._cause
        if self._entrypoint is None:
            return Cause("human", "nothing says otherwise", BY_DEFAULT)
        is_program = self._entrypoint.startswith("sdk")
        return Cause("api" if is_program else "human", f"entrypoint: {self._entrypoint}", BY_PLACE)

    def _end(self, how: Termination, rule: str) -> None:
        self._ending, self._ending_rule = how, f"transcript: {rule}"


def _first_text(message: Object) -> str:
    content = message.get("content")
    blocks = [{"text": content}] if isinstance(content, str) else content if isinstance(content, list) else []
    texts = (block.get("text") for block in blocks if isinstance(block, dict))
    return next((found for found in texts if isinstance(found, str)), "")
