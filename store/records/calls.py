"""What agents did: their calls, their runs, what came of them; and what providers say of the calls of a day."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal

from store.checks import MAX_CHARACTERS, RecordError, check

Scope = Literal["request", "session"]
RequestStatus = Literal["ok", "error", "aborted"]
Trigger = Literal["human", "cron", "subagent", "heartbeat", "webhook", "api", "unknown"]
Termination = Literal["success", "error", "timeout", "aborted", "lost", "unknown"]
UsageReporter = Literal["provider", "gateway", "meter"]
"""Who says it: the provider that bills the calls, a gateway on their way, or a meter of the one who made them."""
MOST_IDENTITIES = 16
"""That one record states; the row of a call has those of all its records."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One call to a model (`scope='request'`), or one line that totals all calls of a session (`scope='session'`).

    A session-scope row is counted only where the session has no request-scope rows (a total is merged with its parts,
    never added). Copies of one call share a `request_key`; the session that started first owns it.
    """

    request_key: str
    source: str
    scope: Scope = "request"
    session_id: str | None = None
    agent: str | None = None
    provider: str | None = None
    model: str | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    uncached_input_tokens: int | None = None
    """Disjoint from the cache buckets. All five buckets are None when the source has no usage for the call."""
    cache_read_tokens: int | None = None
    cache_write_5m_tokens: int | None = None
    cache_write_1h_tokens: int | None = None
    output_tokens: int | None = None
    """Reasoning included."""
    billed_usd: Decimal | None = None
    """What the provider charged; 0 means that the provider says it was free."""
    reported_usd: Decimal | None = None
    """The source's total for a run (session scope). Wins over nothing but an unknown cost."""
    estimated_usd: Decimal | None = None
    """The source's own estimate at its list price: kept for comparison, never used as the cost."""
    is_included: bool = False
    """Covered by a plan (subscription, OAuth): marginal cost 0 with status INCLUDED."""
    unpriced_part: str | None = None
    """What of the call has a price that no price line states, in a few words: 'audio input', 'flex tier'. A line would
    price it like the rest, so without a bill such a call is UNPRICED."""
    status: RequestStatus = "ok"
    owner_started_at: datetime | None = None
    """Start of the session in which this copy was found; the oldest one owns the call."""
    identities: tuple[str, ...] = ()
    """Other names that this very call has, as `kind:value`: what else its answer, its span or its headers call it.
    Two records that share one of them, or a key, are records of one call."""

    def __post_init__(self) -> None:
        check(self, required=("request_key", "source"))
        tokens = (
            self.uncached_input_tokens,
            self.cache_read_tokens,
            self.cache_write_5m_tokens,
            self.cache_write_1h_tokens,
            self.output_tokens,
        )
        if any(t is None for t in tokens) and any(t is not None for t in tokens):
            raise RecordError(f"Request {self.request_key}: give all five token buckets or none, got {tokens}")
        if self.identities:
            self._check_identities()

    def _check_identities(self) -> None:
        if len(self.identities) > MOST_IDENTITIES:
            raise RecordError(f"Request {self.request_key}: at most {MOST_IDENTITIES} identities")
        for identity in self.identities:
            kind, colon, value = identity.partition(":")
            if not (kind and colon and value) or len(identity) > MAX_CHARACTERS or "\x00" in identity:
                raise RecordError(
                    f"Request {self.request_key}: an identity is kind:value of at most {MAX_CHARACTERS:,} characters, "
                    f"got {identity[:100]!r}"
                )


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """What one piece of evidence (a transcript header, a store entry, a run log line) says about one agent run.

    Evidence about one `session_id` is merged: `trigger` and `termination` go to the higher confidence, then to the
    later `observed_at`; other fields to the latest evidence that states them; `started_at` to the earliest, `ended_at`
    to the latest. A session that no evidence terminates is running, and so is one that was seen at work after every end
    that is known of it.
    """

    session_id: str
    source: str
    observed_at: datetime | None = None
    """When this evidence was true; decides between two pieces of evidence of equal confidence."""
    agent: str | None = None
    parent_session_id: str | None = None
    trigger: Trigger | None = None
    trigger_rule: str | None = None
    """Which rule decided the trigger, in a few words: 'session key: cron', 'spawnedBy', 'mapping'."""
    trigger_confidence: int = 0
    """0 to 100."""
    task_class: str | None = None
    model: str | None = None
    """The model asked for; used where the session has no requests."""
    started_at: datetime | None = None
    ended_at: datetime | None = None
    termination: Termination | None = None
    """How it ended; 'unknown' for a session that has ended without saying how; None says nothing about the end."""
    termination_rule: str | None = None
    termination_confidence: int = 0
    is_running: bool = False
    """It was at work at `observed_at`: whatever was seen to end before that was not its end."""

    def __post_init__(self) -> None:
        check(self, required=("session_id", "source"))
        if self.started_at and self.ended_at and self.ended_at < self.started_at:
            raise RecordError(
                f"Session {self.session_id}: ended_at {self.ended_at.isoformat()} is before "
                f"started_at {self.started_at.isoformat()}"
            )
        if self.is_running and self.termination is not None:
            raise RecordError(f"Session {self.session_id}: one that is running has no end, got {self.termination!r}")
        for name in ("trigger_confidence", "termination_confidence"):
            if not 0 <= getattr(self, name) <= 100:
                raise RecordError(f"Session {self.session_id}: {name} must be 0 to 100, got {getattr(self, name)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a session achieved: a merged pull request, a resolved work item, an idle exit, a benchmark verdict."""

    outcome_id: str
    source: str
    session_id: str
    kind: str
    """Upper case, open set: PR_OPENED, PR_MERGED, ISSUE_CLOSED, WORKQ_RESOLVED, IDLE_EXIT, RUN, UNKNOWN."""
    is_success: bool | None = None
    """None while it is not decided (pending), and for an idle exit."""
    occurred_at: datetime | None = None
    """None counts as the end of the session."""
    undone_success_at: datetime | None = None
    """Of a reversal that has replaced the outcome that it took back: when that success had come."""

    def __post_init__(self) -> None:
        check(self, required=("outcome_id", "source", "session_id", "kind"))
        if self.kind != self.kind.upper() or not self.kind.replace("_", "").isalnum():
            raise RecordError(f"Outcome {self.outcome_id}: kind must be like PR_MERGED, got {self.kind!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """How good somebody found the work of a session, from 0 to 1; what the same scorer says later replaces it.

    It stands beside success and is multiplied into nothing.
    """

    session_id: str
    scorer: str
    """Who judged: a person, a program, a rubric."""
    score: Decimal
    source: str
    observed_at: datetime
    """When it was judged; of two judgements the later holds, of two at one instant the better one."""

    def __post_init__(self) -> None:
        check(self, required=("session_id", "scorer", "source"))
        if not 0 <= self.score <= 1:
            raise RecordError(f"Score {self.session_id}: score must be from 0 to 1, got {self.score}")
        if self.score != round(self.score, 12):
            raise RecordError(f"Score {self.session_id}: score must have at most 12 places, got {self.score}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedUsage:
    """What somebody counted of the calls of a time, all together: to be compared with the calls, never added to them.

    A bucket that the report does not have is None. The row is replaced by a later one with its key, except that a meter
    only grows; a source that states a `part` as a whole takes back what it no longer says.
    """

    usage_id: str
    source: str
    reporter: UsageReporter
    provider: str
    starts_at: datetime
    ends_at: datetime
    model: str | None = None
    """None where the report is not cut by model."""
    member: str | None = None
    """What else it is cut by, in words: a workspace, a key, an agent."""
    requests: int | None = None
    input_tokens: int | None = None
    """All of the prompts, where the report does not say what of them was cached."""
    uncached_input_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_5m_tokens: int | None = None
    cache_write_1h_tokens: int | None = None
    output_tokens: int | None = None
    """Reasoning included."""
    usd: Decimal | None = None
    """What the reporter takes them to cost: an estimate, which no bill rests on."""
    is_billed_apart: bool = False
    """The calls are in no line of the provider's cost report: capacity that was committed to is paid otherwise."""
    is_lower_bound: bool = False
    """There may have been more: a meter that was not everywhere."""
    part: str | None = None
    """The part of its source, such as a day, that the source states as a whole each time."""
    counter: str | None = None
    """Of a meter that runs on since `starts_at`: which one it is. Then the row is what it had come to at `ends_at`, its
    last reading of a UTC day; the view `reported_periods` takes one from the next."""

    def __post_init__(self) -> None:
        check(self, required=("usage_id", "source", "provider"))
        if self.ends_at <= self.starts_at:
            raise RecordError(
                f"ReportedUsage {self.usage_id}: ends_at {self.ends_at.isoformat()} must be after "
                f"starts_at {self.starts_at.isoformat()}"
            )
