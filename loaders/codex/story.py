"""What the lines of one rollout tell about its session: when it ran, who started it, how it ended."""

from datetime import datetime

from loaders.codex.identity import AGENT, SOURCE, Identity
from loaders.openclaw.endings import QUIET_AFTER, SILENT_END, TRANSCRIPT
from loaders.openclaw.keys import Cause
from loaders.openclaw.transcript import cause_by_prompt
from store import Session
from store.records import Termination

_NOT_TYPED = ("<", "# AGENTS.md")
"""What Codex itself puts before the first prompt: the surroundings, the instructions of the project."""


class Story:
    """Only of what happened in the session: copied history is another session's."""

    def __init__(self) -> None:
        self.first_at: datetime | None = None
        self.is_answered = False
        self._last_at: datetime | None = None
        self._model: str | None = None
        self._is_asked = False
        self._has_turns = False
        self._cause: Cause | None = None
        self._ending: Termination | None = None
        self._ending_rule = "transcript: no answer"

    def pass_through(self, at: datetime) -> None:
        self.first_at = min(at, self.first_at or at)
        self._last_at = max(at, self._last_at or at)

    def use_model(self, model: str | None) -> None:
        self._model = model or self._model

    def hear_user(self, said: str) -> None:
        if not self._is_asked and said and not said.lstrip().startswith(_NOT_TYPED):
            self._is_asked = True
            self._cause = cause_by_prompt(said)

    def hear_answer(self) -> None:
        self.is_answered = True
        if not self._has_turns:  # the first releases wrote no ends of turns
            self._end("success", "answer")

    def begin_turn(self) -> None:
        self._has_turns = True
        self._end(None, "turn without an end")

    def hear_failure(self) -> None:
        self._end("error", "error")

    def end_turn(self) -> None:
        """A turn that failed is ended like any other, after the error."""
        self._has_turns = True
        if self._ending != "error":
            self._end("success", "turn complete")

    def abort_turn(self, reason: str | None) -> None:
        self._has_turns = True
        self._end("aborted", f"turn aborted, {reason}" if reason else "turn aborted")

    def session(self, identity: Identity, now: datetime, *, is_archived: bool) -> Session | None:
        """None where nothing was asked or answered: Codex was opened and closed."""
        last_at = self._last_at
        if not (self._is_asked or self.is_answered) or last_at is None:
            return None
        is_over = is_archived or now - last_at >= QUIET_AFTER
        cause = identity.cause if self._cause is None or identity.cause.trigger == "subagent" else self._cause
        started_at = min(identity.started_at or last_at, self.first_at or last_at)
        return Session(
            session_id=identity.session_id,
            source=SOURCE,
            observed_at=last_at,
            agent=AGENT,
            parent_session_id=identity.parent,
            trigger=cause.trigger,
            trigger_rule=cause.rule,
            trigger_confidence=cause.confidence,
            model=self._model,
            started_at=started_at,
            ended_at=last_at if is_over else None,
            is_running=not is_over,
            termination=(self._ending or "unknown") if is_over else None,
            termination_rule=self._ending_rule if is_over else None,
            termination_confidence=(TRANSCRIPT if self._ending else SILENT_END) if is_over else 0,
        )

    def _end(self, how: Termination | None, rule: str) -> None:
        self._ending, self._ending_rule = how, f"transcript: {rule}"
