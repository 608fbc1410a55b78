"""What one entry says about the course of its session: who spoke, and where a turn begins and ends."""

from collections.abc import Callable
from dataclasses import dataclass

from loaders.codex.story import Story
from loaders.openclaw.values import Object, object_in, prose, text

_BY_THE_MODEL = frozenset(
    {
        "reasoning",
        "function_call",
        "custom_tool_call",
        "local_shell_call",
        "web_search_call",
        "tool_search_call",
        "image_generation_call",
        "agent_message",
        "agent_reasoning",
    }
)


@dataclass(frozen=True, slots=True)
class Speech:
    tell: Callable[[Story], None]


_ANSWER = Speech(Story.hear_answer)
BEGINNINGS = ("task_started", "turn_started")
_EVENTS = {
    **dict.fromkeys(BEGINNINGS, Speech(Story.begin_turn)),
    "task_complete": Speech(Story.end_turn),
    "turn_complete": Speech(Story.end_turn),
    "error": Speech(Story.hear_failure),
}


def speech_of(kind: str | None, what: str | None, payload: Object) -> Speech | None:
    """`what` is the type of the payload. None for an entry that says nothing of that."""
    if what is None:
        return None
    if kind == "response_item":
        return _of_message(payload) if what == "message" else _ANSWER if what in _BY_THE_MODEL else None
    if kind != "event_msg":
        return None
    if what == "user_message":
        return _of_user(prose(payload, "message"))
    if what == "turn_aborted":
        reason = text(payload, "reason")
        return Speech(lambda story: story.abort_turn(reason))
    if what == "item_completed":
        return _of_item(object_in(payload, "item") or {})
    return _EVENTS.get(what) or (_ANSWER if what in _BY_THE_MODEL else None)


def _of_message(message: Object) -> Speech | None:
    role = text(message, "role")
    if role == "user":
        return _of_user(_first_text(message))
    return _ANSWER if role == "assistant" else None


def _of_item(item: Object) -> Speech | None:
    """How newer releases write prompts and answers."""
    kind = text(item, "type")
    if kind == "UserMessage":
        return _of_user(_first_text(item))
    return _ANSWER if kind in ("AgentMessage", "Reasoning") else None


def _of_user(said: str) -> Speech:
    return Speech(lambda story: story.hear_user(said))


def _first_text(message: Object) -> str:
    content = message.get("content")
    blocks = content if isinstance(content, list) else [{"text": content}]
    texts = (block.get("text") for block in blocks if isinstance(block, dict))
    return next((found for found in texts if isinstance(found, str)), "")
