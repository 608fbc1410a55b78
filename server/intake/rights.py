"""What a sender may state: any session, or those that the claims of his token bind him to.

A token with the claim `sessions` states these sessions; a `*` at the end of one stands for whatever follows. One with
the claim `agents` states calls of these agents, in sessions that are theirs or that nobody has heard of. A token with
neither states any.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256

import orjson

from loaders.item import Ignored, Item, Parsed, Rejected
from server.access.wildcard import stands_for
from store import Record, Request, Session

Owners = Callable[[list[str]], Mapping[str, frozenset[str]]]
"""Session -> the agents that were told of it, of those sessions that are known; none where nobody told one."""


@dataclass(frozen=True, slots=True)
class Rights:
    """What one is bound to. None binds to nothing."""

    sessions: tuple[str, ...] | None = None
    agents: tuple[str, ...] | None = None

    @classmethod
    def of(cls, claims: Mapping[str, object]) -> "Rights | None":
        """Those of a token; None where it is bound to nothing."""
        sessions, agents = _words(claims.get("sessions")), _words(claims.get("agents"))
        return None if sessions is None and agents is None else cls(sessions, agents)

    @classmethod
    def read(cls, written: bytes) -> "Rights":
        told = orjson.loads(written)
        return cls(*(None if told[name] is None else tuple(told[name]) for name in ("sessions", "agents")))

    def written(self) -> bytes:
        return orjson.dumps({"sessions": self.sessions, "agents": self.agents})

    @property
    def name(self) -> str:
        """The same for the same rights."""
        return sha256(self.written()).hexdigest()[:16]

    def checked(self, items: Iterable[Item], owners: Owners) -> list[Item]:
        """The items, in which those that state what is not his are rejected with the reason."""
        read = list(items)
        stated = {session for item in read for session in _stated(item)}
        known = owners(sorted(stated)) if self.agents is not None and stated else {}
        return [self._checked(item, known) for item in read]

    def _checked(self, item: Item, known: Mapping[str, frozenset[str]]) -> Item:
        match item:
            case Parsed(location, records):
                wrong = next((found for record in records if (found := self._objection(record, known))), None)
                return item if wrong is None else Rejected(location, wrong)
            case Rejected(session_id=str(session)) if not self._is_surely_his(session, known):
                # It would say of another's session that its cost is not known.
                return replace(item, session_id=None)
            case Rejected() | Ignored():
                return item

    def _objection(self, record: Record, known: Mapping[str, frozenset[str]]) -> str | None:
        """Why he may not state this."""
        if not isinstance(record, Request | Session):
            return f"this token is bound to {self._bounds()}, and a {type(record).__name__} is of all of them"
        for session in _sessions((record,)):
            if not self._is_his(session, known):
                return f"the session {session[:200]!r} is another's: this token is bound to {self._bounds()}"
        if self.agents is not None and record.agent not in self.agents:
            return f"the agent {(record.agent or '')[:200]!r} is another's: this token is bound to {self._bounds()}"
        if self.sessions is not None and record.session_id is None:
            return f"it names no session, and this token is bound to {self._bounds()}"
        return None

    def _is_his(self, session: str, known: Mapping[str, frozenset[str]]) -> bool:
        if self.sessions is not None and not any(stands_for(pattern, session) for pattern in self.sessions):
            return False
        if self.agents is None or session not in known:
            return True
        return bool(known[session]) and known[session] <= set(self.agents)

    def _is_surely_his(self, session: str, known: Mapping[str, frozenset[str]]) -> bool:
        return self._is_his(session, known) and (self.agents is None or session in known)

    def _bounds(self) -> str:
        named = (("sessions", self.sessions), ("agents", self.agents))
        return " and ".join(f"the {what} {', '.join(words)}"[:500] for what, words in named if words is not None)


def _words(claim: object) -> tuple[str, ...] | None:
    if claim is None:
        return None
    return tuple(str(word) for word in claim) if isinstance(claim, tuple | list) else (str(claim),)


def _stated(item: Item) -> list[str]:
    match item:
        case Parsed(_, records):
            return _sessions(records)
        case Rejected(session_id=str(session)):
            return [session]
        case _:
            return []


def _sessions(records: Iterable[Record]) -> list[str]:
    """Those that some records name."""
    found = []
    for record in records:
        if isinstance(record, Request | Session):
            found += [record.session_id, record.parent_session_id if isinstance(record, Session) else None]
    return [session for session in found if session is not None]
