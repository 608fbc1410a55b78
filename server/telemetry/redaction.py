"""Takes secrets out of what is about to be written down: those that are known by value, and those known by their form.

It works on the finished text of a line, so that it does not matter which logger, exception or library wrote it. Every
form looks a bounded way ahead, because a stranger may have written the text.
"""

import re
from collections.abc import Iterable

BLACK = "***"
LEAST = 6
"""Characters of a secret that is looked for by its value; a shorter one would blacken words."""

_NAMES = r"password|passwd|pwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|credential|signature|cookie"
"""Also as the end of a longer name."""
_BETWEEN = r"""(b?["']?\s?[:=,]\s?b?)"""
"""From a name to its value: = or :, or as in a dictionary, or as in a list of pairs of bytes."""
_VALUE = r"""("(?:[^"\\]|\\.){0,2000}"|'(?:[^'\\]|\\.){0,2000}'|[^\s"',;&}\])]+)"""
_PREFIXES = (
    r"sk-|pk-|rk-|whsec_|gh[pousr]_|github_pat_|glpat-|xox[abeoprs]-|syt_|mct_|cbk_|AKIA|ASIA|AIza"
    r"|clawback_(?=[A-Za-z0-9_-]{20})"
)
_KEY_BEGINS, _KEY_ENDS = r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----", r"-----END [A-Z ]{0,30}PRIVATE KEY-----"
_FORMS: tuple[tuple[re.Pattern[str], str], ...] = (
    # To its end, or to the end of what there is.
    (re.compile(rf"{_KEY_BEGINS}.*?(?:{_KEY_ENDS}|\Z)", re.DOTALL), BLACK),
    # Authorization: Basic dXNlcjpwYXNz, and the same in a dictionary or a list of pairs of bytes.
    (
        re.compile(
            r"""(?i)\b((?:proxy-)?authorization)(\W{1,8})(?:(bearer|basic|digest|token)\s+)?[^\s"',;}\])]{3,}"""
        ),
        rf"\1\2{BLACK}",
    ),
    (re.compile(r"(?i)\b(bearer|basic)\s{1,3}[a-z0-9._~+/=-]{6,}"), rf"\1 {BLACK}"),
    # Everything between :// and @, because a password may hold any character but a slash or a space.
    (re.compile(r"(?<=://)[^\s/?#\"'<>]{1,400}@"), f"{BLACK}@"),
    # password=..., "api_key": "...", X-Api-Key: ...
    (re.compile(rf"(?i)({_NAMES}){_BETWEEN}{_VALUE}"), rf"\1\2{BLACK}"),
    # Tokens that say by their first letters what they are.
    (re.compile(r"\beyJ[A-Za-z0-9_-]{5,2000}\.[A-Za-z0-9_-]{5,}(?:\.[A-Za-z0-9_-]*)?"), BLACK),
    (re.compile(rf"\b(?:{_PREFIXES})[A-Za-z0-9_-]{{8,}}"), BLACK),
)
_PLAIN = re.compile(r"[/A-Za-z0-9]{0,11}|[0-9a-f]{32}")
"""What no form can match: most values of an access line, for which all forms would take longer than the rest of it."""


class Redactor:
    """Safe to use from many threads. Its repr does not hold what it hides."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        # The longest first: one may be the beginning of another.
        known = sorted({secret for secret in secrets if len(secret) >= LEAST}, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, known))) if known else None

    def clean(self, text: str) -> str:
        """The text without the secrets in it.

        Example:
            >>> Redactor(["open sesame"]).clean("open sesame; GET http://me:pw@host/?token=a1b2")
            '***; GET http://***@host/?token=***'
        """
        if self._known is not None:
            text = self._known.sub(BLACK, text)
        if _PLAIN.fullmatch(text):
            return text
        for form, instead in _FORMS:
            text = form.sub(instead, text)
        return text
