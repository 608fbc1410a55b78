"""Times what each peer does with the same questions and prints one JSON line; imports nothing that a peer lacks."""

import json
import statistics
import time
from collections.abc import Callable, Mapping

ROUNDS, MOST_MS = 25, 4_000
"""What is slow is compiled less often, but three times at least."""


def print_times(questions: Mapping[str, Callable[[], str]]) -> None:
    """Each question compiled warm: median ms by the clock and of the processor, the first time's, characters of SQL."""
    told: dict[str, tuple[float, float, float, int]] = {}
    for name, compiled in questions.items():
        start = time.process_time()
        sql = compiled()
        first = (time.process_time() - start) * 1000
        walls: list[float] = []
        cpus: list[float] = []
        while len(walls) < 3 or (len(walls) < ROUNDS and sum(walls) < MOST_MS):
            wall, cpu = time.perf_counter(), time.process_time()
            compiled()
            cpus.append((time.process_time() - cpu) * 1000)
            walls.append((time.perf_counter() - wall) * 1000)
        told[name] = (statistics.median(walls), statistics.median(cpus), first, len(sql))
    print(json.dumps(told))
