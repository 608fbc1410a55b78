"""An answer without what it says: the id, the model, the terms, the usage. No content, whatever the provider sends."""

from loaders.openclaw.values import MAX_TEXT, Object

_NAMES = ("id", "responseId", "model", "modelVersion", "service_tier", "serviceTier", "trafficType", "status")
_USAGES = ("usage", "usageMetadata")
_OF_ERROR = ("type", "code", "status")
_LONGEST_WORD = 100
"""Of a text inside of a usage: a tier, a kind, a model."""
_MOST_VALUES, _DEEPEST = 400, 6


class TooMuchError(ValueError):
    """A usage that is none; the message is the reason why none is known."""


def reduced(body: Object) -> Object:
    """What prices need and what tells the call; `usage` is null where the answer has none.

    Raises `TooMuchError` for a usage that holds more than counts.
    """
    kept: Object = {
        name: value for name in _NAMES if isinstance(value := body.get(name), str) and len(value) <= MAX_TEXT
    }
    for name in _USAGES:
        if isinstance(usage := body.get(name), dict):
            kept[name] = _counts(usage)
    meta = body.get("meta")
    if isinstance(meta, dict) and isinstance(units := meta.get("billed_units"), dict):
        kept["meta"] = {"billed_units": _counts(units)}
    if body.get("error"):
        kept["error"] = _error(body["error"])
    if not any(name in kept for name in (*_USAGES, "meta")):
        kept["usage"] = None
    return kept


def has_usage(kept: Object) -> bool:
    return bool(kept.get("usage") or kept.get("usageMetadata") or kept.get("meta"))


def _error(error: object) -> object:
    """Its kind; never its words, in which providers repeat what they were sent."""
    if not isinstance(error, dict):
        return "error"
    kind = {name: str(error[name]) for name in _OF_ERROR if len(str(error.get(name) or "")) in range(1, _LONGEST_WORD)}
    return kind or "error"


def _counts(usage: Object) -> Object:
    left = _MOST_VALUES

    def kept(value: object, depth: int) -> object:
        nonlocal left
        left -= 1
        if left < 0 or depth > _DEEPEST:
            raise TooMuchError("the usage holds more than counts")
        if isinstance(value, dict):
            return {
                name: kept(each, depth + 1)
                for name, each in value.items()
                if not isinstance(each, str) or len(each) <= _LONGEST_WORD
            }
        if isinstance(value, list):
            return [kept(each, depth + 1) for each in value if not isinstance(each, str) or len(each) <= _LONGEST_WORD]
        return value

    return {name: kept(value, 1) for name, value in usage.items() if _is_count(value)}


def _is_count(value: object) -> bool:
    return not isinstance(value, str) or len(value) <= _LONGEST_WORD
