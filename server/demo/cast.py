"""The words in which the story of the demo is told: models, fates, kinds of work. `habits.py` tells it."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, NamedTuple

Ending = Literal["success", "error", "timeout", "aborted", "lost", "running"]
Trigger = Literal["human", "cron", "subagent", "heartbeat", "webhook"]
Twist = Literal["plain", "overloaded", "rewound", "mirrored", "forked", "backed up", "compacted", "traced", "long"]
Span = tuple[int, int]


class Rates(NamedTuple):
    """USD per million tokens."""

    input: Decimal
    cache_read: Decimal
    cache_write: Decimal
    output: Decimal


def rates(*usd: str) -> Rates:
    return Rates(*map(Decimal, usd))


CONTEXT_WINDOW = 1_000_000


@dataclass(frozen=True, slots=True)
class Model:
    provider: str
    name: str
    api: str
    caching: Literal["written", "automatic", "none"]
    catalogue: Rates
    """What OpenClaw believes the model costs: its own estimate rests on it and is partly wrong."""
    gives_response_id: bool = True


OPUS = Model("anthropic", "claude-opus-4-6", "anthropic-messages", "written", rates("5", "0.5", "6.25", "25"))
SONNET = Model("anthropic", "claude-sonnet-4-6", "anthropic-messages", "written", rates("3", "0.3", "3.75", "15"))
HAIKU = Model("anthropic", "claude-haiku-4-5", "anthropic-messages", "written", rates("0.8", "0.08", "1", "4"))
GPT = Model("openai", "gpt-5.2", "openai-responses", "automatic", rates("1.75", "0.175", "0", "14"))
GROK = Model("xai", "grok-9-mystery", "openai-completions", "none", rates("0", "0", "0", "0"), False)
QWEN = Model("ollama", "qwen-local", "ollama", "none", rates("0", "0", "0", "0"), False)
MODELS = (OPUS, SONNET, HAIKU, GPT, GROK, QWEN)


class Fate(NamedTuple):
    """How a session ends and what comes of it."""

    ending: Ending
    outcome: str | None = None
    is_success: bool | None = None
    trace: Literal["calls", "prompt error", "no transcript"] = "calls"


MERGED = Fate("success", "PR_MERGED", True)
CLOSED = Fate("success", "PR_CLOSED", False)
FIXED = Fate("success", "ISSUE_CLOSED", True)
RESOLVED = Fate("success", "WORKQ_RESOLVED", True)
IDLE = Fate("success", "IDLE_EXIT")
SILENT = Fate("success")
FAILED = Fate("error")
UNANSWERED = Fate("error", trace="prompt error")
UNWRITTEN = Fate("error", trace="no transcript")
TIMEOUT = Fate("timeout")
ABORTED = Fate("aborted")
LOST = Fate("lost")
RUNNING = Fate("running")


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """One kind of work: how it uses its model (inclusive ranges), how it goes, and what is said."""

    model: Model
    turns: Span = (1, 1)
    calls: Span
    """Per turn."""
    context: Span
    """Tokens of the prompt that were there before the first call."""
    fresh: Span
    """New prompt tokens of each call."""
    output: Span
    seconds: Span
    """Of one call."""
    fates: tuple[Fate, ...]
    twists: tuple[Twist, ...] = ("plain",) * 29 + ("overloaded",)
    asks: tuple[str, ...]
    replies: tuple[str, ...] = ()
    idle_reply: str | None = None
    """What it says when there was nothing to do, if that is a phrase of its own."""
    tool: str = "exec"
    timeout_seconds: int = 300
