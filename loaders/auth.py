"""How a secret is sent to an API: as a bearer token, in a header of its own, or as a name and a password.

Each scheme says which headers carry the secret, and every text in which an answer could repeat it.
"""

from base64 import b64encode
from dataclasses import dataclass

from loaders.item import LoadError

_LEAST_SECRET = 12
"""Characters; what is shorter is no token of anybody's, and may stand in any text by chance."""
_ONE_WORD = "the token must be one word of plain ASCII characters; give it as it was issued"


@dataclass(frozen=True, slots=True)
class Bearer:
    """`Authorization: Bearer <secret>`."""

    def headers(self, secret: str) -> dict[str, str]:
        """Raises `LoadError` for what cannot be a token, and does not repeat it."""
        return {"Authorization": f"Bearer {_one_word(secret)}"}

    def hidden(self, secret: str) -> tuple[bytes, ...]:
        """What no answer may show."""
        return _long_enough(secret)


@dataclass(frozen=True, slots=True)
class InHeader:
    """`<name>: <secret>`, such as `x-api-key`."""

    name: str

    def headers(self, secret: str) -> dict[str, str]:
        """Raises `LoadError` for what cannot be a token, and does not repeat it."""
        return {self.name: _one_word(secret)}

    def hidden(self, secret: str) -> tuple[bytes, ...]:
        """What no answer may show."""
        return _long_enough(secret)


@dataclass(frozen=True, slots=True)
class Basic:
    """`Authorization: Basic <base64>`; given as `name:password`, which some call public and secret key."""

    def headers(self, secret: str) -> dict[str, str]:
        """Raises `LoadError` for what is not two words with a colon between them, and does not repeat it."""
        name, colon, password = _one_word(secret).partition(":")
        if not (name and colon and password):
            raise LoadError("the token must be two words with a colon between them, like pk-lf-...:sk-lf-...")
        return {"Authorization": f"Basic {b64encode(secret.encode()).decode()}"}

    def hidden(self, secret: str) -> tuple[bytes, ...]:
        """What no answer may show: the whole, the whole as it is sent, and the password alone."""
        return _long_enough(secret, b64encode(secret.encode()).decode(), secret.partition(":")[2])


Scheme = Bearer | InHeader | Basic


def _one_word(secret: str) -> str:
    if not (secret.isascii() and secret.isprintable() and secret and " " not in secret):
        raise LoadError(_ONE_WORD)
    return secret


def _long_enough(*texts: str) -> tuple[bytes, ...]:
    return tuple(text.encode() for text in texts if len(text) >= _LEAST_SECRET)
