"""What providers answer, as measured: the same call of 100 plain, 12,000 cached and 500 output tokens."""

import json

CHAT_USAGE = {
    "prompt_tokens": 12_100,
    "completion_tokens": 500,
    "total_tokens": 12_600,
    "prompt_tokens_details": {"cached_tokens": 12_000, "audio_tokens": 0},
    "completion_tokens_details": {"reasoning_tokens": 120},
}
MESSAGE_USAGE: dict[str, object] = {
    "input_tokens": 100,
    "cache_creation_input_tokens": 400,
    "cache_read_input_tokens": 12_000,
    "cache_creation": {"ephemeral_5m_input_tokens": 400, "ephemeral_1h_input_tokens": 0},
    "output_tokens": 500,
    "service_tier": "standard",
}
RESPONSE_USAGE = {
    "input_tokens": 12_100,
    "input_tokens_details": {"cached_tokens": 12_000},
    "output_tokens": 500,
    "output_tokens_details": {"reasoning_tokens": 120},
    "total_tokens": 12_600,
}


def chat(answer_id: str = "chatcmpl-a1", usage: object = CHAT_USAGE) -> bytes:
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "It is  42.\u00e9"}}
    return json.dumps(
        {
            "id": answer_id,
            "object": "chat.completion",
            "created": 1,
            "model": "gpt-4o",
            "choices": [choice],
            "usage": usage,
        }
    ).encode()


def chat_events(answer_id: str = "chatcmpl-a1", usage: object = CHAT_USAGE, *, with_usage: bool = True) -> list[bytes]:
    def chunk(choices: list[object], usage: object = None) -> bytes:
        said = {"id": answer_id, "object": "chat.completion.chunk", "created": 1, "model": "gpt-4o", "choices": choices}
        return b"data: " + json.dumps({**said, "usage": usage}).encode() + b"\n\n"

    words = [chunk([{"index": 0, "delta": {"content": word}, "finish_reason": None}]) for word in ("It ", "is ", "42")]
    end = chunk([{"index": 0, "delta": {}, "finish_reason": "stop"}])
    return [*words, end, *([chunk([], usage)] if with_usage else []), b"data: [DONE]\n\n"]


def message(answer_id: str = "msg_1", usage: object = MESSAGE_USAGE) -> bytes:
    said = {
        "id": answer_id,
        "type": "message",
        "role": "assistant",
        "model": "claude-haiku-4-5",
        "stop_reason": "end_turn",
    }
    content = [{"type": "text", "text": "It is 42."}]
    return json.dumps({**said, "stop_sequence": None, "content": content, "usage": usage}).encode()


def message_events(answer_id: str = "msg_1", usage: dict[str, object] = MESSAGE_USAGE) -> list[bytes]:
    begin = json.loads(message(answer_id, usage | {"output_tokens": 1})) | {"content": [], "stop_reason": None}
    delta = {"stop_reason": "end_turn", "stop_sequence": None}
    events: list[dict[str, object]] = [
        {"type": "message_start", "message": begin},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "ping"},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "It is 42."}},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": delta, "usage": {"output_tokens": usage["output_tokens"]}},
        {"type": "message_stop"},
    ]
    return [f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode() for event in events]


def response(answer_id: str = "resp_1", status: str = "completed", usage: object = RESPONSE_USAGE) -> dict[str, object]:
    said = {"id": answer_id, "object": "response", "created_at": 1, "model": "gpt-4o", "status": status, "error": None}
    content = [{"type": "output_text", "text": "It is 42.", "annotations": []}]
    output = [{"type": "message", "id": "m", "status": "completed", "role": "assistant", "content": content}]
    rest = {"parallel_tool_calls": True, "tool_choice": "auto", "tools": [], "output": output}
    return {**said, **rest, "usage": usage, "service_tier": "default"}


def response_events(answer_id: str = "resp_1") -> list[bytes]:
    events: list[dict[str, object]] = [
        {"type": "response.created", "sequence_number": 0, "response": response(answer_id, "in_progress", None)},
        {"type": "response.output_text.delta", "sequence_number": 1, "delta": "It", "item_id": "m", "output_index": 0},
        {"type": "response.completed", "sequence_number": 2, "response": response(answer_id)},
    ]
    return [f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode() for event in events]


GEMINI = {
    "candidates": [
        {"content": {"parts": [{"text": "It is 42."}], "role": "model"}, "finishReason": "STOP", "index": 0}
    ],
    "usageMetadata": {
        "promptTokenCount": 12_100,
        "cachedContentTokenCount": 12_000,
        "candidatesTokenCount": 380,
        "thoughtsTokenCount": 120,
        "totalTokenCount": 12_600,
    },
    "modelVersion": "gemini-2.5-flash",
    "responseId": "resp-gemini-1",
}
