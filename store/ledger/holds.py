"""Holds: what requests in flight may cost, and what those that are over have cost until a load brings them.

A hold says what it is for (agent, model, trigger, session) and names no budget, so it counts for whatever budgets are
in force when somebody asks, and one that is removed or new needs no change here.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

from store.errors import StoreError
from store.ledger.money import instant_number, instant_of, joined, split

HoldState = Literal["HELD", "EXPIRED", "SETTLED", "RELEASED"]
COLUMNS = {"agent": "agent", "model": "model", "trigger": '"trigger"', "session": "session"}
"""Scope of a budget -> column; the scope `global` has none."""


class HoldError(StoreError):
    """A hold that cannot be changed as asked; `code` is stable."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    hold_id: str
    reserved_at: datetime
    expires_at: datetime
    trigger: str
    agent: str | None = None
    model: str | None = None
    session: str | None = None
    max_usd: Decimal | None = None
    """The most that the request may cost; None where nobody can say, and then nothing is held."""
    state: HoldState = "HELD"
    actual_usd: Decimal | None = None
    request_key: str | None = None


@dataclass(frozen=True, slots=True)
class Committed:
    """What the ledger adds to what is loaded."""

    held_usd: Decimal = Decimal(0)
    settled_usd: Decimal = Decimal(0)
    """Of requests that the data does not have yet."""


