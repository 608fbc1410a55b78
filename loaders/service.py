"""A service that is asked over the network: its refusals in words that say what to do, and its answers as objects.

Every provider refuses in its own words; what a reader has to do about it is the same: another key, more rights, the
right name, or time.
"""

from dataclasses import dataclass
from datetime import datetime

from loaders.item import LoadError
from loaders.web import Answer, TryAgainError, refuse_passing
from loaders.web_json import beginning, json_of, message_of

Object = dict[str, object]


class NotThereError(LoadError):
    """There is no such thing; what else the service has may be there."""


@dataclass(frozen=True, slots=True)
class Service:
    """Who is asked and with what, for the words of a refusal."""

    place: str
    """Such as 'LiteLLM at https://llm.example.com'."""
    key: str
    """What kind of key it takes: 'a management key of the team'."""
    has_key: bool

    def object_of(self, answer: Answer, what: str, now: datetime) -> Object:
        """What was asked for. `what` names it in the words of a refusal.

        Raises `TryAgainError` for an answer that may be better the next time, `LoadError` for a refusal.
        """
        self.refuse(answer, what, now)
        said = json_of(answer)
        if not isinstance(said, dict):
            raise TryAgainError(f"the answer is no object with {what}, it begins {beginning(answer)}")
        if said.get("error"):
            raise TryAgainError(f"answered 200 with an error in the place of {what}{message_of(answer)}")
        return said

    def refuse(self, answer: Answer, what: str, now: datetime) -> None:
        """Raises unless the answer is what was asked for."""
        if answer.status == 200:
            return
        refuse_passing(answer, now)
        kind = NotThereError if answer.status in (404, 410) else LoadError
        raise kind(f"{self.place}: {self._refusal(answer.status, what)} ({answer.status}{message_of(answer)})")

    def _refusal(self, status: int, what: str) -> str:
        match status:
            case 401 if self.has_key:
                return (
                    f"the key is not accepted: it is wrong, has expired or was revoked. Make a new one ({self.key}), "
                    "put it where this source's token is kept, load again"
                )
            case 401:
                return f"a key is needed: give {self.key} with token_env or token_file"
            case 402:
                return f"the account cannot be asked for {what} until it has been paid for"
            case 403:
                return f"the key may not read {what}; it takes {self.key}"
            case 404 | 410:
                return f"there is no such thing as {what} there, or this key may not see it; check the location"
        return f"{what} cannot be read"
