"""Looks for questions that the compiler answers otherwise: `python -m tests.semantic.search --cases 20000`."""

import argparse
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random
from time import perf_counter

from tests.semantic.brute_refusals import refusals
from tests.semantic.compare import Database, Finding, difference, told
from tests.semantic.coverage import features
from tests.semantic.draw_questions import question
from tests.semantic.draw_worlds import world
from tests.semantic.draws import draws_from
from tests.semantic.shrink import smallest
from tests.semantic.worlds import Case

MILLION = 1_000_000
QUESTIONS = 14
"""Of each world."""


@dataclass(slots=True)
class Tally:
    kinds: Counter[str] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)
    covered: Counter[str] = field(default_factory=Counter)
    ways: Counter[str] = field(default_factory=Counter)

    def count(self, case: Case, finding: Finding) -> None:
        self.kinds[finding.kind] += 1
        if finding.kind == "refused":
            self.codes[finding.text] += 1
        elif finding.kind in ("same", "fragile"):
            self.covered.update(features(case))


def cases(seed: int, count: int) -> Iterator[tuple[int, Case]]:
    """Cases with the seed of their world, which draws the same ones again."""
    for number in range(-(-count // QUESTIONS)):
        own = seed if seed > MILLION else seed * MILLION + number
        draws = draws_from(Random(own))
        made = world(draws)
        for _ in range(QUESTIONS):
            yield own, question(draws, made)


def shrunk(database: Database, case: Case, finding: Finding) -> Case:
    """Smaller, and still different in the same way."""
    first = _way(finding)

    def fails(smaller: Case) -> bool:
        found = difference(database, smaller)
        return found.kind == "different" and _way(found) == first

    return smallest(case, fails)


def _way(finding: Finding) -> str:
    """The kind of a difference: its first words, without the names and numbers that follow."""
    words = finding.text.split(" ")
    return " ".join(w for w in words[:12] if w.isalpha() or w.endswith("Error:"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--stop", type=int, default=10, help="after so many differences")
    parser.add_argument("--each", type=int, default=1, help="of differences that look alike, show so many")
    parser.add_argument("--skip", action="append", default=[], help="a text: differences that have it are only counted")
    parser.add_argument("--whole", action="store_true", help="show cases as they were drawn, not made smaller")
    parser.add_argument("--coverage", action="store_true", help="print the table of coverage")
    arguments = parser.parse_args()
    database, tally, began = Database(), Tally(), perf_counter()
    for own, case in cases(arguments.seed, arguments.cases):
        finding = difference(database, case)
        tally.count(case, finding)
        if finding.kind == "different":
            tally.ways[_way(finding)] += 1
            is_known = any(text in finding.text for text in arguments.skip)
            if tally.ways[_way(finding)] <= arguments.each and not is_known:
                _tell(database, own, case, finding, is_whole=arguments.whole)
            if tally.kinds["different"] >= arguments.stop:
                break
    _summary(tally, perf_counter() - began, is_full=arguments.coverage)
    sys.exit(1 if tally.kinds["different"] else 0)


def _tell(database: Database, own: int, case: Case, finding: Finding, *, is_whole: bool) -> None:
    small = case if is_whole else shrunk(database, case, finding)
    again = difference(database, small)
    print(f"=== a difference in world {own}: {again.text}\n{told(small)}\n")  # noqa: T201 -- a command says what it found
    codes = refusals(small)
    if codes:
        print(f"by hand it is refused: {sorted(codes)}")  # noqa: T201
    sys.stdout.flush()


def _summary(tally: Tally, seconds: float, *, is_full: bool) -> None:
    total = tally.kinds.total()
    print(f"{total:,} cases in {seconds:.1f} s ({seconds / max(total, 1) * 1000:.1f} ms each)")  # noqa: T201
    print(", ".join(f"{kind} {count:,}" for kind, count in sorted(tally.kinds.items())))  # noqa: T201
    print("refused: " + ", ".join(f"{code} {count:,}" for code, count in tally.codes.most_common()))  # noqa: T201
    for way, count in tally.ways.most_common():
        print(f"different: {count:,} {way}")  # noqa: T201
    if is_full:
        for name, count in sorted(tally.covered.items()):
            print(f"  {count:>7,}  {name}")  # noqa: T201


if __name__ == "__main__":
    main()
