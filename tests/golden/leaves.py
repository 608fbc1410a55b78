"""Which answers of the golden cases the tests really look at: `python -m tests.golden.leaves`.

An answer that no test reads is guarded by none. The run fails where there is such a one; text that explains (a note, a
rule, the name of an event) is no answer.
"""

import sys
from collections.abc import ItemsView, Iterator, ValuesView
from typing import Any

import pytest

Place = tuple[str | int, ...]

EXPLAINED = frozenset({"note", "identity", "event", "rule", "monthEndRule", "tolerance", "releaseOnFailure", "default"})
"""Keys of sentences for the reader of a case."""


class Watch:
    """The answers of the cases that were handed out, and those that were looked at."""

    def __init__(self) -> None:
        self.handed_out: set[Place] = set()
        self.read: set[Place] = set()

    def over(self, value: Any, place: Place) -> Any:
        if isinstance(value, dict):
            return _Object(self, place, {key: self.over(item, (*place, key)) for key, item in value.items()})
        if isinstance(value, list):
            return _Array(self, place, [self.over(item, (*place, n)) for n, item in enumerate(value)])
        if not EXPLAINED & set(place):
            self.handed_out.add(place)
        return value

    def looked_at(self, place: Place) -> None:
        self.read.add(place)


class _Object(dict[str, Any]):
    def __init__(self, watch: Watch, place: Place, values: dict[str, Any]) -> None:
        super().__init__(values)
        self._watch, self._place = watch, place

    def __getitem__(self, key: str) -> Any:
        self._watch.looked_at((*self._place, key))
        return super().__getitem__(key)

    def get(self, key: str, default: Any = None) -> Any:
        self._watch.looked_at((*self._place, key))
        return super().get(key, default)

    def pop(self, key: str, *default: Any) -> Any:
        self._watch.looked_at((*self._place, key))
        return super().pop(key, *default)

    def items(self) -> ItemsView[str, Any]:
        self._look_at_all()
        return super().items()

    def values(self) -> ValuesView[Any]:
        self._look_at_all()
        return super().values()

    def __or__(self, other: Any) -> Any:
        self._look_at_all()
        return super().__or__(other)

    def __eq__(self, other: object) -> bool:
        self._look_at_all()
        return super().__eq__(other)

    def _look_at_all(self) -> None:
        for key in self:
            self._watch.looked_at((*self._place, key))


class _Array(list[Any]):
    def __init__(self, watch: Watch, place: Place, values: list[Any]) -> None:
        super().__init__(values)
        self._watch, self._place = watch, place

    def __getitem__(self, index: Any) -> Any:
        self._look_at_all()
        return super().__getitem__(index)

    def __iter__(self) -> Iterator[Any]:
        self._look_at_all()
        return super().__iter__()

    def __len__(self) -> int:
        self._look_at_all()
        return super().__len__()

    def __eq__(self, other: object) -> bool:
        self._look_at_all()
        return super().__eq__(other)

    def _look_at_all(self) -> None:
        for index in range(super().__len__()):
            self._watch.looked_at((*self._place, index))


WATCH: list[Watch] = []
"""The watch of this process, where one is kept."""


def watched(case: str, answers: Any) -> Any:
    """The answers of a case as a test gets them."""
    return WATCH[0].over(answers, (case,)) if WATCH else answers


def main() -> int:
    watch = Watch()
    WATCH.append(watch)
    failed = pytest.main(["tests/golden", "-q", "-m", "golden"])
    unread = sorted(watch.handed_out - watch.read, key=str)
    for case in sorted({str(place[0]) for place in watch.handed_out}):
        of_case = [place for place in watch.handed_out if place[0] == case]
        compared = len(of_case) - sum(place[0] == case for place in unread)
        sys.stdout.write(f"{case:32} {len(of_case):4} answers, {compared:4} compared\n")
    for place in unread:
        sys.stdout.write(f"not compared: {'/'.join(map(str, place))}\n")
    return int(failed) or bool(unread)


if __name__ == "__main__":
    from tests.golden import leaves

    sys.exit(leaves.main())
