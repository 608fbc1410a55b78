"""What GitHub's answers mean: pages of entries, limits that ask for patience, refusals with what to do about them."""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NoReturn

from loaders.item import LoadError
from loaders.web import Answer, TryAgainError, refuse_passing
from loaders.web_json import beginning, json_of, message_of

MOST_ENTRIES = 1_000
"""On a page; 100 are asked for."""
_SECONDARY_S = 60.0
_NEXT = re.compile(r'<([^<>]{1,4000})>\s{0,5};[^,<]{0,500}?\brel="?next"?', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked for and with what, for the words of a refusal."""

    repository: str
    what: str
    """Such as 'pull requests'."""
    has_token: bool
    now: datetime


@dataclass(frozen=True, slots=True)
class Page:
    entries: list[object] = field(default_factory=list)
    next_url: str | None = None
    etag: str | None = None
    is_unchanged: bool = False
    """GitHub says that nothing has changed since the page had the ETag that was sent."""
    is_switched_off: bool = False
    """The repository has no such list."""


class NoAnswerError(LoadError):
    """GitHub will not answer this one question, now or later; others it may."""


def page_of(answer: Answer, asked: Asked) -> Page:
    """Raises `TryAgainError` for an answer that may be better the next time, `LoadError` for a refusal."""
    if answer.status == 304:
        return Page(is_unchanged=True)
    if answer.status == 410 and "disabled" in message_of(answer).casefold():
        return Page(is_switched_off=True)
    _refuse(answer, asked)
    entries = json_of(answer, float)
    if not isinstance(entries, list):
        raise TryAgainError(f"the answer is no list of {asked.what}, it begins {beginning(answer)}")
    if len(entries) > MOST_ENTRIES:
        raise TryAgainError(f"the answer has {len(entries):,} {asked.what} on a page that may have 100")
    match = _NEXT.search(answer.headers.get("link", ""))
    return Page(entries, match[1] if match else None, answer.headers.get("etag"))


def entry_of(answer: Answer, asked: Asked) -> object | None:
    """One entry; None where it is gone."""
    if answer.status in (404, 410):
        return None
    _refuse(answer, asked)
    return json_of(answer, float)


def _refuse(answer: Answer, asked: Asked) -> None:
    place, said = asked.repository, message_of(answer)
    match answer.status:
        case 200:
            return
        case 401 if asked.has_token:
            raise LoadError(
                f"{place}: the token is not accepted (401{said}): it is wrong, has expired or was revoked. Make a new "
                "one that may read its pull requests and issues, put it where this source's token is kept, load again"
            )
        case 401:
            raise LoadError(f"{place}: a token is needed (401{said}); give one that may read pull requests and issues")
        case 403 | 429:
            _refuse_limited(answer, asked, said)
            _refuse_forbidden(answer, asked, said)
        case 404:
            who = "the token may not see it" if asked.has_token else "it is private and needs a token"
            raise NoAnswerError(f"{place}: there is no such repository, or {who} (404)")
    refuse_passing(answer, asked.now)
    raise NoAnswerError(f"{place}: the {asked.what} cannot be read ({answer.status}{said})")


def _refuse_limited(answer: Answer, asked: Asked, said: str) -> None:
    """In the order that GitHub advises: what it asks for, else until the limit is set back, else a minute and more."""
    pause = answer.pause(asked.now)
    if pause is not None:
        raise TryAgainError(f"GitHub asks for a pause ({answer.status}{said})", pause)
    if answer.headers.get("x-ratelimit-remaining", "").strip() == "0":
        reset = answer.headers.get("x-ratelimit-reset", "").strip()
        hint = "" if asked.has_token else "; with a token it is 5,000 requests an hour instead of 60"
        reason = f"the rate limit is used up ({answer.status}{said}){hint}"
        if not (reset.isascii() and reset.isdigit() and len(reset) < 12):
            raise TryAgainError(reason, _SECONDARY_S, doubles=True)
        at = datetime.fromtimestamp(int(reset), UTC)
        raise TryAgainError(reason, max(0.0, (at - answer.server_time(asked.now)).total_seconds()) + 1)
    words = said.casefold()
    if answer.status == 429 or "rate limit" in words or "abuse" in words:
        raise TryAgainError(f"GitHub asks for a pause ({answer.status}{said})", _SECONDARY_S, doubles=True)


def _refuse_forbidden(answer: Answer, asked: Asked, said: str) -> NoReturn:
    if answer.headers.get("x-github-sso"):
        raise LoadError(
            f"{asked.repository}: the organisation asks for single sign-on (403{said}); authorise the token for it on "
            "GitHub, in the settings of the token"
        )
    needed = answer.headers.get("x-accepted-github-permissions", "")[:200] or f"read access to {asked.what}"
    raise LoadError(f"{asked.repository}: the token may not read {asked.what} (403{said}); it needs {needed}")
