"""A bounded memory of what was computed: the most recently used entries, at most so many and together so heavy."""

from collections import OrderedDict
from collections.abc import Hashable
from threading import Lock
from typing import Generic, TypeVar

from server.telemetry import CacheMeter

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class Kept(Generic[Key, Value]):
    """Safe to use from many threads. An entry heavier than everything together may be is not kept."""

    def __init__(self, most: int, most_weight: int) -> None:
        self._most = most
        self._most_weight = most_weight
        self._entries: OrderedDict[Key, tuple[Value, int]] = OrderedDict()
        self._weight = 0
        self._lock = Lock()
        self.meter = CacheMeter()
        """Who hears of every look-up, and of those of no other memory."""

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, key: Key) -> bool:
        """Whether it is there now; no look-up that counts."""
        return key in self._entries

    @property
    def weight(self) -> int:
        return self._weight

    def get(self, key: Key) -> Value | None:
        with self._lock:
            entry = self._entries.get(key)
            if entry is None:
                self.meter.misses += 1
                return None
            self._entries.move_to_end(key)
            self.meter.hits += 1
            return entry[0]

    def peek(self, key: Key) -> Value | None:
        """As `get`, for one who is not answered by what he finds: nobody counts it, and it grows no younger."""
        found = self._entries.get(key)
        return None if found is None else found[0]

    def put(self, key: Key, value: Value, weight: int = 1) -> Value:
        """Gives what is kept: the value that another thread has put there meanwhile, or this one."""
        with self._lock:
            if key in self._entries:
                return self._entries[key][0]
            if weight > self._most_weight:
                return value
            self._entries[key] = value, weight
            self._weight += weight
            while len(self._entries) > self._most or self._weight > self._most_weight:
                _, (_, oldest) = self._entries.popitem(last=False)
                self._weight -= oldest
            return value
