"""An answer without what it says: the id, the model, the terms, the usage. No content, whatever the provider sends."""

from decimal import Decimal

from loaders.openclaw.values import MAX_TEXT, Object

_NAMES = ("id", "responseId", "model", "modelVersion", "service_tier", "serviceTier", "trafficType", "status")
_USAGES = ("usage", "usageMetadata")
_OF_ERROR = ("type", "code", "status")
_LONGEST_WORD = 100
"""Of a text inside of a usage: a tier, a kind, a model."""
_MOST_VALUES, _DEEPEST = 400, 6
_MOST = 10**18
"""No count and no amount is larger; what is could not be written as JSON either."""
_MOST_DIGITS, _MOST_ZEROS = 40, 18


class TooMuchError(ValueError):
    """A usage that is none; the message is the reason why none is known."""


def reduced(body: Object) -> Object:
    """What prices need and what tells the call; `usage` is null where the answer has none.

    Raises `TooMuchError` for a usage that holds more than counts.
    """
    kept: Object = {
        name: value for name in _NAMES if isinstance(value := body.get(name), str) and is_word(value, MAX_TEXT)
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
    kind = {name: said for name in _OF_ERROR if (said := str(error.get(name) or "")) and is_word(said, _LONGEST_WORD)}
    return kind or "error"


def is_word(text: str, longest: int) -> bool:
    """Whether it can be a name; half of a surrogate pair and control characters cannot be written down either."""
    return len(text) <= longest and text.isprintable()


def _counts(usage: Object) -> Object:
    left = _MOST_VALUES

    def kept(value: object, depth: int) -> object:
        nonlocal left
        left -= 1
        if left < 0 or depth > _DEEPEST:
            raise TooMuchError("the usage holds more than counts")
        if isinstance(value, dict):
            return {name: kept(each, depth + 1) for name, each in value.items() if _is_told(name, each)}
        if isinstance(value, list):
            return [kept(each, depth + 1) for each in value if _is_told("", each)]
        if not _is_count(value):
            raise TooMuchError("the usage holds a number that counts nothing")
        return value

    return {name: kept(value, 1) for name, value in usage.items() if _is_told(name, value)}


def _is_told(name: str, value: object) -> bool:
    return is_word(name, _LONGEST_WORD) and (not isinstance(value, str) or is_word(value, _LONGEST_WORD))


def _is_count(value: object) -> bool:
    """Whether a number can be written with all its digits; what is none may stand as it is."""
    if isinstance(value, Decimal):
        _, digits, exponent = value.as_tuple()
        return isinstance(exponent, int) and -_MOST_DIGITS <= exponent <= _MOST_ZEROS and len(digits) <= _MOST_DIGITS
    return not isinstance(value, int) or abs(value) <= _MOST
