"""In which order metrics are read: each after those that it rests on. What rests on itself has no order."""

from collections.abc import Iterator, Mapping

Uses = Mapping[str, tuple[str, ...]]


def ordered(uses: Uses) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """The names, each after those that it uses, and the ways that lead from a name back to itself.

    Example:
        >>> ordered({"a": ("b",), "b": (), "c": ("c",)})
        (('b', 'a'), (('c', 'c'),))
    """
    done: dict[str, None] = {}
    cycles: list[tuple[str, ...]] = []
    for start in uses:
        _visit(start, uses, done, cycles)
    tangled = _resting_on({name for cycle in cycles for name in cycle}, uses)
    return tuple(name for name in done if name not in tangled), tuple(cycles)


def _visit(start: str, uses: Uses, done: dict[str, None], cycles: list[tuple[str, ...]]) -> None:
    """Depth first, without calling itself: a file may be a chain of thousands."""
    path: dict[str, Iterator[str]] = {} if start in done else {start: iter(uses[start])}
    while path:
        name = next(reversed(path))
        following = next(path[name], None)
        if following is None:
            done[name] = None
            del path[name]
        elif following in path:
            trail = list(path)
            cycles.append((*trail[trail.index(following) :], following))
        elif following not in done and following in uses:
            path[following] = iter(uses[following])


def _resting_on(names: set[str], uses: Uses) -> set[str]:
    """The names, and all that use them, directly or not."""
    users: dict[str, list[str]] = {}
    for name, used in uses.items():
        for other in used:
            users.setdefault(other, []).append(name)
    found, waiting = set(names), list(names)
    while waiting:
        fresh = [user for user in users.get(waiting.pop(), ()) if user not in found]
        found.update(fresh)
        waiting += fresh
    return found
