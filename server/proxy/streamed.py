"""The usage of a stream, whichever API it is of: the fields of its events tell that, never the provider's name.

A stream that was cut has no usage: what its first events count of the output is less than what is billed. So a usage
is taken only where the stream itself says that it is the last one.
"""

from typing import Literal

from loaders.openclaw.values import FieldError, Object, object_in, parse
from server.proxy.events import Event

Outcome = Literal["error", "aborted"]
_DONE = b"[DONE]"
_ENDS = frozenset({"response.completed", "response.incomplete", "response.failed", "response.cancelled"})
_READ = frozenset({"message_start", "message_delta", "message_stop", "error", "response.created", *_ENDS})
"""Named events that say something of usage; a stream may also name none, or all of them `message`."""
_UNNAMED = frozenset({"", "message"})
_TELLING = (b'"usage"', b'"usageMetadata"', b'"error"', b'"message_stop"', b'"response.')
_OF_ANSWER = ("id", "model", "responseId", "modelVersion", "service_tier", "serviceTier", "trafficType", "status")


class StreamedAnswer:
    """Puts together the answer that the stream tells of, as one that was not streamed would be."""

    def __init__(self) -> None:
        self.body: Object = {}
        self.is_over = False
        """Nothing that follows is of interest."""
        self.unreadable = 0
        """Events that should have been read and could not."""
        self.is_error = False
        self._is_last_usage = False
        self._is_anthropic = False
        self._is_begun = False

    def take(self, event: Event) -> None:
        if self.is_over:
            return
        if event.data.strip() == _DONE:
            self.is_over = self._is_last_usage = True
            return
        is_wanted = event.name in _READ or (
            event.name in _UNNAMED and (not self._is_begun or any(word in event.data for word in _TELLING))
        )
        if not is_wanted:
            return
        self._is_begun = True
        try:
            self._read(parse(event.data))
        except FieldError:
            self.unreadable += 1

    def finished(self, *, is_cut: bool) -> Object:
        """The answer; without its usage where that is not the last one."""
        is_last = self._is_last_usage or not (is_cut or self._is_anthropic)
        return self.body if is_last else {k: v for k, v in self.body.items() if k not in ("usage", "usageMetadata")}

    def _read(self, entry: Object) -> None:
        kind = entry.get("type")
        if entry.get("error") and not entry.get("choices"):
            self.is_error = True
            self._keep(entry)
        elif kind == "message_start":
            self._is_anthropic = True
            message = object_in(entry, "message") or {}
            self._keep(message)
            self.body["usage"] = dict(object_in(message, "usage") or {})
        elif kind == "message_delta":
            self._add_delta(entry)
        elif kind == "message_stop":
            self.is_over = self._is_last_usage = True
        elif isinstance(kind, str) and kind.startswith("response."):
            self._of_responses(kind, entry)
        else:
            self._of_chunk(entry)

    def _add_delta(self, entry: Object) -> None:
        """Counts of Anthropic are of the message so far; what a delta leaves out was said at its start."""
        usage = object_in(entry, "usage") or {}
        before = object_in(self.body, "usage") or {}
        self.body["usage"] = {**before, **{name: value for name, value in usage.items() if value is not None}}
        if usage and (object_in(entry, "delta") or {}).get("stop_reason"):
            self._is_last_usage = True

    def _of_responses(self, kind: str, entry: Object) -> None:
        response = object_in(entry, "response") or {}
        self._keep(response)
        if kind in _ENDS:
            self.is_over = self._is_last_usage = True
            if usage := object_in(response, "usage"):
                self.body["usage"] = usage

    def _of_chunk(self, entry: Object) -> None:
        """Chat completions and Gemini. Some send a running count with every chunk: the last is that of the end."""
        self._keep(entry)
        for name in ("usage", "usageMetadata"):
            if usage := object_in(entry, name):
                self.body[name] = usage
                self._is_last_usage = self._is_last_usage or _is_end(entry)

    def _keep(self, said: Object) -> None:
        self.body.update({name: said[name] for name in _OF_ANSWER if said.get(name) is not None})


def _is_end(chunk: Object) -> bool:
    """A chunk of usage alone, or one that says why the answer has ended."""
    listed = chunk.get("choices", chunk.get("candidates"))
    if not isinstance(listed, list):
        return False
    return not listed or any(
        isinstance(each, dict) and (each.get("finish_reason") or each.get("finishReason")) for each in listed
    )