class Holds:
    """The holds within one transaction of the ledger."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def add(self, hold: Hold) -> None:
        micro, rest = (None, None) if hold.max_usd is None else split(hold.max_usd)
        self._connection.execute(
            'INSERT INTO holds (hold_id, reserved_at, expires_at, agent, model, "trigger", session,'
            " max_micro, max_rest, state) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'HELD')",
            (
                hold.hold_id,
                instant_number(hold.reserved_at),
                instant_number(hold.expires_at),
                *(hold.agent, hold.model, hold.trigger, hold.session),
                *(micro, rest),
            ),
        )

    def find(self, hold_id: str, now: datetime) -> Hold:
        """Raises `HoldError` where there is no such hold."""
        found = self._connection.execute(
            'SELECT hold_id, reserved_at, expires_at, "trigger", agent, model, session, max_micro, max_rest, state,'
            " actual_micro, actual_rest, request_key FROM holds WHERE hold_id = ?",
            (hold_id,),
        ).fetchone()
        if found is None:
            raise HoldError("UNKNOWN_HOLD", f"there is no hold {hold_id!r}; it is the holdId that `reserve` gave")
        return _hold(found, now)

    def settle(self, hold: Hold, actual_usd: Decimal, request_key: str | None, now: datetime) -> Hold:
        """The request is over and has cost so much. Also where the hold was released or has expired: money that was
        spent counts. Settling again with the same amount changes nothing.

        Raises:
            HoldError: it is settled with another amount or request, or the request is settled by another hold.
        """
        if hold.state == "SETTLED" and not _is_the_same(hold, actual_usd, request_key):
            raise HoldError(
                "ALREADY_SETTLED",
                f"the hold is settled with {hold.actual_usd:f} USD"
                + (f" for the request {hold.request_key!r}" if hold.request_key else "")
                + "; a correction comes with the data that is loaded",
            )
        key = request_key or hold.request_key
        if self._is_settled_elsewhere(hold.hold_id, key):
            raise HoldError("REQUEST_SETTLED", f"another hold is settled for the request {key!r}; release this one")
        micro, rest = split(actual_usd)
        self._connection.execute(
            "UPDATE holds SET state = 'SETTLED', actual_micro = ?, actual_rest = ?, request_key = ?,"
            " settled_at = coalesce(settled_at, ?) WHERE hold_id = ?",
            (micro, rest, key, instant_number(now), hold.hold_id),
        )
        return self.find(hold.hold_id, now)

    def release(self, hold: Hold, now: datetime) -> Hold:
        """The request came to nothing. One that is settled stays so: its money is spent."""
        if hold.state != "SETTLED":
            self._connection.execute("UPDATE holds SET state = 'RELEASED' WHERE hold_id = ?", (hold.hold_id,))
        return self.find(hold.hold_id, now)

    def open_holds(self, now: datetime) -> int:
        (count,) = self._connection.execute(
            "SELECT count(*) FROM holds WHERE state = 'HELD' AND expires_at > ?", (instant_number(now),)
        ).fetchone()
        return int(count)

    def committed(
        self, scope: str, starts_at: datetime, ends_at: datetime, *, now: datetime, version: int, member: str | None
    ) -> Committed:
        """Of one member of a scope, or of everything in the scope `global`, beside the data of a version."""
        found = self._by_member(scope, starts_at, ends_at, now=now, version=version, member=member)
        return found.get(member, Committed())

    def committed_by_member(
        self, scope: str, starts_at: datetime, ends_at: datetime, *, now: datetime, version: int
    ) -> dict[str | None, Committed]:
        """Of every member of a scope that has some; in the scope `global` the only key is None."""
        return self._by_member(scope, starts_at, ends_at, now=now, version=version, member=None)

    def uncovered(self, hold_id: str | None = None) -> list[tuple[str, str | None, datetime]]:
        """Settlements that no version of the data has: hold, request, when it was settled."""
        one = "" if hold_id is None else " AND hold_id = :hold"
        rows = self._connection.execute(
            "SELECT hold_id, request_key, settled_at FROM holds"
            f" WHERE state = 'SETTLED' AND covered_version IS NULL{one}",
            {"hold": hold_id},
        )
        return [(hold, key, instant_of(at)) for hold, key, at in rows]

    def cover(self, hold_ids: Iterable[str], version: int) -> None:
        """The data has their spend itself, from this version on. Whoever still reads an earlier one counts them."""
        self._connection.executemany(
            "UPDATE holds SET covered_version = ? WHERE hold_id = ? AND covered_version IS NULL",
            [(version, hold_id) for hold_id in hold_ids],
        )

    def forget(self, before: datetime) -> None:
        """Holds of windows that nobody asks for any more."""
        self._connection.execute("DELETE FROM holds WHERE reserved_at < ?", (instant_number(before),))

    def _is_settled_elsewhere(self, hold_id: str, request_key: str | None) -> bool:
        found = self._connection.execute(
            "SELECT 1 FROM holds WHERE state = 'SETTLED' AND request_key = ? AND hold_id <> ?", (request_key, hold_id)
        ).fetchone()
        return found is not None

    def _by_member(
        self, scope: str, starts_at: datetime, ends_at: datetime, *, now: datetime, version: int, member: str | None
    ) -> dict[str | None, Committed]:
        column = COLUMNS.get(scope, "NULL")
        chosen = "" if scope == "global" else f" AND {column} IS NOT NULL"
        chosen += f" AND {column} = :member" if member is not None else ""
        given = {
            "starts": instant_number(starts_at),
            "ends": instant_number(ends_at),
            "now": instant_number(now),
            "version": version,
            "member": member,
        }
        within = f"reserved_at >= :starts AND reserved_at < :ends{chosen} GROUP BY 1"
        held = self._connection.execute(
            f"SELECT {column}, sum(max_micro), sum(max_rest) FROM holds"
            f" WHERE state = 'HELD' AND expires_at > :now AND {within}",
            given,
        ).fetchall()
        settled = self._connection.execute(
            f"SELECT {column}, sum(actual_micro), sum(actual_rest) FROM holds"
            f" WHERE state = 'SETTLED' AND (covered_version IS NULL OR covered_version > :version) AND {within}",
            given,
        ).fetchall()
        return _joined(held, settled)


def _joined(
    held: Sequence[tuple[str, int, int]], settled: Sequence[tuple[str, int, int]]
) -> dict[str | None, Committed]:
    held_usd = {name: joined(micro, rest) for name, micro, rest in held}
    settled_usd = {name: joined(micro, rest) for name, micro, rest in settled}
    nothing = Decimal(0)
    return {
        name: Committed(held_usd.get(name, nothing), settled_usd.get(name, nothing))
        for name in held_usd.keys() | settled_usd.keys()
    }


def _is_the_same(hold: Hold, actual_usd: Decimal, request_key: str | None) -> bool:
    return hold.actual_usd == actual_usd and (
        None in (request_key, hold.request_key) or request_key == hold.request_key
    )


def _hold(row: tuple[Any, ...], now: datetime) -> Hold:
    hold_id, reserved_at, expires_at, trigger, agent, model, session, micro, rest, state, *actual, request_key = row
    has_expired = state == "HELD" and instant_of(expires_at) <= now
    return Hold(
        hold_id=hold_id,
        reserved_at=instant_of(reserved_at),
        expires_at=instant_of(expires_at),
        trigger=trigger,
        agent=agent,
        model=model,
        session=session,
        max_usd=None if micro is None else joined(micro, rest),
        state="EXPIRED" if has_expired else state,
        actual_usd=None if actual[0] is None else joined(*actual),
        request_key=request_key,
    )
