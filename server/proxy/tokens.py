"""Who may use the proxy, and which agents and sessions he may name: a YAML file with digests, never with tokens.

A token states nothing that its line does not list: `sessions: ["*"]` is any session, no `sessions` is none.
"""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from server.access.bearer import digest_of, is_well_formed
from server.access.wildcard import stands_for
from server.proxy.attribution import Attribution


class TokensError(Exception):
    """The file cannot be used; the message says where it is wrong."""


class NotAllowedError(Exception):
    """401 for who is not known, 403 for what he may not say."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


@dataclass(frozen=True, slots=True)
class Right:
    """What one token may state. A name that ends with `*` stands for all that begin so."""

    name: str
    agents: tuple[str, ...] = ()
    sessions: tuple[str, ...] = ()

    @property
    def states_any_session(self) -> bool:
        return "*" in self.sessions

    def checked(self, attribution: Attribution) -> Attribution:
        """With the agent of the token where the client names none. Raises `NotAllowedError`."""
        _check("session", attribution.session_id, self.sessions)
        _check("agent", attribution.agent, self.agents)
        own = self.agents[0] if len(self.agents) == 1 and "*" not in self.agents[0] else None
        return replace(attribution, agent=attribution.agent or own)


ANYBODY = Right("anybody", ("*",), ("*",))


@dataclass(frozen=True, slots=True)
class Tokens:
    """None of them: whoever reaches the proxy may use it."""

    rights: dict[bytes, Right] | None = field(default=None, repr=False)

    def right_of(self, token: bytes | None) -> Right:
        """Raises `NotAllowedError`."""
        if self.rights is None:
            return ANYBODY
        if token is None:
            raise NotAllowedError(
                401, "a proxy token is needed: in the header X-Clawback-Token, or before the path as /t/TOKEN/..."
            )
        given = token.decode("ascii", "replace").strip()
        right = self.rights.get(digest_of(given)) if is_well_formed(given) else None
        if right is None:
            raise NotAllowedError(401, "this is no proxy token that is known here")
        return right


_Named = Annotated[str, Field(pattern=r"^[^*]*\*?$")]
"""A star elsewhere than at the end would stand for nothing, and nobody would be told."""


class _Line(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    agents: tuple[_Named, ...] = ()
    sessions: tuple[_Named, ...] = ()


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    tokens: tuple[_Line, ...]


def read_tokens(path: Path | None) -> Tokens:
    """Raises `TokensError`."""
    if path is None:
        return Tokens()
    try:
        stated = _File.model_validate(yaml.safe_load(path.read_text("utf-8")))
    except OSError as error:
        raise TokensError(f"{path} cannot be read: {error.strerror or error}") from error
    except (yaml.YAMLError, UnicodeDecodeError):
        raise TokensError(f"{path} is no YAML file") from None
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(map(str, first["loc"])) or "the file"
        raise TokensError(f"{path}: {place}: {first['msg']}") from None
    return Tokens({bytes.fromhex(line.sha256): Right(line.name, line.agents, line.sessions) for line in stated.tokens})


def _check(what: str, stated: str | None, allowed: tuple[str, ...]) -> None:
    if stated is not None and not any(stands_for(pattern, stated) for pattern in allowed):
        raise NotAllowedError(403, f"this token may not state that {what}; the proxy's file of tokens says which")
