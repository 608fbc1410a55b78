"""python -m tests.server.fuzz --cases 20000: as many random operations by both paths; exit code 1 with a difference."""

import argparse
import logging
import sys
import time
from collections import Counter
from multiprocessing import Pool

import orjson

from semantic import load_catalog
from server.graphql.engine import Operation
from tests.server.conftest import RECORDS, REPOSITORY, load_into
from tests.server.fuzz.compare import cases, paths
from tests.stores import new_store

PROCESSES = 2


def compared(asked: tuple[int, range]) -> tuple[str, Counter[str]]:
    """The first difference among some cases, and what kinds of answers there were."""
    seed, numbers = asked
    logging.disable(logging.CRITICAL)
    catalog = load_catalog((REPOSITORY / "metrics.yaml").read_text(encoding="utf-8"))
    kinds: Counter[str] = Counter()
    with new_store() as store:
        load_into(store, RECORDS)
        both = paths(catalog, store)
        for number, case in zip(numbers, cases(both, seed, numbers), strict=True):
            if found := both.difference(case):
                return f"case {number} of seed {seed}:\n{found}", kinds
            content, is_executed = both._answer(both.plain, Operation(case.text, case.variables[0], case.name))
            errors = orjson.loads(content).get("errors", [])
            kinds["refused" if not is_executed else "with errors" if errors else "answered"] += 1
            kinds.update(error["extensions"]["code"] for error in errors[:1])
    return "", kinds


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    asked = parser.parse_args()
    began = time.perf_counter()
    parts = [(asked.seed, range(start, asked.cases, PROCESSES)) for start in range(PROCESSES)]
    with Pool(PROCESSES) as pool:
        found = pool.map(compared, parts)
    kinds = sum((kinds for _, kinds in found), Counter[str]())
    told = [f"{asked.cases:,} operations, seed {asked.seed}, {time.perf_counter() - began:.0f} s"]
    told.append(", ".join(f"{kind} {count:,}" for kind, count in kinds.most_common()))
    told += [difference for difference, _ in found if difference]
    sys.stdout.write("\n".join(told) + "\n")
    return 1 if any(difference for difference, _ in found) else 0


if __name__ == "__main__":
    sys.exit(main())
