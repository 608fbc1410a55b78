"""What is asked of OpenRouter: the activity of an account, its credits, what is left of a key, and single generations.

There are two kinds of keys. A management key may read the account and cannot call models; an inference key calls
models, and may read itself and the generations of its account.
"""

from dataclasses import dataclass
from urllib.parse import urlencode

from loaders.cell import CellError
from loaders.daily import rows_in
from loaders.item import LoadError
from loaders.service import Object, Service
from loaders.web import Answer, TryAgainError, Web

ROOT = "https://openrouter.ai/api/v1"
HEADERS = {"User-Agent": "clawback"}
MANAGEMENT_KEY = (
    "a management key, which is made under Settings, Management keys; a key for calling models may only read itself "
    "(reports: key) and generations (generation: gen-...)"
)
ANY_KEY = "a key of the account"
_LOOKS = 4
"""At a generation: one that has just ended is not found at once."""


@dataclass(frozen=True, slots=True)
class Api:
    """Raises `LoadError` for what cannot be read, `ComeBackError` where OpenRouter asks for a longer pause."""

    web: Web
    place: str

    def activity(self) -> list[object]:
        """All rows of the days that have ended, of which there are thirty at most; they come in one piece."""
        return self.web.get(self._url("activity"), self._rows)

    def analytics(self, question: Object) -> list[object] | None:
        """The rows of an answer; None where it was cut because it has too many."""
        url = self._url("analytics/query")
        said = self.web.post(url, question, lambda answer: self._data(answer, "the analytics", MANAGEMENT_KEY))
        rows, about = said.get("data"), said.get("metadata")
        if not isinstance(rows, list) or not isinstance(about, dict):
            raise LoadError(f"{self.place}: the answer is no analytics: it must have a list 'data' and 'metadata'")
        return None if about.get("truncated") is True else rows

    def credits(self) -> Object:
        return self._object("credits", "the credits", MANAGEMENT_KEY)

    def key(self) -> Object:
        return self._object("key", "the key", ANY_KEY)

    def generation(self, name: str) -> Object | None:
        """None where there is none of that id."""
        looks = 0

        def read(answer: Answer) -> Object | None:
            nonlocal looks
            looks += 1
            if answer.status == 404 and looks < _LOOKS:
                raise TryAgainError("answered 404: it may not be there yet")
            return None if answer.status == 404 else self._data(answer, f"the generation {name}", ANY_KEY)

        return self.web.get(f"{self._url('generation')}?{urlencode({'id': name})}", read)

    def _url(self, path: str) -> str:
        return f"{self.web.root.rstrip('/')}/{path}"

    def _object(self, path: str, what: str, key: str) -> Object:
        return self.web.get(self._url(path), lambda answer: self._data(answer, what, key))

    def _rows(self, answer: Answer) -> list[object]:
        said = Service(self.place, MANAGEMENT_KEY, has_key=True).object_of(answer, "the activity", self.web.clock.now())
        try:
            return rows_in(said, "data")
        except CellError as error:
            raise TryAgainError(f"the answer is no activity: {error}") from None

    def _data(self, answer: Answer, what: str, key: str) -> Object:
        data = Service(self.place, key, has_key=True).object_of(answer, what, self.web.clock.now()).get("data")
        if not isinstance(data, dict):
            raise TryAgainError(f"the answer has no object 'data' with {what}")
        return data
